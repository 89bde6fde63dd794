"""create: the tenant's site exists, complete, under our marker and with the encryption key in custody.

`bench new-site --force` drops whatever database the site's config names. So the config is written
first, with our marker; and nothing is forced where the site, or the database, is not this tenant's.
"""

import secrets as random

import tenant_frappe
import tenant_key
import tenant_restore
import tenant_suspend
from tenant_database import accepts
from tenant_failure import ChildFailed, Failure
from tenant_inspect import sha256
from tenant_site import MARKER, STATE, way_out

# Rebuilding heals a site that was interrupted half-way. What two rebuilds do not heal is no accident.
MOST_REBUILDS = 2


def run(run):
    if run.given.adopted:
        return adopted(run)
    # By which inspect sees that somebody changed it. The key is long and random: nothing leads back from its hash.
    return {**make(run), "sha256": {"encryptionKey": sha256(run.secrets.encryption_key)}}


def make(run):
    site = run.site
    run.secrets.need(database_password="TENANT_DB_PASSWORD")
    run.secrets.need_encryption_key()
    site.require_database_unshared()
    if not site.exists():
        refuse_to_replace(run)
        site.appear(first_config(run))
        return build(run)
    site.require_own()
    if is_half_made(run):
        return build(run)
    return {"created": False, "repaired": repair(run)}


def adopted(run):
    """A site that was there before us is never made (again), and keeps its own key and password."""
    run.site.require_database_unshared()
    run.site.require_own()
    if is_half_made(run):
        raise Failure("SiteVanished", f"{run.site.name} is no longer a complete site; restore it from a backup, {way_out(False)}.")
    repaired = repair_marker(run)
    return {"created": False, "repaired": repaired + ([tenant_key.NAME] if tenant_key.ensure(run) else [])}


def refuse_to_replace(run):
    """With no folder, there is only something to make if there never was a site."""
    if run.given.expect_site:
        raise Failure(
            "SiteVanished",
            f"The folder of {run.site.name} is gone from the sites volume, and no empty site is put in its place; "
            f"restore it from a backup or an archive, {way_out(False)}.",
        )
    if run.database.exists(run.site.database_name):
        raise Failure(
            "ForeignDatabase",
            f"A database {run.site.database_name} exists without a site of ours, so it was not touched; remove it if it is nobody's.",
        )


def first_config(run):
    name = run.site.database_name
    config = {
        "db_name": name,
        "db_user": name,  # Frappe 15 takes db_name for it, 16 wants it said
        "db_password": run.secrets.database_password,
        "db_type": "mariadb",
        # Before the first request: else a worker of Frappe 16 writes its own over ours.
        "encryption_key": run.secrets.encryption_key,
        MARKER: run.site.marker,
        STATE: {"creating": True, "fresh": True},
    }
    if run.given.section("templates"):
        config.update(tenant_suspend.CLOSED)  # the site that templates are made from is nobody's to visit
    for key, value in (("db_host", run.given.database.get("host")), ("db_port", run.given.database.get("port"))):
        if value and value != run.common.get(key):
            config[key] = value
    return config


def is_half_made(run):
    """Whether the site has to be made (again). Only a site that no customer can have used is."""
    state = run.site.state()
    if state.get("creating"):
        return True
    interrupted = state.get("installing") or state.get("rebuild")
    if state.get("fresh") and interrupted and state.get("rebuilds", 0) < MOST_REBUILDS:
        return True
    if not run.database.exists(run.site.database_name):
        raise Failure(
            "SiteVanished",
            f"The database {run.site.database_name} of {run.site.name} is gone; restore it from a backup or an archive, {way_out(False)}.",
        )
    apps, has_administrator = run.database.completeness(run.site.database_name)
    if "frappe" in apps and has_administrator:
        return False
    if run.given.expect_site:
        raise Failure(
            "SiteVanished",
            f"The database of {run.site.name} is no longer a complete site; restore it from a backup or an archive, {way_out(False)}.",
        )
    return True


def build(run):
    begin(run)
    # Made here and forgotten here: people get users of their own, and this one can be reset in the bench.
    administrator = random.token_urlsafe(24)
    run.report.hide([administrator])
    template = tenant_restore.run(run, administrator)
    if not (template and template["used"]):
        install(run, administrator)
    apps, has_administrator = run.database.completeness(run.site.database_name)
    if "frappe" not in apps or not has_administrator or not run.site.is_own():
        raise Failure("CreateFailed", f"new-site ended without an error, but {run.site.name} is not complete; it is made anew with the next try.")
    run.site.remember(creating=None, restores=None)
    return {"created": True, "repaired": [], **({"template": template} if template else {})}


def install(run, administrator):
    try:
        run.inside(
            tenant_frappe.new_site,
            run.site.name,
            run.site.database_name,
            run.given.database.get("rootUser") or "root",
            run.secrets.root_password,
            administrator,
        )
    except ChildFailed as failed:
        raise failed.into("CreateFailed", f"new-site of {run.site.name} failed; it is made anew with the next try") from None


def begin(run):
    """new-site reuses the config as it is: it has to say what custody says, and nothing of an earlier try."""
    with run.site.changing() as config:
        state = config.get(STATE) or {}
        rebuilds = state.get("rebuilds", 0) + (0 if state.get("creating") else 1)
        config.update(first_config(run))
        kept = {"rebuilds": rebuilds, "restores": state.get("restores")}
        config[STATE].update({name: value for name, value in kept.items() if value})


def repair(run):
    """Puts back what the site must have to work with what we hold in custody."""
    repaired = repair_marker(run)
    with run.site.changing() as config:
        if config.get("encryption_key") != run.secrets.encryption_key:
            if config.get("encryption_key"):
                tenant_key.keep(config, config["encryption_key"])
            config["encryption_key"] = run.secrets.encryption_key
            repaired.append("encryption_key")
    config = run.site.config()
    user = config.get("db_user") or config["db_name"]
    if not accepts(run.where, user, config.get("db_password") or "", config["db_name"]):
        with run.site.changing() as config:
            config["db_password"] = run.secrets.database_password
        run.database.grant(config["db_name"], user, run.secrets.database_password)
        repaired.append("database user")
    return repaired


def repair_marker(run):
    with run.site.changing() as config:
        if config.get(MARKER) == run.site.marker:
            return []
        config[MARKER] = run.site.marker
        return ["marker"]
