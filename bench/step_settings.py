"""settings: the setup wizard once, then what is enforced at every run.

`organization` is applied once and is the customer's own afterwards. The scheduler, the config keys
we own, the admin user's role and the lockdown are put back whenever they differ. Everything a
customer chose travels as data; nothing of it ever becomes code, SQL or a command line.
"""

import re
import time

import tenant_settings
import tenant_suspend
from tenant_failure import ChildFailed, Failure
from tenant_inspect import digest
from tenant_site import STATE, merge

# A wizard that an app sends to the bench's workers has this long to finish there.
BACKGROUND_SECONDS = 180
# So many admins of before are kept in mind, and so reported.
ADMINS = 5


def run(run):
    site = run.owned()
    wanted = run.given.section("settings")
    setup, changed, still_open = apply_organization(run, wanted)
    enforced, earlier = enforce(run, wanted, still_open)
    changed += enforced
    changed += apply_config(run, wanted)
    suspend, before = wanted.get("suspend"), run.site.state().get("suspended")
    changed += suspend_or_resume(run, suspend)
    # From here on the site may be in use: it is never rebuilt again.
    site.remember(fresh=None, rebuilds=None)
    locked = (wanted.get("lockdown") or {}).get("mode") == "APIOnly"
    admin = {"admin": bool(wanted.get("admin")), "earlierAdmins": earlier}
    done = {"setup": setup, "scheduler": True, **admin, "locked": locked, "changed": changed}
    return {**done, "suspend": suspend, "resumed": bool(before and not suspend)}


def apply_organization(run, wanted):
    """The wizard (Complete) or just the system settings (Skip): (what the site has now, what changed, the
    locks that are open)."""
    applied = run.site.state().get("organization")
    if wanted.get("setup") == "Complete" and applied != "Complete":
        return apply_wizard(run, wanted)
    organization = given(wanted) if not applied else None
    _, _, still_open = prepare(run, "its regional settings", False, organization)
    if organization:
        run.site.remember(organization="Skip")
    return applied or "Skip", ["organization"] if organization else [], still_open


def apply_wizard(run, wanted):
    interrupted = run.site.state().get("wizard")
    run.site.remember(wizard=True)
    organization = given(wanted)
    organization.setdefault("name", run.given.marker.get("name") or run.site.name)
    try:
        ran, in_background, still_open = prepare(run, "the setup wizard", True, organization)
        if in_background:
            wait_for_wizard(run)
    except Failure as failure:
        if interrupted and failure.reason == "SetupFailed" and run.site.state().get("fresh"):
            # What an interrupted wizard left can stop every later one. The site is new: make it again.
            run.site.remember(rebuild=True)
        raise
    run.site.remember(organization="Complete", wizard=None, rebuild=None)
    return "Complete", ["setup"] if ran else [], still_open


def given(wanted):
    """The organization's members that have a value."""
    return {name: value for name, value in (wanted.get("organization") or {}).items() if value}


def prepare(run, what, wizard, organization):
    return inside(run, "SetupFailed", what, tenant_settings.prepare, wizard, organization)


def wait_for_wizard(run):
    """Some apps send their part of the wizard to the bench's workers."""
    deadline = time.monotonic() + BACKGROUND_SECONDS
    while not inside(run, "SetupFailed", "reading the setup wizard's state", tenant_settings.wizard_is_complete):
        if time.monotonic() > deadline:
            raise Failure("SetupFailed", "The setup wizard ended without an error but is not complete; see the site's Error Log.")
        run.wait(2)


def enforce(run, wanted, still_open):
    """Scheduler, admin user and lockdown: what lives in the database and is put back whenever it differs.
    What changed, and which admins of before are still there."""
    admin = wanted.get("admin") or {}
    lock = (wanted.get("lockdown") or {}).get("mode") == "APIOnly"
    ours = run.site.state().get("lockdown") or []
    password = ""
    if admin.get("hasPassword"):
        run.secrets.need(admin_password="TENANT_ADMIN_PASSWORD")
        password = run.secrets.admin_password
    if lock:
        # Before they are set: a crash in between must not make them look like the customer's own.
        run.site.remember(lockdown=sorted({*ours, *still_open}) or None)
    earlier = note_admin(run, admin)
    try:
        changed, earlier = run.inside(tenant_settings.enforce, run.site.name, admin, password, lock, ours, earlier)
    except ChildFailed as failed:
        raise explain(failed, admin, password) from None
    if not lock:
        run.site.remember(lockdown=None)
    return changed, earlier


