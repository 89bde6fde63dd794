"""Refuses every Authorization that is not Bearer."""

import frappe


def validate():
    scheme = frappe.get_request_header("Authorization", "").partition(" ")[0].lower()
    if scheme and scheme != "bearer":
        frappe.throw("Only bearer tokens are accepted", frappe.AuthenticationError)
