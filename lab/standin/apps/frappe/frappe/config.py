"""Site configuration: common_site_config.json below site_config.json, and the minute that 16 remembers it."""

import json
import os
import threading
import time

import frappe
from frappe import standin
from frappe.types import _dict

CACHE_SECONDS = float(os.environ.get("STANDIN_CONFIG_SECONDS", "60"))  # as long as in Frappe; tests of a minute are slow
FROM_ENVIRONMENT = {
    "FRAPPE_DB_HOST": "db_host",
    "FRAPPE_DB_PORT": "db_port",
    "FRAPPE_DB_TYPE": "db_type",
    "FRAPPE_REDIS_CACHE": "redis_cache",
    "FRAPPE_REDIS_QUEUE": "redis_queue",
}
FROM_ENVIRONMENT_16 = {"FRAPPE_DB_PASSWORD": "db_password", "FRAPPE_DB_USER": "db_user", "FRAPPE_DB_NAME": "db_name"}

_remembered = {}
_lock = threading.Lock()


def get_site_config(sites_path=None, site_path=None, *, cached=False):
    """The merged configuration. `cached`, in 16 only, may be up to a minute old in this process."""
    sites_path = sites_path or getattr(frappe.local, "sites_path", ".")
    site_path = site_path or getattr(frappe.local, "site_path", None)
    if not (cached and standin.is_16()):
        return _read(sites_path, site_path)
    with _lock:
        known = _remembered.get(site_path)
        if known is None or known[0] < time.monotonic():
            known = (time.monotonic() + CACHE_SECONDS, _read(sites_path, site_path))
            _remembered[site_path] = known
        return known[1].copy()


def remember(key, value):
    """What this process just wrote is what it goes on with; other workers keep what they remember."""
    conf = getattr(frappe.local, "conf", None)
    if conf is not None:
        if value is None:
            conf.pop(key, None)
        else:
            conf[key] = value
    with _lock:
        _remembered.pop(getattr(frappe.local, "site_path", None), None)


def get_common_site_config(sites_path=None):
    return _load(os.path.join(sites_path or getattr(frappe.local, "sites_path", "."), "common_site_config.json"))


def _read(sites_path, site_path):
    config = get_common_site_config(sites_path)
    if site_path:
        file = os.path.join(site_path, "site_config.json")
        if os.path.exists(file):
            config.update(_load(file))
        elif frappe.local.site and not frappe.local.flags.new_site:
            raise frappe.IncorrectSitePath(f"{frappe.local.site} does not exist")
    names = dict(FROM_ENVIRONMENT, **(FROM_ENVIRONMENT_16 if standin.is_16() else {}))
    for variable, key in names.items():
        if os.environ.get(variable):
            config[key] = os.environ[variable]
    if config.db_name:
        config.setdefault("db_user", config.db_name)
    config.setdefault("db_type", "mariadb")
    config.setdefault("db_host", "127.0.0.1")
    config.setdefault("db_port", 3306)
    return config


def _load(path):
    if not os.path.exists(path):
        return _dict()
    with open(path) as file:
        try:
            return _dict(json.load(file))
        except ValueError as error:
            print(f"{path} is invalid")
            raise error
