"""What installing Frappe HR leaves in a site."""

from frappe import install, installer


def make_tables():
    install.make_app_tables("hrms")


def after_install():
    install.put({"doctype": "Role", "name": "HR Manager", "role_name": "HR Manager", "desk_access": 1})
    install.put({"doctype": "Module Def", "name": "HR", "module_name": "HR", "app_name": "hrms"})
    # Not in the database: a copy of that alone would lack it.
    installer.update_site_config("user_type_doctype_limit", {"employee_self_service": 40})
