"""create from a template: quicker than an installation, and nothing else. Whatever is wrong with the template, the site is installed.

Under the same guards: the site is ours and marked as being made until all is proven, so that a restore
that was cut short is done again.
"""

import os

import tenant_frappe
import tenant_sanitise
import tenant_template
from tenant_failure import ChildFailed
from tenant_site import clear_workshop, workshop
from tenant_template import Unfit

# A restore that was cut short so often may itself be what kills the run.
MOST_TRIES = 2


def run(run, administrator):
    """Makes the site from the template that the input names: what to say of it, or None where none is named.

    Where `used` is not true, whatever the restore left is to be made over by an installation.
    """
    named = run.given.section("template")
    if not named:
        return None
    name = named.get("name")
    added = {}
    try:
        if not tenant_template.is_name(named.get("owner")) or not tenant_template.is_name(name):
            raise Unfit("Missing", "has no name that a template can have")
        folder = tenant_template.folder_of(named["owner"], name)
        manifest = tenant_template.manifest_of(folder)
        tenant_template.check_current(manifest, named.get("recipe"), versions(run, manifest))
        note_try(run)
        added = manifest["config"]
        restore(run, folder, manifest, administrator)
    except Unfit as unfit:
        take_back(run, added)
        run.aside(clear_workshop, run.given.id)  # of a restore that was cut short
        run.report.say(f"create: the template {name} {unfit}: the site is installed")
        return {"name": name, "used": False, "why": unfit.why}
    return {"name": name, "used": True}


def versions(run, manifest):
    """Of the manifest's apps, as the bench has them now."""
    try:
        return run.inside(tenant_frappe.versions, [app["name"] for app in manifest["apps"]])
    except ChildFailed as failed:
        raise Unfit("Failed", f"cannot be compared with the bench ({failed.short()})") from None


def note_try(run):
    tries = run.site.state().get("restores", 0)
    if tries >= MOST_TRIES:
        raise Unfit("Interrupted", f"was not restored in {tries} tries")
    run.site.remember(restores=tries + 1)


def restore(run, folder, manifest, administrator):
    site = run.site
    run.report.say("create: from a template")
    with workshop(run.given.id) as making:
        dump = os.path.abspath(os.path.join(making, "template.sql"))
        problem = inside(run.aside, tenant_template.unpack, folder, manifest, dump)
        if problem:
            raise Unfit("Broken", problem)
        with site.changing() as config:
            # Beneath what is ours.
            config.update({key: value for key, value in manifest["config"].items() if key not in config})
        root = run.given.database.get("rootUser") or "root"
        inside(run.inside, tenant_frappe.new_site, site.name, site.database_name, root, run.secrets.root_password, administrator, dump)
    installed, users = inside(run.inside, tenant_frappe.renew, site.name, administrator)
    if installed != [app["name"] for app in manifest["apps"]] or set(users) != set(tenant_template.USERS):
        raise Unfit("Failed", "left other apps or users in the site than it says")
    tables = tenant_sanitise.count_tables(run)
    if tables != manifest["tables"]:
        raise Unfit("Failed", f"left {tables} tables in the site instead of {manifest['tables']}")


def inside(way, work, *arguments):
    """Work in a child: its result, or why the template is no use; what is down is down for an installation as well."""
    try:
        return way(work, *arguments)
    except ChildFailed as failed:
        failure = failed.into("CreateFailed", "")
        if failure.reason != "CreateFailed":
            raise failure from None
        raise Unfit("Failed", f"cannot be restored ({failed.short()})") from None


def take_back(run, added):
    with run.site.changing() as config:
        for key in added:
            config.pop(key, None)
