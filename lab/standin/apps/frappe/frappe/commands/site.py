"""new-site, drop-site, restore: the life of a site."""

import hashlib
import os
import shutil

import click

import frappe
from frappe import installer, standin
from frappe.commands import get_site, require_site
from frappe.database import setup
from frappe.utils import get_bench_path, is_valid_site_name, scheduler
from frappe.utils.synchronization import filelock

ROOT_NAME = ("--db-root-username", "--mariadb-root-username", "--root-login")
ROOT_PASSWORD = ("--db-root-password", "--mariadb-root-password", "--root-password")


@click.command("new-site")
@click.argument("site")
@click.option("--db-name")
@click.option("--db-user")
@click.option("--db-password")
@click.option("--db-type", default="mariadb", type=click.Choice(["mariadb", "postgres"]))
@click.option("--db-host")
@click.option("--db-port", type=int)
@click.option("--db-socket")
@click.option(*ROOT_NAME, "root_login")
@click.option(*ROOT_PASSWORD, "root_password")
@click.option("--no-mariadb-socket", is_flag=True, default=False)
@click.option("--mariadb-user-host-login-scope", "host_scope")
@click.option("--admin-password")
@click.option("--verbose", is_flag=True, default=False)
@click.option("--force", is_flag=True, default=False)
@click.option("--source-sql", "--source_sql")
@click.option("--install-app", multiple=True)
@click.option("--set-default", is_flag=True, default=False)
@click.option("--setup-db/--no-setup-db", default=True)
def new_site(site, **options):
    """Makes a site: folder, configuration, database, framework, apps."""
    _check_name(site)
    _check_free(site, options["force"])
    if options["no_mariadb_socket"]:
        options["host_scope"] = options["host_scope"] or "%"
        if standin.is_16():
            click.secho("--no-mariadb-socket is DEPRECATED; use --mariadb-user-host-login-scope='%'", fg="yellow")
    frappe.init(site, new_site=True)
    standin.point("new-site:start")
    enabled = _scheduler_was_enabled(site)
    installer.make_site_folders(site)
    try:
        with filelock("bench_new_site", timeout=1):
            _make(site, enabled, options)
    except frappe.LockTimeoutError:
        _crash_of_the_second()
    finally:
        frappe.destroy()
    if options["set_default"]:
        installer.update_site_config("default_site", site, site_config_path="common_site_config.json")


def _check_name(site):
    if standin.checks_site_names() and not is_valid_site_name(site):
        raise ValueError(f"Site name {site} is invalid: only letters, digits, '.', '_' and '-' are allowed")
    if standin.is_16() and site in frappe.get_all_apps(sites_path="."):
        click.secho(f"Site name {site} is the name of an app", fg="red")
        raise SystemExit(1)


def _check_free(site, force):
    if os.path.exists(site) and not force:
        hint = ", use `--force` to proceed anyway" if standin.is_16() else ""
        print(f"Site {site} already exists{hint}")
        raise SystemExit(1)


def _scheduler_was_enabled(site):
    """A site made anew over an old one keeps its scheduler; of anything broken this says no."""
    try:
        frappe.connect()
        return not scheduler.is_scheduler_disabled()
    except Exception:
        return False
    finally:
        if frappe.db:
            frappe.db.close()


def _make(site, scheduler_enabled, options):
    db_name = options["db_name"] or _default_db_name(site)
    asked = {key: options[key] for key in ("db_host", "db_port", "db_type", "db_user", "db_socket")}
    installer.make_conf(db_name, options["db_password"], **asked)
    standin.point("new-site:after-config")
    if options["setup_db"]:
        connection = setup.root_connection(options["root_login"], options["root_password"])
        setup.setup_database(connection, options["force"], options["host_scope"])
    _fill(options["source_sql"])
    frappe.conf.admin_password = frappe.conf.admin_password or options["admin_password"]
    for app in ("frappe", *options["install_app"]):
        installer.install_app(app, verbose=options["verbose"])
    if options["source_sql"]:
        _set_admin_password()
    scheduler.toggle_scheduler(scheduler_enabled)
    frappe.db.commit()
    standin.point("new-site:end")
    disabled = scheduler.is_scheduler_disabled()
    print("*** Scheduler is", "disabled" if disabled else "enabled", "***")


def _default_db_name(site):
    if standin.is_16():
        return "_" + frappe.generate_hash(length=16)
    return "_" + hashlib.sha1(os.path.realpath(site).encode()).hexdigest()[:16]


def _fill(source_sql):
    """The tables: of a dump, or of a new framework."""
    from frappe.install import framework_sql

    if source_sql:
        installer.import_sql(source_sql)
    else:
        import tempfile

        with tempfile.TemporaryFile() as file:
            file.write(framework_sql().encode())
            file.seek(0)
            setup.run_client(stdin=file)
    frappe.connect()
    standin.point("new-site:after-schema")


