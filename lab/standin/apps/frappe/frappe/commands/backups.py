"""backup: from the command line."""

import click

import frappe
from frappe.commands import get_site, require_site
from frappe.utils.backups import scheduled_backup


@click.command("backup")
@click.option("--with-files", is_flag=True, default=False)
@click.option("--compress", is_flag=True, default=False)
@click.option("--backup-path")
@click.option("--backup-path-db")
@click.option("--backup-path-files")
@click.option("--backup-path-private-files")
@click.option("--backup-path-conf")
@click.option("--verbose", is_flag=True, default=False)
@click.pass_obj
def backup(context, with_files, compress, verbose, **paths):
    """Backs up each named site; exits with 1 if one of them failed."""
    get_site(context)
    failed = False
    for site in context.sites:
        frappe.init(require_site(site))
        frappe.connect()
        try:
            made = scheduled_backup(ignore_files=not with_files, compress=compress, force=True, **paths)
            made.print_summary()
            print(f"Backup for Site {site} has been successfully completed" + (" with files" if with_files else ""))
        except Exception as error:
            click.secho(f"Backup failed for Site {site}. Database or site_config.json may be corrupted", fg="red")
            print(f"{error}")
            failed = True
        frappe.destroy()
    if failed:
        raise SystemExit(1)


COMMANDS = [backup]
