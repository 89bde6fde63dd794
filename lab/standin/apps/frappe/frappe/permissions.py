"""Who may do what: by the roles of the user and the rights of the DocType."""

import frappe


def get_roles(user=None):
    """The roles of a user; everybody has All, and who is logged in is no Guest."""
    user = user or frappe.session.user
    known = frappe.local.__dict__.setdefault("roles", {})
    if user not in known:
        own = frappe.db.sql("SELECT role FROM `tabHas Role` WHERE parent=%s AND parenttype='User'", (user,), pluck=True)
        known[user] = ["Guest"] if user == "Guest" else [*own, "All", "Guest"]
    return known[user]


def has_permission(doctype, ptype="read", user=None):
    user = user or frappe.session.user
    if user == "Administrator":
        return True
    roles = get_roles(user)
    return any(right.role in roles and right.get(ptype) for right in frappe.get_meta(doctype).permissions)
