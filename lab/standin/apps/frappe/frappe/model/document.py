"""Documents: read, checked, written, with their child rows and passwords."""

import frappe
from frappe.model import checks, naming
from frappe.model.meta import NUMBERS, TABLES, get_meta
from frappe.types import _dict
from frappe.utils.password import get_decrypted_password, remove_passwords, set_encrypted_password

CONTROLLERS = {
    "User": "frappe.core.doctype.user.user.User",
    "DocType": "frappe.core.doctype.doctype.doctype.DocType",
    "System Settings": "frappe.core.doctype.system_settings.system_settings.SystemSettings",
    "Installed Applications": "frappe.core.doctype.installed_applications.installed_applications.InstalledApplications",
    "File": "frappe.core.doctype.file.file.File",
}


class Document:
    """One document. Its values are attributes; `flags` change how it is written."""

    def __init__(self, values):
        self.flags = _dict()
        self.doctype = values["doctype"]
        self.meta = get_meta(self.doctype)
        self.name = values.get("name")
        self._new = True
        self.update(values)

    def __getattr__(self, name):
        # Only asked for what is not set: a field of the DocType then reads as empty.
        if not name.startswith("_") and name != "meta" and self.meta.has_field(name):
            return [] if self.meta.get_field(name).fieldtype in TABLES else None
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    # Values

    def get(self, key, default=None):
        return getattr(self, key, default)

    def set(self, key, value):
        field = self.meta.get_field(key)
        if field and field.fieldtype in TABLES:
            setattr(self, key, [])
            for row in value or []:
                self.append(key, row)
        else:
            setattr(self, key, value)

    def update(self, values):
        known = set(self.meta.columns()) | {field.fieldname for field in self.meta.fields}
        for key, value in values.items():
            if key in known:  # a field that the DocType does not have is dropped without a word
                self.set(key, value)
        return self

    def append(self, key, value=None):
        rows = self.__dict__.setdefault(key, [])
        value = value.as_dict() if isinstance(value, Document) else dict(value or {})
        row = get_doc({**value, "doctype": self.meta.get_field(key).options})
        row.parentfield, row.parenttype, row.parent, row.idx = key, self.doctype, self.name, len(rows) + 1
        rows.append(row)
        return row

    def remove(self, row):
        self.get(row.parentfield).remove(row)

    def get_all_children(self):
        return [row for field in self.meta.get_table_fields() for row in self.get(field.fieldname)]

    def is_new(self):
        return self._new

    def as_dict(self, no_nulls=False):
        values = _dict(name=self.name)
        for key in self.meta.columns():
            values[key] = self.get(key)
        values.doctype = self.doctype
        for field in self.meta.get_table_fields():
            values[field.fieldname] = [row.as_dict(no_nulls) for row in self.get(field.fieldname)]
        return _dict((key, value) for key, value in values.items() if value is not None or not no_nulls)

    def get_password(self, fieldname="password", raise_exception=True):
        return get_decrypted_password(self.doctype, self.name, fieldname, raise_exception)

    # Writing

    def insert(self, ignore_permissions=None, ignore_links=None, ignore_if_duplicate=False, ignore_mandatory=None, **_options):
        self._set_flags(ignore_permissions, ignore_links, ignore_mandatory)
        self.check_permission("create")
        self._set_defaults()
        self.run_method("before_insert")
        self.run_method("autoname")
        naming.set_new_name(self)
        self._stamp(new=True)
        self._validate()
        try:
            self._write_new()
        except frappe.db.IntegrityError as error:
            if ignore_if_duplicate and frappe.db.is_duplicate_entry(error):
                return self
            self._refuse_duplicate(error)
        self._new = False
        self.run_method("after_insert")
        self.run_method("on_update")
        return self

    def save(self, ignore_permissions=None, ignore_version=None):
        if self._new and not self.meta.issingle:
            return self.insert(ignore_permissions)
        self._set_flags(ignore_permissions, None, None)
        self.check_permission("write")
        self._check_if_latest()
        self._stamp(new=False)
        self._validate()
        try:
            self._write_changed()
        except frappe.db.IntegrityError as error:
            self._refuse_duplicate(error)
        self.run_method("on_update")
        return self

    def delete(self, ignore_permissions=False, force=False, **_options):
        delete_doc(self.doctype, self.name, force, ignore_permissions or self.flags.ignore_permissions)

    def db_set(self, fieldname, value=None, update_modified=True, notify=False, commit=False):
        values = fieldname if isinstance(fieldname, dict) else {fieldname: value}
        frappe.db.set_value(self.doctype, self.name, values, update_modified=update_modified)
        self.update(values)
        if commit:
            frappe.db.commit()

    def reload(self):
        self.__dict__.update(get_doc(self.doctype, self.name).__dict__)
        return self

    def run_method(self, method, *args, **kwargs):
        function = getattr(type(self), method, None)
        return function(self, *args, **kwargs) if function else None

    def check_permission(self, ptype="read"):
        if not self.flags.ignore_permissions:
            frappe.has_permission(self.doctype, ptype, throw=True)

    def _set_flags(self, permissions, links, mandatory):
        for name, value in (("permissions", permissions), ("links", links), ("mandatory", mandatory)):
            if value is not None:
                self.flags[f"ignore_{name}"] = value

    def _set_defaults(self):
        for one in (self, *self.get_all_children()):
            for field in one.meta.value_fields():
                if one.get(field.fieldname) in (None, "") and field.default is not None:
                    one.set(field.fieldname, one.meta.cast(field.fieldname, field.default))
                elif one.get(field.fieldname) is None and field.fieldtype == "Select" and field.reqd and field.options:
                    one.set(field.fieldname, field.options.split("\n")[0])

    def _validate(self):
        if not self.flags.ignore_validate:
            self.run_method("validate")
            self._stamp(new=False)  # the child rows that it added
        checks.check(self)
        for one in (self, *self.get_all_children()):
            for field in one.meta.value_fields():
                if field.fieldtype in NUMBERS:
                    one.set(field.fieldname, one.meta.cast(field.fieldname, one.get(field.fieldname)))

    def _stamp(self, new):
        now, user = frappe.utils.now_datetime(), frappe.session.user
        for one in (self, *self.get_all_children()):
            if new or one.get("creation", None) is None:
                one.creation, one.owner = now, user
                one.docstatus, one.idx = int(one.get("docstatus") or 0), int(one.get("idx") or 0)
            one.modified, one.modified_by = now, user

    def _check_if_latest(self):
        """Refuses to overwrite what somebody else wrote since this was read."""
        if self.meta.issingle or not self.get("modified"):
            return
        stored = frappe.db.get_value(self.doctype, self.name, "modified", for_update=True)
        if stored is None:
            frappe.not_found(self.doctype, self.name)
        if str(stored) != str(self.modified):
            frappe.throw(
                f"Error: Document has been modified after you have opened it ({self.modified}, {stored})."
                " Please refresh to get the latest document.",
                frappe.TimestampMismatchError,
            )

    def _row(self):
        return {key: self.get(key) for key in self.meta.columns() if key != "doctype"}

    def _write_new(self):
        if self.meta.issingle:
            self._write_changed()
            return
        self._save_passwords()
        frappe.db.insert_row(f"tab{self.doctype}", self._row())
        self._write_children()

    def _write_changed(self):
        self._save_passwords()
        if self.meta.issingle:
            for field in self.meta.value_fields():
                frappe.db.set_single_value(self.doctype, field.fieldname, self.get(field.fieldname))
        else:
            row = self._row()
            name = row.pop("name")
            frappe.db.set_value(self.doctype, name, row, update_modified=False)
        self._write_children()

    def _write_children(self):
        for field in self.meta.get_table_fields():
            owned = {"parent": self.name, "parenttype": self.doctype, "parentfield": field.fieldname}
            frappe.db.delete(field.options, owned)
            for index, row in enumerate(self.get(field.fieldname), 1):
                row.name, row.idx, row.parent = row.name or frappe.generate_hash(length=10), index, self.name
                frappe.db.insert_row(f"tab{row.doctype}", row._row())

    def _save_passwords(self):
        """The secret goes to `__Auth`, encrypted; the row keeps as many stars."""
        for field in self.meta.get_password_fields():
            value = self.get(field.fieldname)
            if not value:
                if not self._new:
                    remove_passwords(self.doctype, self.name, field.fieldname)
            elif value.strip("*"):
                set_encrypted_password(self.doctype, self.name, value, field.fieldname)
                self.set(field.fieldname, "*" * len(value))

    def _refuse_duplicate(self, error):
        if not frappe.db.is_duplicate_entry(error):
            raise error
        if "PRIMARY" in str(error.args[1]):
            frappe.msgprint(f"{self.doctype} <strong>{self.name}</strong> already exists", indicator="red")
            raise frappe.DuplicateEntryError(self.doctype, self.name, error) from error
        fieldname = str(error.args[1]).rpartition("key ")[2].strip("'`")
        frappe.throw(f"{self.meta.get_label(fieldname)} must be unique", frappe.UniqueValidationError)


