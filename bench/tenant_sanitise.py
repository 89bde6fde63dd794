"""What a template must not hold: secrets, users beyond Frappe's own, sessions, logs, identities of one installation.

A fresh installation holds little of it. It is taken out, and then it is proven that nothing is left; an
app whose installation leaves more than this knows of has no template, and its sites are installed.
"""

import os
import re

from tenant_database import quoted
from tenant_failure import Failure
from tenant_site import MARKER, STATE
from tenant_template import USERS

# Emptied where they are: what happened in one site, and what lets somebody in. Every Password field lies in __Auth.
EMPTIED = (
    "__Auth", "tabSessions", "tabOAuth Bearer Token", "tabOAuth Authorization Code", "tabToken Cache",
    "tabError Log", "tabError Snapshot", "tabActivity Log", "tabAccess Log", "tabView Log", "tabRoute History", "tabAPI Request Log",
    "tabScheduled Job Log", "tabIntegration Request", "tabWebhook Request Log", "tabConsole Log", "tabNotification Log",
    "tabEmail Queue", "tabEmail Queue Recipient", "tabDeleted Document", "tabPrepared Report", "tabSubmission Queue",
)  # fmt: skip
# What lets other programs in, with secrets of its own. An app that needs some at once can have no template.
REFUSED = ("tabOAuth Client", "tabConnected App")
# Of the users that stay.
PERSONAL = ("last_login", "last_ip", "last_active", "last_known_versions", "reset_password_key", "api_key", "api_secret")
# By which an installation is told from others, in whatever table of single values. What is missing is made anew when it is asked for.
_IDENTITY = re.compile(r"(\A|_)(installation|instance|telemetry|site)_?(uu|unique_?)?id\Z", re.I)
_SECRET = re.compile(r"password|secret|token|credential|private|_key\Z|\Akey\Z", re.I)
# What a site's config has without any app.
_CONFIG = {"db_name", "db_user", "db_password", "db_type", "db_host", "db_port", "db_socket", "encryption_key", MARKER, STATE}
_CONFIG |= {"maintenance_mode", "pause_scheduler"}


def clean(run):
    """Takes out of the site's database what no template may hold, and proves it."""
    name, there = run.site.database_name, tables(run)
    for table in there.intersection(EMPTIED):
        run.database.rows(f"DELETE FROM {quoted(name)}.{quoted(table)}")
    for column in columns(run, "tabUser").intersection(PERSONAL):
        run.database.rows(f"UPDATE {quoted(name)}.tabUser SET {quoted(column)} = NULL")
    for table, column in (("tabSingles", "field"), ("tabDefaultValue", "defkey")):
        for (key,) in run.database.rows(f"SELECT DISTINCT {quoted(column)} FROM {quoted(name)}.{quoted(table)}"):
            if key and _IDENTITY.search(key):
                run.database.rows(f"DELETE FROM {quoted(name)}.{quoted(table)} WHERE {quoted(column)} = %s", key)
    prove(run)


def prove(run):
    name = run.site.database_name
    users = {user for (user,) in run.database.rows(f"SELECT name FROM {quoted(name)}.tabUser")}
    if users != set(USERS):
        strangers = ", ".join(sorted(users.symmetric_difference(USERS)))
        raise unclean(f"its users are not just Frappe's own ({strangers})")
    there = tables(run)
    for table in there.intersection(REFUSED):
        if run.database.rows(f"SELECT 1 FROM {quoted(name)}.{quoted(table)} LIMIT 1"):
            raise unclean(f"its apps leave something in {table.removeprefix('tab')}")
    for table in there.intersection(EMPTIED):
        if run.database.rows(f"SELECT 1 FROM {quoted(name)}.{quoted(table)} LIMIT 1"):
            raise Failure("TemplateFailed", f"Somebody writes to {run.site.name} while a template is made from it ({table}); it is tried again.")
    left = [where for where in ("public/files", "private/files") if any_file(os.path.join(run.site.folder, where))]
    if left:
        raise unclean(f"its apps put files into {left[0]}")


def config_of(run):
    """What its apps wrote into the site's config while they were installed: each site from the template gets it, too."""
    added = {key: value for key, value in run.site.config().items() if key not in _CONFIG}
    secret = [key for key in added if _SECRET.search(key)]
    if secret:
        raise unclean(f"its apps put {secret[0]} into the site's config")
    return added


def count_tables(run):
    query = "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_TYPE = 'BASE TABLE'"
    return run.database.rows(query, run.site.database_name)[0][0]


def tables(run):
    query = "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_TYPE = 'BASE TABLE'"
    return {name for (name,) in run.database.rows(query, run.site.database_name)}


def columns(run, table):
    query = "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s"
    return {name for (name,) in run.database.rows(query, run.site.database_name, table)}


def any_file(folder):
    return any(names for _, _, names in os.walk(folder))


def unclean(what):
    return Failure("TemplateNotClean", f"A freshly installed site makes no template, since {what}; tenants with these apps are installed.")
