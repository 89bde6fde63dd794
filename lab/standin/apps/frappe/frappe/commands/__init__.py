"""The commands of `bench`, by module."""

import functools
import os

import click

import frappe


def all_commands():
    from frappe.commands import apps, backups, scheduler, settings, site, users

    modules = (apps, backups, scheduler, settings, site, users)
    return {command.name: command for module in modules for command in module.COMMANDS}


def get_site(context, raise_err=True):
    """The one site that was named with --site."""
    if context.sites:
        return context.sites[0]
    if raise_err:
        click.secho("Please specify --site sitename", fg="red")
        raise SystemExit(1)
    return None


def require_site(site):
    if not os.path.exists(os.path.join(".", site, "site_config.json")):
        click.secho(f"Site {site} does not exist!", fg="red")
        raise SystemExit(1)
    return site


def on_site(function):
    """Runs a command once for each named site, connected to it, and commits nothing by itself."""

    @click.pass_obj
    @functools.wraps(function)
    def run(context, *args, **kwargs):
        get_site(context)
        for site in context.sites:
            frappe.init(require_site(site))
            frappe.connect()
            try:
                function(context, *args, **kwargs)
            finally:
                frappe.destroy()

    return run
