"""What installing ERPNext leaves in a site."""

from frappe import install


def make_tables():
    install.make_app_tables("erpnext")


def after_install():
    for role in ("Accounts Manager", "Accounts User", "Sales User"):
        install.put({"doctype": "Role", "name": role, "role_name": role, "desk_access": 1})
    for name in ("Setup", "Accounts", "Selling"):
        install.put({"doctype": "Module Def", "name": name, "module_name": name, "app_name": "erpnext"})
