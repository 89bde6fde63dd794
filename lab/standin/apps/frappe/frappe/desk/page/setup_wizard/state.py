"""Whether a site's setup is complete: one flag up to 15.69, one per app from 15.70 on."""

import frappe
from frappe import standin
from frappe.core.doctype.installed_applications.installed_applications import HAVE_WIZARD


def is_setup_complete():
    if not standin.wizard_is_per_app():
        return bool(frappe.db.get_single_value("System Settings", "setup_complete"))
    apps = [app for app in frappe.get_installed_apps() if app in HAVE_WIZARD]
    done = frappe.get_all("Installed Application", filters={"is_setup_complete": 1}, pluck="app_name")
    return all(app in done for app in apps)


def mark_complete():
    if not standin.wizard_is_per_app():
        frappe.db.set_single_value("System Settings", "setup_complete", 1)
        return
    frappe.get_single("Installed Applications").update_versions()
    for app in HAVE_WIZARD:
        frappe.db.sql("UPDATE `tabInstalled Application` SET is_setup_complete=1 WHERE app_name=%s", (app,))
