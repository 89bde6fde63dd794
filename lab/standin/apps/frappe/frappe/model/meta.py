"""What a DocType consists of: its fields, its rights, its table."""

import frappe
from frappe.model import standard
from frappe.types import _dict

NO_VALUE = {"Section Break", "Column Break", "Tab Break", "HTML", "Heading", "Button", "Table", "Table MultiSelect"}
TABLES = {"Table", "Table MultiSelect"}
NUMBERS = {"Int": int, "Check": int, "Float": float, "Currency": float, "Percent": float}
COLUMN_TYPES = {
    "Int": "int(11) NOT NULL DEFAULT 0",
    "Check": "int(1) NOT NULL DEFAULT 0",
    "Float": "decimal(21,9) NOT NULL DEFAULT 0",
    "Currency": "decimal(21,9) NOT NULL DEFAULT 0",
    "Percent": "decimal(21,9) NOT NULL DEFAULT 0",
    "Text": "text",
    "Small Text": "text",
    "Long Text": "longtext",
    "Text Editor": "longtext",
    "Code": "longtext",
    "JSON": "json",
    "Password": "text",
    "Date": "date",
    "Datetime": "datetime(6)",
    "Time": "time(6)",
}
VARCHAR = "varchar(140)"
OWN_COLUMNS = ("name", "owner", "creation", "modified", "modified_by", "docstatus", "idx")
CHILD_COLUMNS = ("parent", "parentfield", "parenttype")


class Meta:
    """A DocType's definition with its fields as dicts."""

    def __init__(self, row, fields, permissions):
        self.row = _dict(row)
        self.name = self.row.name
        self.istable, self.issingle = bool(self.row.istable), bool(self.row.issingle)
        self.custom = bool(self.row.custom)
        self.autoname = self.row.autoname or ""
        self.fields = [_dict(field) for field in fields]
        self.permissions = [_dict(permission) for permission in permissions]
        self._by_name = {field.fieldname: field for field in self.fields}

    def get_field(self, fieldname):
        return self._by_name.get(fieldname)

    def has_field(self, fieldname):
        return fieldname in self._by_name

    def get_label(self, fieldname):
        field = self.get_field(fieldname)
        return field.label if field else fieldname

    def get_table_fields(self):
        return [field for field in self.fields if field.fieldtype in TABLES]

    def get_password_fields(self):
        return [field for field in self.fields if field.fieldtype == "Password"]

    def value_fields(self):
        return [field for field in self.fields if field.fieldtype not in NO_VALUE]

    def columns(self):
        own = OWN_COLUMNS + (CHILD_COLUMNS if self.istable else ())
        return [*own, *(field.fieldname for field in self.value_fields())]

    def cast(self, fieldname, value):
        """A value as the field's type has it; an empty number reads as 0."""
        field = self.get_field(fieldname)
        number = NUMBERS.get(field.fieldtype) if field else None
        if number is None:
            return value
        try:
            return number(float(value or 0))
        except ValueError:
            return number(0)

    def create_table(self):
        """The statement that makes the table of this DocType."""
        columns = [
            "`name` varchar(140) NOT NULL PRIMARY KEY",
            "`creation` datetime(6)",
            "`modified` datetime(6)",
            "`modified_by` varchar(140)",
            "`owner` varchar(140)",
            "`docstatus` int(1) NOT NULL DEFAULT 0",
            "`idx` int(8) NOT NULL DEFAULT 0",
        ]
        if self.istable:
            columns += [f"`{name}` varchar(140)" for name in CHILD_COLUMNS] + ["KEY `parent` (`parent`)"]
        for field in self.value_fields():
            columns.append(f"`{field.fieldname}` {COLUMN_TYPES.get(field.fieldtype, VARCHAR)}")
            if field.unique:
                columns.append(f"UNIQUE KEY `{field.fieldname}` (`{field.fieldname}`)")
        body = ",\n  ".join(columns)
        return f"CREATE TABLE `tab{self.name}` (\n  {body}\n) ENGINE=InnoDB ROW_FORMAT=DYNAMIC CHARACTER SET=utf8mb4"


def get_meta(doctype):
    """From what the framework and its apps bring, else from the site's own custom DocTypes."""
    cache = frappe.local.meta_cache
    if doctype not in cache:
        cache[doctype] = _standard(doctype) or _custom(doctype)
    return cache[doctype]


def _standard(doctype):
    """None for what belongs to an app that this site has not installed."""
    definition = standard.definitions().get(doctype)
    if definition is None:
        return None
    if definition.app != "frappe" and not frappe.db.get_value("DocType", doctype):
        return None
    return Meta(definition.row, definition.fields, definition.permissions)


def _custom(doctype):
    rows = frappe.db.sql("SELECT * FROM `tabDocType` WHERE name=%s", (doctype,), as_dict=True)
    if not rows:
        frappe.throw(f"DocType {doctype} not found", frappe.DoesNotExistError)
    statement = "SELECT * FROM `tab{}` WHERE parent=%s ORDER BY idx"
    fields = frappe.db.sql(statement.format("DocField"), (doctype,), as_dict=True)
    permissions = frappe.db.sql(statement.format("DocPerm"), (doctype,), as_dict=True)
    return Meta(rows[0], fields, permissions)