def _set_admin_password():
    from frappe.install import admin_password
    from frappe.utils.password import update_password

    update_password("Administrator", admin_password())


def _crash_of_the_second():
    """The second of two at once ends in whatever its own error report trips over, not in a word about the lock."""
    try:
        frappe.init(frappe.local.site, force=True)
        frappe.connect()
        frappe.get_meta("Error Log")
        frappe.db.sql("SELECT name FROM `tabDocType` WHERE name='Error Log'", pluck=True)[0]
    except frappe.db.OperationalError:
        raise
    except Exception:
        raise frappe.DoesNotExistError("DocType Error Log not found") from None
    raise frappe.LockTimeoutError("Failed to aquire lock: bench_new_site. Lock may be held by another process.")


@click.command("drop-site")
@click.argument("site")
@click.option(*ROOT_NAME, "root_login")
@click.option(*ROOT_PASSWORD, "root_password")
@click.option("--archived-sites-path")
@click.option("--no-backup", is_flag=True, default=False)
@click.option("--force", is_flag=True, default=False)
def drop_site(site, root_login, root_password, archived_sites_path, no_backup, force):
    """Drops the database that the site's configuration names, whoever owns it, then moves the folder away."""
    frappe.init(site)
    frappe.connect()
    if not no_backup:
        _last_backup(site, force)
    standin.point("drop-site:start")
    click.secho("Dropping site database and user", fg="green")
    frappe.db.close()
    setup.drop_user_and_database(frappe.conf.db_name, frappe.conf.db_user, root_login, root_password)
    standin.point("drop-site:after-db")
    archive = os.path.realpath(archived_sites_path or os.path.join(get_bench_path(), "archived", "sites"))
    click.secho(f"Moving site to archive under {archive}", fg="green")
    os.makedirs(archive, exist_ok=True)
    _move(site, archive)
    standin.point("drop-site:end")
    frappe.destroy()


def _last_backup(site, force):
    from frappe.utils.backups import scheduled_backup

    try:
        click.secho(f"Taking backup of {site}", fg="green")
        scheduled_backup(ignore_files=False)
    except Exception as error:
        if not force:
            print("=" * 80)
            print(f"Error: The operation has stopped because backup of {site}'s database failed.")
            print(f"Reason: {error}\n\nFix the issue and try again.")
            print(f"Hint: Use 'bench drop-site {site} --force' to force the removal of {site}")
            raise SystemExit(1) from None


def _move(site, archive):
    """A second site of the same name gets 1, 2 … behind it."""
    target, suffix = os.path.join(archive, site), 0
    while os.path.exists(target):
        suffix += 1
        target = os.path.join(archive, f"{site}{suffix}")
    shutil.move(site, target)


@click.command("restore")
@click.argument("sql-file-path")
@click.option(*ROOT_NAME, "root_login")
@click.option(*ROOT_PASSWORD, "root_password")
@click.option("--db-name")
@click.option("--install-app", multiple=True)
@click.option("--with-public-files")
@click.option("--with-private-files")
@click.option("--admin-password")
@click.option("--force", is_flag=True, default=False)
@click.option("--encryption-key", "backup_encryption_key")
@click.pass_obj
def restore(context, sql_file_path, root_login, root_password, **options):
    """Puts a dump and file archives into an existing site; its configuration, and so its key, stays."""
    site = require_site(get_site(context))
    sql_file_path = os.path.abspath(sql_file_path) if os.path.exists(sql_file_path) else _missing(sql_file_path)
    frappe.init(site)
    with filelock("site_restore", timeout=1):
        connection = setup.root_connection(root_login, root_password)
        setup.setup_database(connection, True, None)
        standin.point("restore:after-db")
        installer.import_sql(sql_file_path)
        frappe.connect()
        for app in options["install_app"]:
            installer.install_app(app)
        if options["admin_password"]:
            from frappe.utils.password import update_password

            update_password("Administrator", options["admin_password"])
        frappe.db.commit()
        for archive, folder in (("with_public_files", "public"), ("with_private_files", "private")):
            if options[archive]:
                _unpack(options[archive], folder)
    print(f"Site {site} has been restored" + (" with files" if options["with_public_files"] else ""))
    frappe.destroy()


def _missing(path):
    print(f"Invalid path {path}")
    raise SystemExit(1)


def _unpack(archive, folder):
    """File archives hold ./<site>/<public|private>/files/…, of the site that they were made from."""
    import tarfile

    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            _before, _slash, inner = member.name.partition(f"/{folder}/files")
            if member.isfile():
                target = frappe.get_site_path(folder, "files", inner.lstrip("/"))
                os.makedirs(os.path.dirname(target), exist_ok=True)
                with tar.extractfile(member) as source, open(target, "wb") as copy:
                    shutil.copyfileobj(source, copy)


COMMANDS = [new_site, drop_site, restore]
