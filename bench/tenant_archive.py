"""An archive's manifest: what makes a folder of files an archive that a drop may rely on."""

import gzip
import hashlib
import os

from tenant_failure import Failure
from tenant_site import read_json

MANIFEST = "manifest.json"
CHUNK = 1 << 20
# What has to be there to restore a site, and what of each the name begins with ("-enc" may follow).
PARTS = ("database", "files", "private-files", "site_config_backup")


def describe(run, folder, apps):
    """The manifest of a folder's files as they are now."""
    names = sorted(os.listdir(folder))
    missing = [part for part in PARTS if not any(part_of(name) == part for name in names)]
    if missing:
        raise Failure("ArchiveFailed", f"The bench's backup has no {', '.join(missing)}; nothing was dropped, it is tried again.")
    files = {name: {"bytes": os.path.getsize(os.path.join(folder, name)), "sha256": digest(run, os.path.join(folder, name))} for name in names}
    return {"version": 1, "id": run.given.id, "site": run.site.name, "marker": run.site.marker, "apps": apps, "files": files}


def part_of(name):
    """database.sql.gz, private-files.tar, … : the part is what stands before the first dot."""
    return name.split(".")[0].removesuffix("-enc")


def verify(run, directory):
    """Checks every file of an archive against its manifest; returns the facts."""
    manifest = read_json(os.path.join(directory, MANIFEST))
    if manifest is None:
        raise mismatch(directory, "has no readable manifest")
    if manifest.get("id") != run.given.id or manifest.get("site") != run.site.name:
        raise mismatch(directory, "is another tenant's")
    files = manifest.get("files") or {}
    if {part_of(name) for name in files} != set(PARTS):
        raise mismatch(directory, "is not complete")
    for name, wanted in files.items():
        path = os.path.join(directory, os.path.basename(name))
        if not os.path.isfile(path) or os.path.getsize(path) != wanted.get("bytes") or digest(run, path) != wanted.get("sha256"):
            raise mismatch(directory, f"does not hold {name} as it was written")
    return {"directory": directory, "files": len(files), "bytes": sum(wanted["bytes"] for wanted in files.values())}


def mismatch(directory, what):
    return Failure("ManifestMismatch", f"The archive {directory} {what}, so nothing was dropped; move it away to have a new one made.")


def digest(run, path):
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            found.update(chunk)
            run.pulse()
    return found.hexdigest()


def prove_readable(run, path):
    """A compressed dump is read to its end: a dump cut short is the one thing not to find out later."""
    size = 0
    try:
        with gzip.open(path) as dump:
            while chunk := dump.read(CHUNK):
                size += len(chunk)
                run.pulse()
    except (OSError, EOFError) as error:
        raise Failure("ArchiveFailed", f"The dump cannot be read back ({error}); nothing was dropped, it is tried again.") from None
    if not size:
        raise Failure("ArchiveFailed", "The dump is empty; nothing was dropped, it is tried again.")


def has_key(path):
    return bool((read_json(path) or {}).get("encryption_key"))
