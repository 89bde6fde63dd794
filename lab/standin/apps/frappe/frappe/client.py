"""The functions that clients call by name: frappe.client.*"""

import frappe


@frappe.whitelist()
def get_list(doctype, fields=None, filters=None, order_by=None, limit_start=0, limit_page_length=20, **_options):
    """Twenty rows with their names, unless told otherwise; a page length of 0 means all."""
    length = frappe.utils.cint(limit_page_length, 20)
    return frappe.get_list(
        doctype, fields=fields, filters=filters, order_by=order_by, limit_start=limit_start, limit_page_length=length
    )


@frappe.whitelist()
def get_count(doctype, filters=None, **_options):
    frappe.has_permission(doctype, "read", throw=True)
    return frappe.db.count(doctype, frappe.parse_json(filters) if filters else None)


@frappe.whitelist()
def get(doctype, name=None, filters=None):
    doc = frappe.get_doc(doctype, frappe.parse_json(filters) if filters else name or doctype)
    doc.check_permission("read")
    return doc.as_dict()


@frappe.whitelist()
def get_value(doctype, fieldname, filters=None, as_dict=True, **_options):
    frappe.has_permission(doctype, "read", throw=True)
    fields = frappe.parse_json(fieldname) if fieldname.startswith("[") else fieldname
    return frappe.db.get_value(doctype, filters, fields, as_dict=bool(as_dict)) or {}


@frappe.whitelist()
def get_password(doctype, name, fieldname):
    """The secret in clear, to a System Manager only."""
    if "System Manager" not in frappe.get_roles() and frappe.session.user != "Administrator":
        frappe.throw("Not permitted", frappe.PermissionError)
    frappe.has_permission(doctype, "read", throw=True)
    return frappe.get_doc(doctype, name).get_password(fieldname)


@frappe.whitelist(methods=["POST", "PUT"])
def set_value(doctype, name, fieldname, value=None):
    values = frappe.parse_json(fieldname) if str(fieldname).startswith("{") else fieldname
    doc = frappe.get_doc(doctype, name)
    doc.update(values if isinstance(values, dict) else {fieldname: value})
    return doc.save().as_dict()


@frappe.whitelist(methods=["POST", "PUT"])
def insert(doc=None):
    return frappe.get_doc(frappe.parse_json(doc)).insert().as_dict()


@frappe.whitelist(methods=["POST", "PUT"])
def save(doc):
    values = frappe.parse_json(doc)
    stored = frappe.get_doc(values["doctype"], values["name"])
    stored.update(values)
    return stored.save().as_dict()


@frappe.whitelist(methods=["DELETE", "POST"])
def delete(doctype, name):
    frappe.delete_doc(doctype, name, ignore_missing=False)
