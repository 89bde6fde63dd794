"""Small functions that callers know as frappe.<name>."""

import json
import logging
import secrets
import traceback

import frappe


def generate_hash(txt=None, length=56):
    return secrets.token_hex(length)[:length]


def as_json(obj, indent=1):
    from frappe.utils.response import json_default

    return json.dumps(obj, indent=indent, sort_keys=True, default=json_default, separators=(",", ": "))


def parse_json(value):
    return json.loads(value) if isinstance(value, str) else value


def get_traceback(*_args, **_options):
    return traceback.format_exc()


def log_error(title=None, message=None, **_options):
    """Writes an Error Log, which needs a site that has that DocType."""
    log = frappe.get_doc({"doctype": "Error Log", "method": str(title)[:140], "error": message or get_traceback()})
    return log.insert(ignore_permissions=True)


def logger(module=None, **_options):
    return logging.getLogger(module or "frappe")
