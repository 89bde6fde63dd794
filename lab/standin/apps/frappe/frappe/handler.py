"""Calls of whitelisted functions: /api/method/<path> and cmd=<path>."""

import inspect
import os

import frappe
from frappe.utils.response import build_response

SHORT_NAMES = {
    "ping": "frappe.ping",
    "logout": "frappe.handler.logout",
    "upload_file": "frappe.handler.upload_file",
    "version": "frappe.handler.version",
}


def handle(cmd):
    """Answers with what the function returns, as `message`."""
    if cmd != "login":  # that has been done on the way in
        answer = execute_cmd(cmd)
        if answer is not None:
            frappe.local.response["message"] = answer
    return build_response()


def execute_cmd(cmd):
    function = _find(SHORT_NAMES.get(cmd, cmd))
    rule = frappe.is_whitelisted(function)
    if frappe.local.request.method not in rule.methods and frappe.local.request.method != "HEAD":
        frappe.throw("Not permitted", frappe.PermissionError)
    return call(function, frappe.local.form_dict)


def _find(path):
    try:
        return frappe.get_attr(path)
    except (ImportError, AttributeError, ValueError) as error:
        frappe.throw(f"Failed to get method for command {path} with {error}", frappe.ValidationError)


def call(function, arguments):
    """Hands over the arguments that the function takes, and leaves out the others."""
    taken = inspect.signature(function).parameters
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in taken.values()):
        return function(**{key: value for key, value in arguments.items() if key != "cmd"})
    return function(**{key: value for key, value in arguments.items() if key in taken})


@frappe.whitelist(allow_guest=True)
def version():
    return frappe.__version__


@frappe.whitelist()
def logout():
    sid = frappe.local.request.cookies.get("sid")
    frappe.db.sql("DELETE FROM `tabSessions` WHERE sid=%s", (sid,))
    frappe.db.commit()


@frappe.whitelist(methods=["POST"])
def upload_file():
    """A file from a form, with is_private, doctype and docname."""
    form = frappe.local.form_dict
    sent = frappe.local.request.files.get("file")
    if sent is None:
        frappe.throw("There is nothing attached to this request")
    doc = frappe.get_doc(
        {
            "doctype": "File",
            "file_name": os.path.basename(sent.filename),
            "is_private": frappe.utils.cint(form.is_private),
            "attached_to_doctype": form.doctype,
            "attached_to_name": form.docname,
            "content": sent.stream.read(),
        }
    )
    return doc.insert(ignore_permissions=True).as_dict()
