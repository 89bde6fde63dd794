"""Answers as JSON, in Frappe's shape."""

import datetime
import decimal
import json
import os

from werkzeug.wrappers import Response

import frappe
from frappe import standin


def json_default(value):
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(value, (datetime.date, datetime.timedelta)):
        return str(value)
    if isinstance(value, decimal.Decimal):
        return float(value)
    if hasattr(value, "as_dict"):
        return value.as_dict(no_nulls=True)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def build_response():
    """The 200 (or what the handler chose) with `frappe.response` as its body."""
    response = frappe.local.response
    status = response.pop("http_status_code", 200)
    if response.get("type") == "redirect":
        return Response(status=302, headers={"Location": response["location"]})
    if not response.get("docs"):
        response.pop("docs", None)
    _add_messages(response)
    return as_json_response(response, status)


def as_json_response(body, status):
    text = json.dumps(body, default=json_default, separators=(",", ":"))
    return Response(text, status=status, content_type="application/json")


def report_error(error, status):
    """The error with its traceback; to guests 16 does not show that."""
    body = {key: value for key, value in frappe.local.response.items() if key == "message"}
    if frappe.local.flags.api_version == "v2":
        return as_json_response({"errors": [_second_version(error)]}, status)
    shown = not (standin.is_16() and getattr(frappe.session, "user", "Guest") == "Guest")
    if shown:
        body["exception"] = f"{type(error).__module__}.{type(error).__qualname__}: {error}"
    body["exc_type"] = type(error).__name__
    if shown:
        body["exc"] = json.dumps([frappe.get_traceback()])
    _add_messages(body)
    return as_json_response(body, status)


def _second_version(error):
    last = json.loads(frappe.local.message_log[-1]) if frappe.local.message_log else {}
    told = {"type": type(error).__name__, "message": last.get("message", str(error))}
    return {**told, "title": last.get("title", "Error"), "indicator": last.get("indicator", "red")}


def _add_messages(body):
    if frappe.local.message_log:
        body["_server_messages"] = json.dumps(frappe.local.message_log)


def private_file(path):
    """A private file: to who is logged in, by nginx, which is told where it lies."""
    if frappe.session.user == "Guest":
        raise frappe.PermissionError("You don't have permission to access this file")
    name = os.path.basename(path)
    if not frappe.db.exists("File", {"file_url": path}):
        raise frappe.DoesNotExistError
    location = f"/protected/{frappe.local.site}/private/files/{name}"
    return Response(status=200, headers={"X-Accel-Redirect": location, "Content-Disposition": f'filename="{name}"'})
