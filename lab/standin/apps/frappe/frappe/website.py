"""The few pages that the stand-in has; what they say is that it is one."""

import html

from werkzeug.wrappers import Response

import frappe

PAGE = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><p>{text}</p><footer>stand-in for Frappe</footer></body></html>
"""
KNOWN = {"": "Home", "login": "Login", "me": "My Account", "app": "Desk", "signup": "Login"}


def render(path):
    """/app wants a login; /login shows the form, locked or not."""
    name = path.strip("/").split("/")[0]
    if name in ("app", "desk", "me") and frappe.session.user == "Guest":
        return Response(status=302, headers={"Location": f"/login?redirect-to={path}"})
    if name not in KNOWN:
        return page("Not Found", "The resource you are looking for is not available", 404)
    return page(KNOWN[name], f"{KNOWN[name]} of {frappe.local.site}", 200)


def page(title, text, status):
    body = PAGE.format(title=html.escape(title), text=html.escape(text))
    return Response(body, status=status, content_type="text/html; charset=utf-8")


def no_such_site(site):
    return Response(f"<p>{html.escape(site)} does not exist</p>", status=404, content_type="text/html; charset=utf-8")


def updating():
    return page("Updating", "The system is being updated. Please refresh again after a few moments.", 503)


ERRORS = {
    401: ("Session Expired", "Your session has expired, please login again to continue."),
    403: ("Not Permitted", "You do not have enough permissions to complete the action"),
    404: ("Not Found", "The resource you are looking for is not available"),
}


def error_page(error, status):
    title, text = ERRORS.get(status, ("Server Error", str(error)))
    return page(title, text, status)
