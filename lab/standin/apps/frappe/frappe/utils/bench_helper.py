"""`python -m frappe.utils.bench_helper frappe <command>`: what `bench <command>` runs, from sites/."""

import datetime
import json
import os
import sys

import click

from frappe.types import _dict


class Commands(click.Group):
    """The commands of all modules; `bench frappe X` and `bench X` are one."""

    def list_commands(self, ctx):
        return sorted(_commands())

    def get_command(self, ctx, name):
        return _commands().get(name)


@click.group(cls=Commands)
@click.option("--site", default=None)
@click.option("--profile", is_flag=True, default=False)
@click.option("--verbose", is_flag=True, default=False)
@click.option("--force", is_flag=True, default=False)
@click.pass_context
def app_group(ctx, site, profile, verbose, force):
    """Commands of Frappe, by the stand-in."""
    ctx.obj = _dict(sites=_sites(site), force=force, verbose=verbose, profile=profile)


def _sites(site):
    site = site or os.environ.get("FRAPPE_SITE") or frappe_default_site()
    if site == "all":
        from frappe.utils import get_sites

        return get_sites(".")
    return [site] if site else []


def frappe_default_site():
    from frappe.config import get_common_site_config

    return get_common_site_config(".").get("default_site")


def _commands():
    from frappe.commands import all_commands

    return all_commands()


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["get-app-commands"] or arguments[:1] == ["get-frappe-commands"]:
        print(json.dumps(sorted(_commands())))
        return
    if arguments[:1] == ["frappe"]:
        arguments = arguments[1:]
    _log(arguments)
    app_group(args=arguments, prog_name="bench")


def _log(arguments):
    """Every command writes to the bench's logs, and fails where it may not."""
    with open(os.path.join("..", "logs", "bench.log"), "a") as file:
        file.write(f"{datetime.datetime.now():%Y-%m-%d %H:%M:%S} {' '.join(arguments[:1])}\n")


if __name__ == "__main__":
    main()
