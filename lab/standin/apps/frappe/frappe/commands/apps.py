"""Apps in sites, and what migrate does about them."""

import json
import sys

import click

import frappe
from frappe import installer, standin
from frappe.commands import on_site


@click.command("install-app")
@click.argument("apps", nargs=-1)
@click.option("--force", is_flag=True, default=False)
@on_site
def install_app(context, apps, force):
    """Installs apps, one after the other; exits with 1 at the first that fails."""
    for app in apps:
        if app not in frappe.get_all_apps():
            print(f'Could not find app "{app}":\nApp {app} is not in apps.txt')
            raise SystemExit(1)
        try:
            with installer.app_lock():
                installer.install_app(app, verbose=context.verbose, force=force)
        except Exception as error:
            print(f"An error occurred while installing {app}: {error}\n{frappe.get_traceback()}", file=sys.stderr)
            raise SystemExit(1) from None


@click.command("list-apps")
@click.option("--format", "-f", "form", type=click.Choice(["json", "text"]), default="text")
@on_site
def list_apps(context, form):
    """The text falls back to the site's real list; the JSON knows only what migrate recorded."""
    rows = frappe.get_all("Installed Application", fields=["app_name", "app_version", "git_branch"], order_by="idx")
    if form == "json":
        print(json.dumps({frappe.local.site: [row.app_name for row in rows]}))
    elif rows:
        width = max(len(row.app_name) for row in rows)
        print("\n".join(f"{row.app_name:{width}} {row.app_version} {row.git_branch}" for row in rows) + "\n")
    else:
        print("\n".join(frappe.get_installed_apps()) + "\n")


@click.command("migrate")
@click.option("--skip-failing", is_flag=True, default=False)
@click.option("--skip-search-index", is_flag=True, default=False)
@on_site
def migrate(context, skip_failing, skip_search_index):
    """Needs Redis. Records the installed apps."""
    from frappe.utils.redis_wrapper import reachable

    print(f"Migrating {frappe.local.site}")
    if not reachable():
        print("Cannot run bench migrate without the services running.", file=sys.stderr)
        raise SystemExit(1)
    standin.point("migrate:start")
    frappe.get_single("Installed Applications").update_versions()
    frappe.db.commit()
    print(f"Queued rebuilding of search index for {frappe.local.site}")


@click.command("ready-for-migration")
@on_site
def ready_for_migration(context):
    """Exits with 1 while jobs of the site wait or run. Needs Redis."""
    from frappe.utils.background_jobs import get_jobs

    site = frappe.local.site
    jobs = get_jobs(site=site).get(site)
    if jobs:
        print(f"NOT READY for migration: site {site} has pending background jobs")
        raise SystemExit(1)
    print(f"READY for migration: site {site} does not have any background jobs")


@click.command("version")
@click.option("--format", "-f", "form", type=click.Choice(["plain", "legacy", "json", "table"]), default="legacy")
def version(form):
    """The versions of the bench's apps."""
    versions = {app: frappe.get_module(app).__version__ for app in sorted(frappe.get_all_apps(sites_path="."))}
    if form == "json":
        return print(json.dumps([{"app": app, "version": number} for app, number in versions.items()]))
    return print("\n".join(f"{app} {number}" for app, number in versions.items()))


COMMANDS = [install_app, list_apps, migrate, ready_for_migration, version]
