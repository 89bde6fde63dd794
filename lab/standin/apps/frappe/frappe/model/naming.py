"""How a new document gets its name."""

import frappe


def set_new_name(doc):
    """By `field:` the value of that field, by `hash` or nothing a random one; `prompt` wants it given."""
    rule = doc.meta.autoname
    if doc.meta.issingle:
        doc.name = doc.doctype
    elif rule.startswith("field:"):
        fieldname = rule.partition(":")[2]
        value = doc.get(fieldname)
        if not value:
            frappe.throw(f"{doc.meta.get_label(fieldname)} is required", frappe.ValidationError)
        doc.name = str(value).strip()
    elif rule.lower() == "prompt" and not doc.name:
        frappe.throw("Please set the document name")
    elif not doc.name:
        doc.name = frappe.generate_hash(length=10)
    if len(doc.name) > 140:
        frappe.throw(f"Document Name must be at most 140 characters: {doc.name}", frappe.CharacterLengthExceededError)
