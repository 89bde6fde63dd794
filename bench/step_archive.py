"""archive: everything needed to bring the site back, on the sites volume, proven to be whole.

The site is brought to rest first: maintenance on, scheduler paused, the time waited in which a worker
may still believe its cached config, and no job left in Redis. The archive appears under its name in
one move, with its manifest; so an archive that can be found is a complete one.
"""

import datetime
import os
import re
import shutil
import time

import tenant_archive
import tenant_frappe
import tenant_suspend
from tenant_failure import ChildFailed, Failure
from tenant_site import sync_folder, write_json

JOB_TRIES, JOB_SECONDS = 4, 5
CREATED_AT = "%Y-%m-%dT%H:%M:%SZ"
# Bench names its files <time>-<site>-<part>: only the part is kept, the folder says the rest.
_PART = re.compile(r"-((?:database|private-files|files|site_config_backup)(?:-enc)?\.(?:sql\.gz|sql|tar|tgz|json))\Z")


def run(run):
    wanted = run.given.section("archive")
    directory = run.given.archive_directory(wanted.get("directory"))
    if os.path.lexists(directory):
        return tenant_archive.verify(run, directory)
    if nothing_to_archive(run):
        run.nothing_to_archive = True
        return {"directory": None, "files": 0, "bytes": 0}
    run.owned(ending=True)
    quiesce(run, wanted.get("configCacheSeconds", 60))
    making = os.path.join(os.path.dirname(directory), f".{os.path.basename(directory)}.part")
    run.aside(make_folder, making)
    back_up(run, making)
    seal(run, making, directory)
    return tenant_archive.verify(run, directory)


def nothing_to_archive(run):
    """A site that never came to be, or never was ours, has no data to keep."""
    if run.site.exists() and run.site.is_own():
        return bool(run.site.state().get("creating"))
    return not run.given.expect_site


def quiesce(run, cache_seconds):
    now = int(time.time())
    with run.site.changing() as config:
        since = tenant_suspend.close(config)
    left = max(0, min(since + cache_seconds - now, cache_seconds))
    if left:
        run.report.say(f"archive: at rest; waiting {left} s until no worker believes its cached config")
    run.wait(left)
    wait_for_jobs(run)


def wait_for_jobs(run):
    for attempt in range(JOB_TRIES):
        try:
            run.command("--site", run.site.name, "ready-for-migration")
            return
        except ChildFailed as failed:
            if not any("NOT READY" in line for line in failed.tail):
                raise failed.into("ArchiveFailed", "Whether the site has jobs cannot be found out; nothing was dropped") from None
        if attempt < JOB_TRIES - 1:
            run.wait(JOB_SECONDS)
    raise Failure("JobsRunning", f"{run.site.name} still has background jobs; it is archived once they are done, or purge them in the bench.")


def make_folder(path):
    """An empty folder that only the bench's user can read, on the way to the archive."""
    shutil.rmtree(path, ignore_errors=True)
    for folder in ("archived_sites", os.path.dirname(path)):
        os.makedirs(folder, mode=0o700, exist_ok=True)
    os.chmod(os.path.dirname(path), 0o700)
    os.mkdir(path, 0o700)


def back_up(run, making):
    run.report.say("archive: dumping the database and the files")
    # Verbose: without it a failed backup does not say why.
    words = ["--site", run.site.name, "backup", "--with-files", "--verbose", "--backup-path", os.path.abspath(making)]
    try:
        run.command(*words)
    except ChildFailed as failed:
        raise failed.into("ArchiveFailed", f"The backup of {run.site.name} failed; nothing was dropped, it is tried again") from None
    for name in os.listdir(making):
        part = _PART.search(name)
        if not part:
            raise Failure("ArchiveFailed", f"The bench's backup made a file of unknown kind, {name}; nothing was dropped.")
        os.rename(os.path.join(making, name), os.path.join(making, part.group(1)))
    config = os.path.join(making, "site_config_backup.json")
    if not tenant_archive.has_key(config):
        # Without its encryption key no secret in the dump can be read again.
        write_json(config, run.site.config(), 0o600)
    if os.path.exists(os.path.join(making, "database.sql.gz")):
        tenant_archive.prove_readable(run, os.path.join(making, "database.sql.gz"))


def seal(run, making, directory):
    """Manifest, everything on disk, and only then the archive's own name."""
    try:
        installed, versions = run.inside(tenant_frappe.apps, run.site.name)
    except ChildFailed as failed:
        raise failed.into("ArchiveFailed", "The site's apps cannot be read; nothing was dropped") from None
    run.aside(to_disk, making)
    manifest = tenant_archive.describe(run, making, [{"name": app, "version": versions.get(app, "")} for app in installed])
    manifest["createdAt"] = datetime.datetime.now(datetime.timezone.utc).strftime(CREATED_AT)
    write_json(os.path.join(making, tenant_archive.MANIFEST), manifest, 0o600)
    sync_folder(making)
    os.rename(making, directory)
    sync_folder(os.path.dirname(directory))


def to_disk(folder):
    """Every file readable by its owner only, and on disk."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        os.chmod(path, 0o600)
        with open(path, "rb") as file:
            os.fsync(file.fileno())
