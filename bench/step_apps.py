"""apps: what the plan names is installed, in its order, proven by what the site has.

Nothing is ever uninstalled. Whether an installation ran to its end is noted in the site: an app
counts as installed for Frappe well before its last step has run.
"""

import tenant_frappe
from tenant_failure import ChildFailed, Failure


def run(run):
    site = run.owned()
    installed, available = look(run)
    refuse_missing(run, available)
    half = site.state().get("installing")
    done = [app for app in wanted(run, half) if app not in installed or app == half]
    for app in done:
        install(run, app, resumed=app == half)
    if done:
        installed, available = look(run)
    missing = [app for app in run.given.apps if app not in installed]
    if missing:
        raise Failure("AppInstallFailed", f"The bench installed {', '.join(missing)} without an error, but the site does not have it.")
    apps = [{"name": app, "version": available.get(app, "")} for app in installed]
    return {"apps": apps, "installed": done}


def look(run):
    try:
        return run.inside(tenant_frappe.apps, run.site.name)
    except ChildFailed as failed:
        raise failed.into("AppInstallFailed", "The site's apps cannot be read") from None


def wanted(run, half):
    """The plan's apps, in order; first of all the one that was interrupted, even if no longer named."""
    names = [app for app in run.given.apps if app != "frappe"]
    return ([half] if half and half not in names else []) + names


def refuse_missing(run, available):
    """Before anything is installed: half a plan is worse than none."""
    absent = [app for app in run.given.apps if app not in available]
    if absent:
        raise Failure(
            "AppMissing",
            f"The bench has no app {', '.join(absent)}, nothing was installed; "
            "add it to the bench's image (sites/apps.txt) or take it out of the plan.",
        )


def install(run, app, resumed):
    run.site.remember(installing=app)
    run.report.say(f"apps: installing {app}")
    words = ["--site", run.site.name, "install-app", app]
    try:
        # Without --force an app that was interrupted counts as installed, or trips over its own beginnings.
        run.command(*words, *(["--force"] if resumed else []))
    except ChildFailed as failed:
        raise failed.into("AppInstallFailed", f"install-app {app} failed on {run.site.name}; see the last lines") from None
    run.site.remember(installing=None)
