"""REST: /api/resource and /api/method, and the same below /api/v1 and /api/v2."""

import json

import frappe
from frappe import client, handler, standin
from frappe.types import _dict
from frappe.utils import cint
from frappe.utils.response import build_response

PAGE = 20


def handle(path):
    """Answers a path below /api/."""
    words = [word for word in path.split("/")[2:] if word]
    version = words.pop(0) if words[:1] in (["v1"], ["v2"]) else "v1"
    frappe.local.flags.api_version = version
    if words[:1] == ["method"] and len(words) >= 2:
        return handler.handle("/".join(words[1:]))
    if words[:1] == [{"v1": "resource", "v2": "document"}[version]] and len(words) >= 2:
        _resource(words[1], "/".join(words[2:]) or None)
        return build_response()
    raise frappe.DoesNotExistError


def _resource(doctype, name):
    call = {
        ("GET", False): _list,
        ("POST", False): _create,
        ("GET", True): _read,
        ("PUT", True): _update,
        ("DELETE", True): _delete,
    }.get((frappe.local.request.method, name is not None))
    if frappe.local.flags.api_version == "v2" and frappe.local.request.method == "PATCH" and name:
        call = _update
    if call is None:
        raise frappe.DoesNotExistError
    if frappe.session.user == "Guest":
        frappe.throw(f"You do not have access to {doctype}", frappe.PermissionError)
    standin.point("rest", path=frappe.local.request.path, method=frappe.local.request.method)
    call(doctype, name) if name is not None else call(doctype)


def _list(doctype):
    form = frappe.local.form_dict
    length = form.get("limit_page_length", form.get("limit", PAGE))
    rows = client.get_list(
        doctype,
        fields=form.fields,
        filters=form.filters,
        order_by=form.order_by,
        limit_start=cint(form.get("limit_start", form.get("start"))),
        limit_page_length=length,
    )
    frappe.local.response["data"] = [_masked(doctype, row) for row in rows]


def _masked(doctype, row):
    for field in frappe.get_meta(doctype).get_password_fields():
        if row.get(field.fieldname):
            row[field.fieldname] = "*" * len(row[field.fieldname])
    return row


def _create(doctype):
    doc = frappe.get_doc({**_sent(), "doctype": doctype})
    frappe.local.response["data"] = doc.insert().as_dict(no_nulls=True)
    frappe.db.commit()


def _read(doctype, name):
    doc = frappe.get_doc(doctype, name)
    doc.check_permission("read")
    frappe.local.response["data"] = doc.as_dict(no_nulls=True)


def _update(doctype, name):
    """Writes, and stamps, even where nothing differs; what names the document stays as it is."""
    doc = frappe.get_doc(doctype, name)
    values = _sent()
    rule = doc.meta.autoname
    for key in ("name", "doctype", rule.partition(":")[2] if rule.startswith("field:") else None):
        values.pop(key, None)
    if "modified" in values:
        doc.modified = values.pop("modified")
    doc.update(values)
    frappe.local.response["data"] = doc.save().as_dict(no_nulls=True)
    frappe.db.commit()


def _delete(doctype, name):
    frappe.delete_doc(doctype, name, ignore_missing=False)
    frappe.db.commit()
    frappe.local.response.update(data="ok", http_status_code=202)


def _sent():
    """The document of a request: its JSON, or `data` of a form."""
    form = frappe.local.form_dict
    if isinstance(form.data, str):
        return _dict(json.loads(form.data))
    return _dict((key, value) for key, value in form.items() if key != "cmd")
