"""A stand-in for the Frappe framework: it behaves like a bench for those who run one, and is not Frappe.

Sites are real (own database, own configuration); what they hold is the little that tests of an operator touch.
"""

import importlib
import json
import os

from frappe import standin
from frappe.exceptions import *  # noqa: F403 (frappe.ValidationError and the others are frappe's own names)
from frappe.exceptions import DoesNotExistError, PermissionError, ValidationError
from frappe.types import Local, _dict  # noqa: F401

__version__ = standin.version()
__branch__ = "develop" if standin.is_16() else "version-15"
__title__ = "Frappe Framework (stand-in)"

local = Local()
db = local("db")
conf = local("conf")
session = local("session")
flags = local("flags")
request = local("request")
form_dict = local("form_dict")
response = local("response")
message_log = local("message_log")
lang = local("lang")

# These need `local`, as everything below does; their names are frappe's own.
from frappe.shortcuts import as_json, generate_hash, get_traceback, log_error, logger, parse_json  # noqa: E402, F401
from frappe.utils import redis_wrapper  # noqa: E402
from frappe.whitelisting import is_whitelisted, whitelist  # noqa: E402, F401

cache = redis_wrapper.Cache()
STANDARD_USERS = ("Guest", "Administrator")


def init(site, sites_path=".", new_site=False, force=False):
    """Makes `site` the one that this thread works on; does not connect to its database."""
    from frappe.config import get_site_config

    if getattr(local, "initialised", False) and not force:
        return
    local.site = site
    local.sites_path = sites_path
    local.site_path = os.path.join(sites_path, site) if site else None
    local.flags = _dict(new_site=new_site, in_install=False, in_migrate=False)
    local.session = _dict(user="Guest", data=_dict())
    local.form_dict = _dict()
    local.response = _dict(docs=[])
    local.lang = "en"
    local.db = None
    local.meta_cache = {}
    local.conf = get_site_config(sites_path, local.site_path, cached=hasattr(local, "request"))
    local.message_log = []
    local.initialised = True


def connect(site=None, db_name=None, set_admin_as_user=True):
    """Prepares the connection, which the first statement opens."""
    from frappe.database import get_db

    if site:
        init(site)
    local.db = get_db(db_name)
    if set_admin_as_user:
        set_user("Administrator")


def destroy():
    """Closes the connection and forgets the site."""
    if getattr(local, "db", None):
        local.db.close()
    local.clear()


def set_user(username):
    local.session.user = username
    local.session.sid = username
    local.session.data = _dict()
    local.roles = {}


def get_site_config(sites_path=None, site_path=None):
    from frappe.config import get_site_config as read

    return read(sites_path, site_path)


def get_conf(site=None):
    if getattr(local, "conf", None) is not None and site in (None, local.site):
        return local.conf
    init(site)
    return local.conf


def get_site_path(*joins):
    return os.path.join(local.site_path, *joins)


def _(message, *_context, **_options):
    return message


def throw(msg, exc=ValidationError, title=None, **_options):
    """Fails with `exc`; the text also goes to the caller as a server message."""
    msgprint(msg, raise_exception=exc, title=title, indicator="red")


def msgprint(msg, title=None, raise_exception=None, indicator=None, **_options):
    entry = {"message": msg, "title": title or "Message"}
    if indicator:
        entry["indicator"] = indicator
    if raise_exception:
        entry["raise_exception"] = 1
    local.message_log.append(json.dumps(entry))
    if raise_exception:
        raise raise_exception(msg)


def get_attr(method_string):
    """The object at a dotted path."""
    module, _dot, name = method_string.rpartition(".")
    if not module:
        raise ValidationError(f"Invalid method path: {method_string}")
    return getattr(get_module(module), name)


def get_module(name):
    return importlib.import_module(name)


