"""template: the bench has a template of a freshly installed site with these apps, and none that nobody needs.

The site that it is made from has a name, a database and a marker of its own, and is never open: it is
made, emptied of what no template may hold, dumped, and dropped with all its traces. What a killed run
left of it, the next one takes away first. The template appears under its name in one move.
"""

import base64
import contextlib
import datetime
import os
import re
import secrets as random
import shutil
from dataclasses import replace

import step_apps
import step_create
import step_drop
import tenant_frappe
import tenant_sanitise
import tenant_template
from tenant_failure import ChildFailed, Failure
from tenant_input import require
from tenant_site import sync_folder, write_json
from tenant_template import DUMP, MANIFEST, Unfit

CREATED_AT = "%Y-%m-%dT%H:%M:%SZ"
_DUMP = re.compile(r"-database\.sql\.gz\Z")
# Failures after which somebody else may be at work on the throw-away site, or nobody can be.
_HANDS_OFF = ("Locked", "DatabaseUnreachable", "DatabaseDenied", "ForeignSite", "ForeignDatabase")


def run(run):
    wanted = run.given.section("templates")
    owner, keep = wanted.get("owner"), wanted.get("keep") or []
    folder = tenant_template.folder_of(owner)
    require(all(tenant_template.is_name(name) for name in keep), "templates.keep must be names of templates")
    take_away(run)
    if not wanted.get("make"):
        return {"removed": run.aside(sweep, folder, keep)}
    versions = versions_of(run)
    asked = [{"name": app, "version": versions[app]} for app in ("frappe", *(app for app in run.given.apps if app != "frappe"))]
    name = tenant_template.name_of(wanted.get("recipe"), wanted.get("image"), asked)
    removed = run.aside(sweep, folder, [*keep, name])
    found = None if wanted.get("anew") else look(run, os.path.join(folder, name), wanted.get("recipe"), versions)
    manifest = found or make(run, folder, name)
    facts = {"name": name, "made": not found, "apps": manifest["apps"], "tables": manifest["tables"]}
    return {**facts, "bytes": manifest["files"][DUMP]["bytes"], "removed": removed}


def versions_of(run):
    """Of all apps that the bench has; whatever is named is among them."""
    try:
        versions = run.inside(tenant_frappe.versions)
    except ChildFailed as failed:
        raise failed.into("TemplateFailed", "The bench's apps cannot be read") from None
    missing = [app for app in run.given.apps if app not in versions]
    if missing:
        raise Failure("AppMissing", f"The bench has no app {', '.join(missing)}; add it to the bench's image (sites/apps.txt) or take it out of the plan.")
    return versions


def look(run, folder, recipe, versions):
    """The manifest of the template that is there, if it is as good as a new one."""
    try:
        manifest = tenant_template.manifest_of(folder)
        tenant_template.check_current(manifest, recipe, versions)
        return None if aside(run, tenant_template.unpack, folder, manifest) else manifest
    except Unfit:
        return None


def make(run, folder, name):
    """The throw-away site, from nothing to nothing; the manifest of what was kept of it."""
    run.report.say(f"template: making {name} from {run.site.name}")
    key, password = base64.urlsafe_b64encode(random.token_bytes(32)).decode(), random.token_urlsafe(24)
    run.secrets = replace(run.secrets, encryption_key=key, database_password=password)
    run.report.hide([key, password])
    making = os.path.join(folder, f".{name}.part")
    try:
        step_create.make(run)
        apps = step_apps.run(run)["apps"]
        tenant_sanitise.clean(run)
        aside(run, make_folder, making)
        manifest = describe(run, making, apps)
        tenant_sanitise.prove(run)
        aside(run, seal, making, os.path.join(folder, name), manifest)
    except Failure as failure:
        if failure.reason not in _HANDS_OFF:
            with contextlib.suppress(Failure):  # the next run takes it away
                take_away(run)
        shutil.rmtree(making, ignore_errors=True)
        raise
    take_away(run)
    return manifest


