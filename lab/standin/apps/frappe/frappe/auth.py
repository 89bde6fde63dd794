"""Who is calling: password logins, sessions by cookie, API keys, and the hooks of apps."""

import base64
import binascii

import frappe
from frappe import standin
from frappe.utils.password import check_password, get_decrypted_password

SESSION_COOKIE = "sid"


class LoginManager:
    """Logs in on cmd=login, on whatever path it comes, else goes on with the session of the cookie."""

    def __init__(self):
        self.user = None
        self.full_name = ""
        self.new_sid = None
        if frappe.local.form_dict.get("cmd") == "login" or frappe.local.request.path == "/api/method/login":
            self.login()
        else:
            self.user = self._resumed() or "Guest"
            frappe.set_user(self.user)
            validate_user(self.user)

    def login(self):
        standin.point("http:login")
        if frappe.get_system_settings("disable_user_pass_login"):
            frappe.throw("Login with username and password is not allowed.", frappe.AuthenticationError)
        form = frappe.local.form_dict
        frappe.set_user("Guest")
        self.authenticate(form.get("usr"), form.get("pwd"))
        self.post_login()

    def authenticate(self, user=None, pwd=None):
        if not (user and pwd):
            self.fail("Incomplete login details", user=user)
        row = frappe.db.get_value("User", user, ["name", "enabled"], as_dict=True)
        if row is None and not frappe.db.get_value("User", "Guest"):
            frappe.not_found("User", user)  # a half-made site
        try:
            self.user = check_password(user, pwd)
        except frappe.AuthenticationError:
            self.fail("Invalid login credentials", user=user)
        if not row.enabled:
            self.fail("User disabled or missing", user=user)

    def fail(self, message, user=None):
        frappe.local.response["message"] = message
        raise frappe.AuthenticationError

    def post_login(self):
        """A new session; the cookie goes out with the answer."""
        frappe.set_user(self.user)
        self.full_name = frappe.db.get_value("User", self.user, "full_name")
        self.new_sid = frappe.generate_hash(length=56)
        row = {"sid": self.new_sid, "user": self.user, "lastupdate": frappe.utils.now(), "status": "Active"}
        frappe.db.insert_row("tabSessions", row)
        frappe.db.commit()
        frappe.local.response.update(message="Logged In", home_page="/app", full_name=self.full_name)

    def _resumed(self):
        sid = frappe.local.request.cookies.get(SESSION_COOKIE)
        if not sid or sid == "Guest":
            return None
        rows = frappe.db.sql("SELECT user FROM `tabSessions` WHERE sid=%s", (sid,), pluck=True)
        return rows[0] if rows else None


def validate_user(user):
    """A site whose Guest is not there yet answers nobody."""
    try:
        enabled = frappe.db.get_value("User", user, "enabled")
    except frappe.local.db.ProgrammingError:
        enabled = None
    if not enabled:
        frappe.throw(f"User {user} is disabled. Please contact your System Manager.", frappe.ValidationError)


def validate_auth():
    """The Authorization header; one that says something and proves nothing ends the request."""
    words = frappe.get_request_header("Authorization", "").split(" ")
    if len(words) == 2:
        validate_auth_via_api_keys(words)
    for hook in frappe.get_hooks("auth_hooks"):
        frappe.get_attr(hook)()
    if len(words) == 2 and frappe.session.user in ("", "Guest"):
        raise frappe.AuthenticationError


def validate_auth_via_api_keys(words):
    scheme, token = words[0].lower(), words[1]
    try:
        if scheme == "basic":
            token = base64.b64decode(token).decode()
        if scheme in ("basic", "token"):
            key, secret = token.split(":")
            validate_api_key_secret(key, secret, frappe.get_request_header("Frappe-Authorization-Source"))
    except binascii.Error:
        frappe.throw("Failed to decode token, please provide a valid base64-encoded token.", frappe.InvalidAuthorizationToken)
    except (AttributeError, TypeError, ValueError):
        return  # no ":" in it, or one too many: then nobody is logged in


def validate_api_key_secret(api_key, api_secret, frappe_authorization_source=None):
    """Makes the owner of the pair the user. 16 refuses the pair of a disabled user, 15 takes it.

    Needs `frappe.local.login_manager`, which only a request has; elsewhere the caller must set one.
    """
    doctype = frappe_authorization_source or "User"
    filters = {"api_key": api_key}
    if doctype == "User" and standin.is_16():
        filters["enabled"] = 1
    name = frappe.db.get_value(doctype, filters, "name")
    if not name:
        raise frappe.AuthenticationError
    if api_secret != get_decrypted_password(doctype, name, fieldname="api_secret"):
        raise frappe.AuthenticationError
    form_dict = frappe.local.form_dict
    user = name if doctype == "User" else frappe.db.get_value(doctype, name, "user")
    if frappe.local.login_manager.user in ("", "Guest"):
        frappe.set_user(user)
    frappe.local.form_dict = form_dict


@frappe.whitelist()
def get_logged_user():
    return frappe.session.user
