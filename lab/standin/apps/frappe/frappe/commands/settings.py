"""set-config, execute, clear-cache."""

import ast
import json

import click

import frappe
from frappe.commands import get_site, on_site, require_site
from frappe.installer import update_site_config


@click.command("set-config")
@click.argument("key")
@click.argument("value")
@click.option("--global", "-g", "global_", is_flag=True, default=False)
@click.option("--parse", "-p", is_flag=True, default=False)
@click.option("--as-dict", is_flag=True, default=False)
@click.pass_obj
def set_config(context, key, value, global_, parse, as_dict):
    """Writes a key of the site's configuration, or with -g of the bench's; -p reads the value as Python."""
    if parse or as_dict:
        value = ast.literal_eval(value)
    if global_:
        update_site_config(key, value, validate=False, site_config_path="common_site_config.json")
        return
    get_site(context)
    for site in context.sites:
        frappe.init(require_site(site))
        update_site_config(key, value, validate=not parse)
        frappe.destroy()


@click.command("show-config")
@click.option("--format", "-f", "form", type=click.Choice(["text", "json"]), default="text")
@on_site
def show_config(context, form):
    if form == "json":
        return print(json.dumps({frappe.local.site: frappe.conf}))
    return print("\n".join(f"{key}: {value}" for key, value in sorted(frappe.conf.items())))


@click.command("execute")
@click.argument("method")
@click.option("--args")
@click.option("--kwargs")
@on_site
def execute(context, method, args, kwargs):
    """Calls a function and prints what it returns as JSON; nothing for what is empty."""
    positional = ast.literal_eval(args) if args else ()
    named = ast.literal_eval(kwargs) if kwargs else {}
    if not isinstance(positional, (list, tuple)):
        positional = (positional,)
    answer = frappe.get_attr(method)(*positional, **named)
    frappe.db.commit()
    if answer:
        from frappe.utils.response import json_default

        print(json.dumps(answer, default=json_default))


@click.command("clear-cache")
@on_site
def clear_cache(context):
    frappe.clear_cache()


COMMANDS = [set_config, show_config, execute, clear_cache]