def get_all_apps(with_internal_apps=True, sites_path=None):
    """The apps of the bench, from apps.txt."""
    path = os.path.join(sites_path or local.sites_path, "apps.txt")
    apps = []
    if os.path.exists(path):
        with open(path) as file:
            apps = [line.strip() for line in file if line.strip()]
    if "frappe" not in apps:
        apps.insert(0, "frappe")
    return apps


def get_installed_apps(*, _ensure_on_bench=False, **_sorting):
    """The apps of this site, as its database says."""
    if getattr(local, "flags", None) and local.flags.in_install_db:
        return []
    if not db:
        connect()
    installed = json.loads(db.get_global("installed_apps") or "[]")
    return [app for app in installed if app in get_all_apps()] if _ensure_on_bench else installed


def get_hooks(hook=None, default=None, app_name=None):
    """What the installed apps hang into the framework; each value is a list."""
    hooks = _dict()
    for app in [app_name] if app_name else get_installed_apps():
        for key, value in vars(get_module(f"{app}.hooks")).items():
            if not key.startswith("_"):
                hooks.setdefault(key, []).extend(value if isinstance(value, list) else [value])
    return hooks if hook is None else hooks.get(hook, default if default is not None else [])


if standin.wizard_is_per_app():

    def is_setup_complete():
        """Older releases do not have this function, and keep one flag in System Settings."""
        from frappe.desk.page.setup_wizard.state import is_setup_complete as complete

        return complete()


def get_system_settings(key):
    return db.get_single_value("System Settings", key)


def get_doc(*args, **kwargs):
    """get_doc(dict) makes a document; get_doc(doctype, name) reads one; get_doc(doctype) reads a Single."""
    from frappe.model.document import get_doc as get

    return get(*args, **kwargs)


def new_doc(doctype, **values):
    return get_doc({"doctype": doctype, **values})


def get_cached_doc(doctype, name=None):
    return get_doc(doctype, name) if name else get_doc(doctype)


def get_single(doctype):
    return get_doc(doctype, doctype)


def delete_doc(doctype=None, name=None, force=0, ignore_permissions=False, ignore_missing=True, **_options):
    from frappe.model.document import delete_doc as delete

    return delete(doctype, name, force, ignore_permissions, ignore_missing)


def delete_doc_if_exists(doctype, name, force=0):
    if db.exists(doctype, name):
        delete_doc(doctype, name, force=force)


def get_meta(doctype, cached=True):
    from frappe.model.meta import get_meta as get

    return get(doctype)


def get_list(doctype, *args, **kwargs):
    """As get_all, with the user's permissions."""
    has_permission(doctype, "read", throw=True)
    return get_all(doctype, *args, **kwargs)


def get_all(doctype, fields=None, filters=None, order_by=None, **kwargs):
    from frappe.database.query import select

    return select(doctype, fields=fields, filters=filters, order_by=order_by, **kwargs)


def get_value(*args, **kwargs):
    return db.get_value(*args, **kwargs)


def get_roles(username=None):
    from frappe.permissions import get_roles as roles

    return roles(username)


def has_permission(doctype, ptype="read", doc=None, user=None, throw=False):
    from frappe.permissions import has_permission as allowed

    granted = allowed(doctype, ptype, user)
    if throw and not granted:
        message = (
            f"User <b>{user or session.user}</b> does not have doctype access via role permission for document <b>{doctype}</b>"
        )
        msgprint(message, raise_exception=PermissionError, indicator="red")
    return granted


def get_request_header(key, default=None):
    return local.request.headers.get(key, default)


def clear_cache(user=None, doctype=None):
    local.meta_cache = {}


def enqueue(method, queue="default", **kwargs):
    from frappe.utils.background_jobs import enqueue as add

    return add(method, queue=queue, **kwargs)


@whitelist(allow_guest=True)
def ping():
    return "pong"


def not_found(doctype, name):
    """The error of a document that is not there."""
    throw(f"{doctype} {name} not found", DoesNotExistError)
