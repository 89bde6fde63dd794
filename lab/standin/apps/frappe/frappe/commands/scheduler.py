"""The scheduler's switches and maintenance mode."""

import json

import click

import frappe
from frappe.commands import on_site
from frappe.installer import update_site_config
from frappe.utils import scheduler as switches


@click.command("enable-scheduler")
@on_site
def enable_scheduler(context):
    _toggle(True)


@click.command("disable-scheduler")
@on_site
def disable_scheduler(context):
    _toggle(False)


def _toggle(enable):
    switches.toggle_scheduler(enable)
    frappe.db.commit()
    print("Enabled for" if enable else "Disabled for", frappe.local.site)


@click.command("scheduler")
@click.argument("state", type=click.Choice(["pause", "resume", "disable", "enable", "status"]))
@click.option("--format", "-f", "form", default="text", type=click.Choice(["json", "text"]))
@click.option("--verbose", "-v", is_flag=True)
@on_site
def scheduler(context, state, form, verbose):
    """pause and resume write `pause_scheduler`; enable and disable write System Settings."""
    site = frappe.local.site
    if state == "status":
        words = _status()
        return print(json.dumps({site: words})) if form == "json" else print(f"Scheduler is {words} for site {site}")
    if state in ("pause", "resume"):
        update_site_config("pause_scheduler", state == "pause")
    else:
        switches.toggle_scheduler(state == "enable")
        frappe.db.commit()
    return print(f"Scheduler {state}d for site {site}")


def _status():
    if switches.is_scheduler_disabled():
        return "disabled"
    return "paused" if frappe.conf.pause_scheduler else "enabled"


@click.command("set-maintenance-mode")
@click.argument("state", type=click.Choice(["on", "off"]))
@on_site
def set_maintenance_mode(context, state):
    update_site_config("maintenance_mode", 1 if state == "on" else 0)


COMMANDS = [enable_scheduler, disable_scheduler, scheduler, set_maintenance_mode]
