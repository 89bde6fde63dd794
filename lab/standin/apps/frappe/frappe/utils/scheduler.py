"""The switches of the scheduler: one in System Settings, two in the site's configuration."""

import frappe


def is_scheduler_inactive(verbose=True):
    conf = frappe.conf
    return bool(conf.maintenance_mode or conf.pause_scheduler) or is_scheduler_disabled(verbose)


def is_scheduler_disabled(verbose=True):
    if frappe.conf.disable_scheduler:
        return True
    return not frappe.db.get_single_value("System Settings", "enable_scheduler")


def toggle_scheduler(enable):
    frappe.db.set_single_value("System Settings", "enable_scheduler", int(enable))


def enable_scheduler():
    toggle_scheduler(True)


def disable_scheduler():
    toggle_scheduler(False)
