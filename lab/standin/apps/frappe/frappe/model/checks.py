"""What a document must satisfy before it is written."""

import re

import frappe

EMAIL = re.compile(r"^[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s.<>,;]+$|^[^@\s]+@localhost$")
VARCHAR_TYPES = {"Data", "Link", "Select", "Dynamic Link", "Read Only", "Phone", "Autocomplete"}


def check(doc):
    """All checks on the document and its child rows, in Frappe's order."""
    for one in (doc, *doc.get_all_children()):
        mandatory(one)
    for one in (doc, *doc.get_all_children()):
        lengths(one)
        selects(one)
        data_formats(one)
        if not doc.flags.ignore_links:
            links(one)


def mandatory(doc):
    if doc.flags.ignore_mandatory:
        return
    missing = [f.fieldname for f in doc.meta.fields if f.reqd and doc.get(f.fieldname) in (None, "", [])]
    if missing:
        names = ", ".join(missing)
        frappe.msgprint("Error: Value missing for " + f"{doc.doctype}: " + names, indicator="red")
        raise frappe.MandatoryError(f"[{doc.doctype}, {doc.name}]: {names}")


def lengths(doc):
    for field in doc.meta.value_fields():
        value = doc.get(field.fieldname)
        limit = int(field.length or 0) or 140
        if field.fieldtype in VARCHAR_TYPES and isinstance(value, str) and len(value) > limit:
            frappe.throw(
                f"{doc.doctype} {doc.name}: '{field.label}' ({field.fieldname}) will get truncated,"
                f" as max characters allowed is {limit}",
                frappe.CharacterLengthExceededError,
                title="Value too big",
            )


def selects(doc):
    for field in doc.meta.value_fields():
        value = doc.get(field.fieldname)
        if field.fieldtype != "Select" or not field.options or value in (None, ""):
            continue
        options = [option.strip() for option in field.options.split("\n")]
        if value not in options:
            allowed = '", "'.join(option for option in options if option)
            frappe.throw(f'{field.label} cannot be "{value}". It should be one of "{allowed}"')


def data_formats(doc):
    for field in doc.meta.value_fields():
        value = doc.get(field.fieldname)
        if field.fieldtype == "Data" and field.options == "Email" and value and doc.name not in frappe.STANDARD_USERS:
            if not EMAIL.match(value):
                frappe.throw(f"{value} is not a valid Email Address", frappe.InvalidEmailAddressError)


def links(doc):
    """Only links to what the site holds as rows are looked up."""
    for field in doc.meta.value_fields():
        value = doc.get(field.fieldname)
        if field.fieldtype != "Link" or not value or field.options == "Module Def":
            continue
        if not frappe.db.get_value(field.options, value):
            frappe.throw(f"Could not find {field.label}: {value}", frappe.LinkValidationError)