def get_doc(*args, **kwargs):
    """A new document from a dict, or a stored one by DocType and name."""
    first = args[0] if args else kwargs
    if isinstance(first, Document):
        return first
    if isinstance(first, dict):
        return _class_of(first["doctype"])(first)
    return _load(first, args[1] if len(args) > 1 else first)


def _class_of(doctype):
    path = CONTROLLERS.get(doctype)
    return frappe.get_attr(path) if path else Document


def _load(doctype, name):
    meta = get_meta(doctype)
    if isinstance(name, dict):
        name = frappe.db.get_value(doctype, name)
    if meta.issingle:
        values = frappe.db.get_singles_dict(doctype, cast=True)
    else:
        rows = frappe.db.sql(f"SELECT * FROM `tab{doctype}` WHERE name=%s", (name,), as_dict=True)
        if not rows:
            frappe.not_found(doctype, name)
        values = rows[0]
    doc = _class_of(doctype)({**values, "doctype": doctype, "name": doctype if meta.issingle else values["name"]})
    doc._new = False
    for field in meta.get_table_fields():
        statement = f"SELECT * FROM `tab{field.options}` WHERE parent=%s AND parenttype=%s AND parentfield=%s ORDER BY idx"
        doc.set(field.fieldname, frappe.db.sql(statement, (doc.name, doctype, field.fieldname), as_dict=True))
    return doc


def delete_doc(doctype, name, force=0, ignore_permissions=False, ignore_missing=True):
    """Removes the row, its child rows and its passwords."""
    meta = get_meta(doctype)
    if not frappe.db.get_value(doctype, name):
        if not ignore_missing:
            frappe.not_found(doctype, name)
        return False
    doc = get_doc(doctype, name)
    doc.flags.ignore_permissions = ignore_permissions
    doc.check_permission("delete")
    doc.run_method("on_trash")
    for field in meta.get_table_fields():
        frappe.db.delete(field.options, {"parent": name, "parenttype": doctype})
    remove_passwords(doctype, name)
    frappe.db.delete(doctype, {"name": name})
    return True
