"""Users: names from the address, password policy, roles, API keys."""

import frappe
from frappe.model.document import Document
from frappe.utils import password_strength
from frappe.utils.password import update_password


class User(Document):
    def autoname(self):
        if self.name not in frappe.STANDARD_USERS:
            self.email = (self.email or "").strip().lower()
            self.name = self.email

    def validate(self):
        self.full_name = " ".join(part for part in (self.first_name, self.middle_name, self.last_name) if part)
        self._password_to_set, self.new_password = self.new_password, None
        if self._password_to_set and not self.flags.ignore_password_policy and _policy_is_on():
            password_strength.check(self._password_to_set)
        self._follow_role_profiles()
        disabled = frappe.get_all("Role", filters={"disabled": 1}, pluck="name")
        self.roles = [row for row in self.roles if row.role not in disabled]
        seen = set()
        for row in list(self.roles):
            if row.role in seen:
                self.remove(row)
            seen.add(row.role)

    def _follow_role_profiles(self):
        """Whoever has a Role Profile has its roles and no others: one in 15, any number in 16."""
        if self.meta.has_field("role_profiles"):
            names = {row.role_profile for row in self.role_profiles}
            if self.role_profile_name and self.role_profile_name not in names:
                self.append("role_profiles", {"role_profile": self.role_profile_name})
            self.role_profile_name = None
            names = [row.role_profile for row in self.role_profiles]
        else:
            names = [self.role_profile_name] if self.role_profile_name else []
        if names and self.name not in frappe.STANDARD_USERS:
            roles = [row.role for name in names for row in frappe.get_doc("Role Profile", name).roles]
            self.roles = [row for row in self.roles if row.role in roles]
            self.append_roles(*dict.fromkeys(roles))

    def on_update(self):
        frappe.local.roles = {}
        if self._password_to_set:
            update_password(self.name, self._password_to_set)
            self._password_to_set = None

    def on_trash(self):
        if self.name in frappe.STANDARD_USERS:
            frappe.throw(f"User {self.name} cannot be deleted")

    def append_roles(self, *roles):
        present = {row.role for row in self.roles}
        for role in roles:
            if role not in present:
                self.append("roles", {"role": role})

    def add_roles(self, *roles):
        """Adds the roles and saves."""
        self.append_roles(*roles)
        self.save()

    def remove_roles(self, *roles):
        for row in [row for row in self.roles if row.role in roles]:
            self.remove(row)
        self.save()


def _policy_is_on():
    return bool(frappe.db.get_single_value("System Settings", "enable_password_policy"))


@frappe.whitelist(methods=["POST"])
def generate_keys(user):
    """A new random secret; a key that is there stays. Answers the secret only."""
    frappe.has_permission("User", "write", throw=True)
    doc = frappe.get_doc("User", user)
    secret = frappe.generate_hash(length=15)
    if not doc.api_key:
        doc.api_key = frappe.generate_hash(length=15)
    doc.api_secret = secret
    doc.save()
    return {"api_secret": secret}
