"""Installed Applications: versions of the site's apps, and whether each is set up. Empty until somebody fills it."""

import frappe
from frappe.model.document import Document

HAVE_WIZARD = ("frappe", "erpnext")


class InstalledApplications(Document):
    def update_versions(self):
        """Lists the apps that are installed now; one that is set up stays so."""
        done = {row.app_name for row in self.installed_applications if row.is_setup_complete}
        self.set("installed_applications", [])
        for app in frappe.get_installed_apps():
            module = frappe.get_module(app)
            self.append(
                "installed_applications",
                {
                    "app_name": app,
                    "app_version": module.__version__,
                    "git_branch": module.__branch__,
                    "has_setup_wizard": int(app in HAVE_WIZARD),
                    "is_setup_complete": int(app in done),
                },
            )
        self.save(ignore_permissions=True)
