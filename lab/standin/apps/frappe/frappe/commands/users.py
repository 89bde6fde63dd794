"""Passwords and users from the command line."""

import click

import frappe
from frappe.commands import on_site
from frappe.database.setup import ask
from frappe.utils.password import update_password


@click.command("set-admin-password")
@click.argument("admin-password", required=False)
@click.option("--logout-all-sessions", is_flag=True, default=False)
@on_site
def set_admin_password(context, admin_password=None, logout_all_sessions=False):
    """Without the argument the password is asked for, once."""
    password = admin_password or ask("Administrator's password for " + frappe.local.site)
    update_password("Administrator", password, logout_all_sessions=logout_all_sessions)
    frappe.db.commit()


@click.command("set-password")
@click.argument("user")
@click.argument("password", required=False)
@on_site
def set_password(context, user, password=None):
    if not frappe.db.exists("User", user):
        print(f"User {user} does not exist")
        raise SystemExit(1)
    update_password(user, password or ask(f"{user}'s password for {frappe.local.site}"))
    frappe.db.commit()


@click.command("add-system-manager")
@click.argument("email")
@click.option("--first-name")
@click.option("--last-name")
@click.option("--password")
@click.option("--send-welcome-email", is_flag=True, default=False)
@on_site
def add_system_manager(context, email, first_name, last_name, password, send_welcome_email):
    """A second run for the same address is a DuplicateEntryError."""
    user = frappe.get_doc(
        {
            "doctype": "User",
            "email": email,
            "first_name": first_name or email,
            "last_name": last_name,
            "enabled": 1,
            "send_welcome_email": int(send_welcome_email),
        }
    )
    user.append_roles("System Manager")
    user.insert(ignore_permissions=True)
    if password:
        update_password(user.name, password)
    frappe.db.commit()


COMMANDS = [set_admin_password, set_password, add_system_manager]