def note_admin(run, admin):
    """Those who were made admin before this one, the latest last; noted before it is made, so that none is forgotten."""
    known = run.site.state().get("admins") or []
    email = tenant_settings.address(admin)
    earlier = [other for other in known if other != email][-ADMINS:]
    if email and known != [*earlier, email]:
        run.site.remember(admins=[*earlier, email])
    return earlier


def explain(failed, admin, password):
    if "ensure_admin" not in failed.frames:
        return failed.into("SetupFailed", "The scheduler or the lockdown cannot be set; it is tried again")
    if failed.kind.endswith("NotKept"):
        return Failure("UserFailed", failed.message)
    if password and is_about_password(failed):
        words = re.sub(r"<[^>]*>|\s+", " ", failed.message).strip()
        message = f"The site refuses the admin's password as too weak; put a stronger one into the Secret ({words})."
        return Failure("WeakPassword", message)
    return failed.into("UserFailed", f"The admin user {admin.get('email')} cannot be made, or made to work")


def is_about_password(failed):
    """Frappe says so in the user's language, but raises it from a function of this name."""
    in_check = any("password_strength" in frame or "password_test" in frame for frame in failed.frames)
    return in_check or ("ValidationError" in failed.kind and "password" in failed.message.lower())


def apply_config(run, wanted):
    """The config keys that are ours, in one write, and only if one differs."""
    values = dict(resolve(run, entry) for entry in wanted.get("siteConfig") or [])
    rate = wanted.get("rateLimit")
    if rate:
        values["rate_limit"] = {"limit": rate["limitSeconds"], "window": rate["windowSeconds"]}
    lockdown = wanted.get("lockdown") or {}
    if lockdown.get("mode") == "APIOnly" and lockdown.get("oauthProviderURL"):
        values["oauth_provider_url"] = lockdown["oauthProviderURL"]
    guard_keys(values)
    secret = [entry["name"] for entry in wanted.get("siteConfig") or [] if "env" in entry]
    with run.site.changing() as config:
        ours = (config.get(STATE) or {}).get("keys") or []
        gone = [key for key in (*ours, *(wanted.get("unsetConfig") or ())) if key not in values and key in config]
        guard_keys(gone)
        changed = [key for key, value in values.items() if key not in config or config[key] != value]
        config.update(values)
        for key in set(gone):
            del config[key]
        hashes = {name: digest(values[name]) for name in secret}
        merge(config, STATE, {"keys": sorted(values) or None, "sha256": hashes or None})
    return [f"config:{key}" for key in (*changed, *sorted(set(gone)))]


def suspend_or_resume(run, mode):
    """Last: a site is only opened once everything else is as it should be."""
    try:
        return tenant_suspend.apply(run.site, mode)
    except ValueError as error:
        raise Failure("BadInput", f"Bad input to the step: {error}.") from None


def resolve(run, entry):
    if "env" not in entry:
        return entry["name"], entry.get("value")
    try:
        return entry["name"], run.secrets.site_config[entry["env"]]
    except KeyError:
        raise Failure("BadInput", f"Bad input to the step: {entry['env']} is not set.") from None


# Keys that hold the site together. The API refuses them too; a mistake there must not end here.
HELD = {"db_name", "db_user", "db_password", "db_type", "encryption_key", "tenant_operator", "tenant_operator_state"}


def guard_keys(keys):
    held = sorted(HELD.intersection(keys))
    if held:
        raise Failure("BadInput", f"Bad input to the step: {', '.join(held)} may not be set or unset as site config.")


def inside(run, reason, what, work, *arguments):
    try:
        return run.inside(work, run.site.name, *arguments)
    except ChildFailed as failed:
        raise failed.into(reason, f"On {run.site.name}, {what} failed; it is tried again") from None
