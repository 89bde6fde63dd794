"""The WSGI application `frappe.app:application`, for gunicorn."""

import json
import logging
import os

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request

import frappe
from frappe import api, auth, handler, rate_limiter, standin, website
from frappe.types import _dict
from frappe.utils import get_site_name
from frappe.utils.response import private_file, report_error

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
logging.getLogger("gunicorn.error").info("stand-in for Frappe %s", frappe.__version__)


@Request.application
def application(request):
    """One request: find the site, find the user, do what the path says; commit or roll back."""
    response = None
    try:
        init_request(request)
        rate_limiter.apply()
        auth.validate_auth()
        standin.point("http:request", path=request.path, method=request.method)
        response = _dispatch(request)
        _finish(request, commit=True)
        standin.point("http:response", path=request.path, method=request.method)
        rate_limiter.update(response)
        _set_cookies(response)
    except NoSuchSite as error:
        response = website.no_such_site(str(error))
    except HTTPException as error:
        response = error
    except Exception as error:
        _finish(request, commit=False)
        response = handle_exception(error)
    finally:
        frappe.destroy()
    return response


class NoSuchSite(Exception):
    pass


def init_request(request):
    site = request.headers.get("X-Frappe-Site-Name") or get_site_name(request.host)
    sites_path = os.environ.get("SITES_PATH", ".")
    frappe.local.request = request
    frappe.local.is_ajax = request.headers.get("X-Requested-With") == "XMLHttpRequest"
    if "/" in site or not os.path.exists(os.path.join(sites_path, site, "site_config.json")):
        raise NoSuchSite(site)
    frappe.init(site, sites_path=sites_path)
    if not frappe.local.conf.db_name:
        raise NoSuchSite(site)
    frappe.connect(set_admin_as_user=False)
    if frappe.local.conf.maintenance_mode:
        if not frappe.local.conf.allow_reads_during_maintenance:
            raise frappe.SessionStopped("Session Stopped")
        frappe.local.flags.read_only = True
    frappe.local.form_dict = make_form_dict(request)
    frappe.local.login_manager = auth.LoginManager()


def make_form_dict(request):
    """The query, or the form, or the JSON body; JSON that is none is an error of the server's."""
    values = _dict(request.args.to_dict())
    if "application/json" in (request.content_type or "") and request.get_data():
        sent = json.loads(request.get_data(as_text=True))
        if not isinstance(sent, dict):
            frappe.throw("Invalid request arguments")
        values.update(sent)
    else:
        values.update(request.form.to_dict())
    values.pop("_", None)
    return values


def _dispatch(request):
    if frappe.local.flags.read_only and request.method not in SAFE_METHODS:
        raise frappe.InReadOnlyMode("Site is running in read only mode for maintenance or site update")
    if request.method == "OPTIONS":
        return handler.build_response()
    if frappe.local.form_dict.cmd:
        return handler.handle(frappe.local.form_dict.cmd)
    if request.path == "/api/method/login":
        return handler.handle("login")
    if request.path.startswith("/api/"):
        return api.handle(request.path)
    if request.path.startswith("/private/files/"):
        return private_file(request.path)
    if request.method in ("GET", "HEAD", "POST"):
        return website.render(request.path)
    raise frappe.DoesNotExistError


def _finish(request, commit):
    """A request that wrote is committed as a whole, or not at all."""
    if not getattr(frappe.local, "db", None):
        return
    try:
        if commit and request.method not in SAFE_METHODS:
            frappe.db.commit()
        else:
            frappe.db.rollback()
    except frappe.local.db.OperationalError:
        logging.getLogger("frappe").warning("connection to the database was lost")


def _set_cookies(response):
    manager = getattr(frappe.local, "login_manager", None)
    if manager is not None and manager.new_sid:
        response.set_cookie(auth.SESSION_COOKIE, manager.new_sid, httponly=True, samesite="Lax")
        response.set_cookie("full_name", manager.full_name or "", samesite="Lax")


def handle_exception(error):
    """Errors as JSON for who asks for JSON, or asks below /api and takes it; else as a page."""
    status = getattr(error, "http_status_code", 500)
    request = frappe.local.request
    if status >= 500 and not isinstance(error, frappe.SessionStopped):
        logging.getLogger("gunicorn.error").error("Request Error", exc_info=error)
    if not hasattr(frappe.local, "message_log"):  # the configuration could not even be read
        return website.page("Internal Server Error", "", 500)
    accept = request.headers.get("Accept") or ""
    wants_json = (accept and (frappe.local.is_ajax or "application/json" in accept)) or (
        request.path.startswith("/api/") and not accept.startswith("text")
    )
    if wants_json:
        return report_error(error, status)
    if isinstance(error, frappe.SessionStopped):
        return website.updating()
    return website.error_page(error, status)
