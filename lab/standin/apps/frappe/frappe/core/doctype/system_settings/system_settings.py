"""System Settings: what save() checks and hands on. Writing single values goes past all of it."""

import frappe
from frappe.model.document import Document


class SystemSettings(Document):
    def validate(self):
        if self.disable_user_pass_login and not self._other_login():
            frappe.throw(
                "Please enable atleast one Social Login Key or LDAP or Login With Email Link"
                " before disabling username/password based login."
            )

    def on_update(self):
        for name in ("country", "language", "time_zone", "currency", "date_format", "number_format"):
            if self.get(name):
                frappe.db.set_default(name, self.get(name))

    def _other_login(self):
        return self.login_with_email_link or frappe.db.exists("Social Login Key", {"enable_social_login": 1})
