"""The DocTypes of Frappe HR that the stand-in has."""

from frappe.model.standard import doctype

DOCTYPES = [
    doctype("Leave Type", "HR", "leave_type_name Data reqd unique\nmax_leaves_allowed Float", autoname="field:leave_type_name")
]
