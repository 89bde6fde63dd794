"""DocTypes made in a site: each has a table of its own."""

import re

import frappe
from frappe.model import meta
from frappe.model.document import Document

FIELDNAME = re.compile(r"^[a-z][a-z0-9_]*$")


class DocType(Document):
    def autoname(self):
        if not self.name:
            frappe.throw("Name is required")

    def validate(self):
        for field in self.fields:
            if not field.fieldname:
                field.fieldname = re.sub(r"\W+", "_", (field.label or "").strip().lower())
            if not FIELDNAME.match(field.fieldname or ""):
                frappe.throw(f"Invalid fieldname {field.fieldname}")
            field.label = field.label or field.fieldname.replace("_", " ").title()

    def after_insert(self):
        frappe.local.meta_cache.pop(self.name, None)
        if not self.issingle:
            frappe.db.sql(meta.get_meta(self.name).create_table())

    def on_update(self):
        """Adds the columns of fields that are new."""
        frappe.local.meta_cache.pop(self.name, None)
        definition = meta.get_meta(self.name)
        if self.issingle or not self.custom:
            return
        present = set(frappe.db.get_table_columns(self.name))
        for field in definition.value_fields():
            if field.fieldname not in present:
                kind = meta.COLUMN_TYPES.get(field.fieldtype, meta.VARCHAR)
                frappe.db.sql(f"ALTER TABLE `tab{self.name}` ADD COLUMN `{field.fieldname}` {kind}")

    def on_trash(self):
        if not self.custom:
            frappe.throw("Standard DocType can not be deleted.")
        frappe.db.sql(f"DROP TABLE IF EXISTS `tab{self.name}`")
        frappe.local.meta_cache.pop(self.name, None)
