"""The setup wizard: settings of the region, the first user, and each app's own stage."""

import frappe
from frappe import standin
from frappe.desk.page.setup_wizard.state import is_setup_complete, mark_complete
from frappe.types import _dict
from frappe.utils import scheduler
from frappe.utils.password import update_password


@frappe.whitelist()
def setup_complete(args):
    """Runs every stage once. A second call changes nothing and says ok. The caller commits."""
    if is_setup_complete():
        return {"status": "ok"}
    args = _dict(frappe.parse_json(args))
    standin.point("setup-wizard:start")
    _update_settings(args)
    _create_user(args)
    for app in frappe.get_installed_apps():
        for stage in frappe.get_hooks("setup_wizard_stage", [], app_name=app):
            frappe.get_attr(stage)(args)
            standin.point(f"setup-wizard:after:{app}")
    mark_complete()
    frappe.db.set_default("desktop:home_page", "workspace")
    scheduler.enable_scheduler()
    standin.point("setup-wizard:end")
    return {"status": "ok"}


def _update_settings(args):
    country = frappe.db.get_value("Country", args.country, ["name", "date_format"], as_dict=True)
    if args.country and not country:
        frappe.throw(f"Could not find Country: {args.country}", frappe.LinkValidationError)
    language = frappe.db.get_value("Language", {"language_name": args.language}) if args.language else None
    settings = frappe.get_doc("System Settings")
    settings.update(
        {
            "country": args.country,
            "language": language or "en",
            "time_zone": args.timezone,
            "currency": args.currency,
            "date_format": country.date_format if country else "yyyy-mm-dd",
            "number_format": "#.###,##" if args.currency == "EUR" else "#,###.##",
        }
    )
    settings.save(ignore_permissions=True)


def _create_user(args):
    """The first user is a System Manager; without an address the Administrator stays alone."""
    if not args.email:
        return
    if frappe.db.exists("User", args.email):
        return
    first, _space, last = (args.full_name or args.email).partition(" ")
    user = frappe.get_doc({"doctype": "User", "email": args.email, "first_name": first, "last_name": last})
    user.flags.ignore_password_policy = True
    user.append_roles("System Manager")
    user.send_welcome_email = 0
    user.insert(ignore_permissions=True)
    if args.password:
        update_password(user.name, args.password)