def describe(run, making, apps):
    """Dumps the site into the folder; the manifest of that."""
    config = tenant_sanitise.config_of(run)
    raw = os.path.join(making, "raw")
    try:
        # Verbose: without it a failed backup does not say why.
        run.command("--site", run.site.name, "backup", "--verbose", "--backup-path", os.path.abspath(raw))
    except ChildFailed as failed:
        raise failed.into("TemplateFailed", f"The dump of {run.site.name} failed; it is tried again") from None
    dumps = [entry for entry in os.listdir(raw) if _DUMP.search(entry)]
    if len(dumps) != 1:
        raise Failure("TemplateFailed", f"The bench's backup made {len(dumps)} dumps instead of one; it is tried again.")
    source = os.path.join(raw, dumps[0])
    needles = [run.given.id, run.site.name, run.secrets.encryption_key, run.secrets.database_password]
    found = aside(run, tenant_template.purify, source, os.path.join(making, DUMP), needles)
    if found.get("problem"):
        raise tenant_sanitise.unclean(f"{found['problem']} of its dump")
    tables = tenant_sanitise.count_tables(run)
    if found["tables"] != tables:
        raise Failure("TemplateFailed", f"The dump has {found['tables']} tables, the site {tables}; it is tried again.")
    return {
        "version": tenant_template.VERSION,
        "recipe": run.given.section("templates").get("recipe"),
        "image": run.given.section("templates").get("image"),
        "apps": apps,
        "config": config,
        "tables": tables,
        "files": {DUMP: {"bytes": found["bytes"], "sha256": found["sha256"]}},
        "createdAt": datetime.datetime.now(datetime.timezone.utc).strftime(CREATED_AT),
    }


def take_away(run):
    """The throw-away site with all its traces. What is not ours is not touched, and stops the run."""
    if step_drop.run(run).get("foreign"):
        raise Failure("ForeignSite", f"{run.site.name}, from which templates are made, is not ours, so it was not touched; remove it if it is nobody's.")


def aside(run, work, *arguments):
    try:
        return run.aside(work, *arguments)
    except ChildFailed as failed:
        raise failed.into("TemplateFailed", "The sites volume does not take or give the template; it is tried again") from None


def make_folder(path):
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    for folder in (tenant_template.TEMPLATES, os.path.dirname(path)):
        os.chmod(folder, 0o700)
    os.mkdir(path, 0o700)


def seal(making, folder, manifest):
    """Everything on disk, and only then the template's own name. In a child."""
    # The backup's copy of the config among it, with its secrets.
    shutil.rmtree(os.path.join(making, "raw"))
    dump = os.path.join(making, DUMP)
    os.chmod(dump, 0o600)
    with open(dump, "rb") as file:
        os.fsync(file.fileno())
    write_json(os.path.join(making, MANIFEST), manifest, 0o600)
    sync_folder(making)
    if os.path.lexists(folder):
        going = gone_name(folder)
        shutil.rmtree(going, ignore_errors=True)
        os.rename(folder, going)
    os.rename(making, folder)
    sync_folder(os.path.dirname(folder))
    shutil.rmtree(gone_name(folder), ignore_errors=True)


def gone_name(folder):
    return os.path.join(os.path.dirname(folder), f".{os.path.basename(folder)}.gone")


def sweep(folder, keep):
    """Takes away the Bench's templates but these, and what killed runs left; how many there were. In a child."""
    if not os.path.isdir(folder) or os.path.islink(folder):
        return 0
    removed = 0
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    for name in names:
        path = os.path.join(folder, name)
        if tenant_template.is_name(name) and name not in keep:
            # Without its name first: half a template must not be taken for a whole one.
            os.rename(path, gone_name(path))
            shutil.rmtree(gone_name(path))
            removed += 1
        elif name.startswith("."):
            shutil.rmtree(path)
    for empty in (folder, tenant_template.TEMPLATES):
        with contextlib.suppress(OSError):  # not empty
            os.rmdir(empty)
    return removed
