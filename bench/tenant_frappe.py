"""Frappe, as Frappe 15 and 16 both have it. Everything but `load` runs in a child (tenant_child)."""

import contextlib
import importlib
import inspect
import os
import sys


def load():
    """Imports Frappe and bench's commands into this process, for the children to find them there."""
    with contextlib.suppress(OSError):  # usually a volume; where it cannot be made, Frappe says what is wrong
        os.makedirs(os.path.join("..", "logs"), exist_ok=True)
    importlib.import_module("frappe")
    importlib.import_module("frappe.utils.bench_helper")


@contextlib.contextmanager
def site(name):
    """A connection to the site as Administrator. What is not committed is lost."""
    import frappe

    # Also where it fails half-way: what is left of it would be taken for the next site.
    try:
        frappe.init(name)
        frappe.connect()
        yield frappe
    finally:
        frappe.destroy()


def command(words):
    """A bench command, in this process: its arguments, secrets among them, are on no command line."""
    from frappe.utils.bench_helper import main

    hide_passwords()
    sys.argv = ["bench", "frappe", *words]
    main()


def hide_passwords():
    """MariaDB's own client, which Frappe runs for dumps, reads the password from its environment: a command line is for
    every process of the node to read."""
    database = importlib.import_module("frappe.database")
    given = getattr(database, "get_command", None)
    if given is None:
        return
    signature = inspect.signature(given)

    def get_command(*words, **named):
        call = signature.bind(*words, **named)
        if password := call.arguments.pop("password", None):
            os.environ["MYSQL_PWD"] = password
        return given(*call.args, **call.kwargs)

    database.get_command = get_command


def options_of(name):
    """The options that the installed version of a bench command knows. Not asked of the version number:
    point releases have moved options around."""
    module = importlib.import_module("frappe.commands.site")
    found = getattr(module, name.replace("-", "_"))
    return {option for parameter in found.params for option in parameter.opts}


def pick(options, *wanted):
    """The first of the wanted spellings that the command knows."""
    for option in wanted:
        if option in options:
            return option
    raise LookupError(f"none of {', '.join(wanted)} is an option here")


def new_site(name, database, root_user, root_password, admin_password, source=None):
    """`new-site --force`: over a config of ours, with a database user that may come from any host; with what a
    dump holds, where one is given as plain SQL."""
    options = options_of("new-site")
    scope = ["--no-mariadb-socket"]
    if "--mariadb-user-host-login-scope" in options:
        scope = ["--mariadb-user-host-login-scope=%"]
    command([
        "new-site", name, "--force", "--db-name", database, *scope,
        pick(options, "--db-root-username", "--mariadb-root-username"), root_user,
        pick(options, "--db-root-password", "--mariadb-root-password"), root_password,
        "--admin-password", admin_password, *(["--source-sql", source] if source else []),
    ])  # fmt: skip


def drop_site(name, root_user, root_password, moved_to):
    """`drop-site` without a backup of its own; the folder is moved to `moved_to`, on the same volume."""
    options = options_of("drop-site")
    command([
        "drop-site", name, "--no-backup", "--force", "--archived-sites-path", moved_to,
        pick(options, "--db-root-username", "--root-login"), root_user,
        pick(options, "--db-root-password", "--root-password"), root_password,
    ])  # fmt: skip


def apps(name):
    """(apps installed in the site, in order; versions of the apps that the bench has)"""
    with site(name) as frappe:
        installed = list(frappe.get_installed_apps())
        available = frappe.get_all_apps(with_internal_apps=False, sites_path=".")
        return installed, {app: version(app) for app in available}


def versions(names=None):
    """Versions of these apps, or of all that the bench has; without a site."""
    with open("apps.txt", encoding="utf-8") as file:
        available = {"frappe", *(line.strip() for line in file if line.strip())}
    return {app: version(app) for app in sorted(available) if names is None or app in names}


def renew(name, password):
    """In a site made from a template: what one installation has of its own. (its apps, its users)"""
    with site(name) as frappe:
        from frappe.utils.password import update_password

        update_password("Administrator", password)
        users = [user for (user,) in frappe.db.sql("SELECT name FROM tabUser ORDER BY name")]
        # When the site came to be: Frappe takes its age from them.
        now = frappe.utils.now()
        frappe.db.sql("UPDATE tabUser SET creation = %s, modified = %s", (now, now))
        frappe.db.commit()
        # Nothing that was remembered of a database of this name before it was restored.
        with contextlib.suppress(Exception):  # Redis is down: then nothing is remembered
            frappe.clear_cache()
        return list(frappe.get_installed_apps()), users


def version(app):
    try:
        return str(getattr(importlib.import_module(app), "__version__", ""))
    except Exception:  # an app that does not import is reported without a version; installing it will say why
        return ""
