"""New sites, apps in sites, and the site's configuration file."""

import ast
import json
import os

import click

import frappe
from frappe import standin
from frappe.config import remember
from frappe.database import setup
from frappe.utils.synchronization import filelock

SITE_FOLDERS = ("public/files", "private/files", "private/backups", "locks", "logs")


def update_site_config(key, value, validate=True, site_config_path=None):
    """Writes one key. "0" and "1" become numbers, "true" and "false" booleans, "None" takes the key out."""
    path = site_config_path or get_site_config_path()
    if validate:
        value = converted(value)
    with open(path) as file:
        config = json.load(file)
    if value == "None":
        config.pop(key, None)
    else:
        config[key] = value
    with open(path, "w") as file:
        json.dump(config, file, indent=1, sort_keys=True)
    if site_config_path is None:
        remember(key, None if value == "None" else value)


def converted(value):
    if value in ("0", "1"):
        return int(value)
    return {"false": False, "true": True}.get(value, value) if isinstance(value, str) else value


def parsed(value):
    return ast.literal_eval(value)


def get_site_config_path():
    return os.path.join(frappe.local.sites_path, frappe.local.site, "site_config.json")


def make_site_folders(site):
    for folder in SITE_FOLDERS:
        os.makedirs(os.path.join(frappe.local.sites_path, site, folder), exist_ok=True)


def make_conf(db_name, db_password, db_host=None, db_port=None, db_type=None, db_user=None, db_socket=None):
    """The site's configuration; one that is there stays as it is, whatever was asked for."""
    path = get_site_config_path()
    if not os.path.exists(path):
        config = {"db_name": db_name, "db_password": db_password or frappe.generate_hash(length=16)}
        config["db_type"] = db_type or "mariadb"
        if standin.is_16():
            config["db_user"] = db_user or db_name
        asked = {"db_host": db_host, "db_port": db_port, "db_socket": db_socket}
        config.update((key, value) for key, value in asked.items() if value)
        with open(path, "w") as file:
            json.dump(config, file, indent=1, sort_keys=True)
    site, path = frappe.local.site, frappe.local.sites_path
    frappe.destroy()
    frappe.init(site, sites_path=path)


def import_sql(source):
    """Feeds a dump, compressed or not, to MariaDB's client."""
    import gzip
    import tempfile

    with tempfile.TemporaryFile() as plain:
        with open(source, "rb") as file:
            compressed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            stream = gzip.GzipFile(fileobj=file) if compressed else file
            while block := stream.read(1 << 20):
                plain.write(block)
        plain.seek(0)
        setup.run_client(stdin=plain)


def install_app(name, verbose=False, set_as_patched=True, force=False):
    """Installs an app that the bench has: its tables, its rows, its name in the list of installed apps."""
    if name not in frappe.get_all_apps():
        raise Exception("App not in apps.txt")
    if name in frappe.get_installed_apps() and not force:
        click.secho(f"App {name} already installed", fg="yellow")
        return
    print(f"\nInstalling {name}...")
    module = frappe.get_module(f"{name}.install")
    frappe.flags.in_install = name
    standin.point(f"install-app:before:{name}")
    module.make_tables()
    _show_progress(name)
    standin.point(f"install-app:tables:{name}")
    frappe.db.set_global("installed_apps", json.dumps([*frappe.get_installed_apps(), name]))
    frappe.db.commit()
    module.after_install()
    frappe.db.commit()
    frappe.flags.in_install = False
    standin.point(f"install-app:after:{name}")


def _show_progress(app):
    for done in (0, 20, 40):
        bar = "=" * done + " " * (40 - done)
        print(f"\rUpdating DocTypes for {app}".ljust(36) + f": [{bar}] {done * 100 // 40}%", end="")
    print()


def app_lock():
    return filelock("install_app", timeout=1)
