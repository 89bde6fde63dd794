"""apps: what the plan names is installed, in its order, proven by what the site has.

Nothing is ever uninstalled. Whether an installation ran to its end is noted in the site: an app
counts as installed for Frappe well before its last step has run. A site in use is backed up before.
"""

import time

import tenant_frappe
from tenant_failure import ChildFailed, Failure

# An installation that goes on failing must not fill the volume with backups.
BACKUP_SECONDS = 86400


def run(run):
    site = run.owned()
    installed, available = look(run)
    refuse_missing(run, available)
    half = site.state().get("installing")
    done = [app for app in wanted(run, half) if app not in installed or app == half]
    backed_up = bool(done) and back_up(run, done)
    for app in done:
        install(run, app, resumed=app == half)
    site.remember(backup=None)
    if done:
        installed, available = look(run)
    missing = [app for app in run.given.apps if app not in installed]
    if missing:
        raise Failure("AppInstallFailed", f"The bench installed {', '.join(missing)} without an error, but the site does not have it.")
    apps = [{"name": app, "version": available.get(app, "")} for app in installed]
    return {"apps": apps, "installed": done, "backup": backed_up}


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


def back_up(run, apps):
    """A dump of the database and the site's config among the site's own backups; whether one was made now.

    Not again for an installation that is taken up again: what is there by then may be half of it.
    """
    if not run.given.section("backup"):
        return False
    made = run.site.state().get("backup") or 0
    if time.time() - made < BACKUP_SECONDS:
        return False
    names = ", ".join(apps)
    run.report.say(f"apps: backing up before {names}")
    try:
        # Verbose: without it a failed backup does not say why.
        run.command("--site", run.site.name, "backup", "--verbose")
    except ChildFailed as failed:
        message = f"The backup of {run.site.name} before installing {names} failed; nothing was installed, it is tried again"
        raise failed.into("BackupFailed", message) from None
    run.site.remember(backup=int(time.time()))
    return True


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
