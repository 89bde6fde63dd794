"""Which functions may be called over HTTP, by whom and how."""

import frappe
from frappe.exceptions import PermissionError
from frappe.types import _dict

_whitelisted = {}


def whitelist(allow_guest=False, methods=None, **_options):
    """Marks a function as one that may be called over HTTP."""

    def mark(function):
        _whitelisted[function] = _dict(allow_guest=allow_guest, methods=methods or ["GET", "POST", "PUT", "DELETE"])
        return function

    return mark


def is_whitelisted(function):
    """Refuses what was not marked, and what a guest may not call."""
    rule = _whitelisted.get(function)
    if rule is None or (frappe.session.user == "Guest" and not rule.allow_guest):
        name = f"{function.__module__}.{function.__qualname__}"
        frappe.throw(f"Function <strong>{name}</strong> is not whitelisted.", PermissionError, title="Method Not Allowed")
    return rule
