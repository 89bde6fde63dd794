"""expire: archives that are older than the Bench keeps them go, and nothing else does.

Other tools keep things in archived_sites as well. Ours is a folder that is named by a tenant's id, and
in it only what has a manifest of that tenant's, or a temporary name that this program gives. Symbolic
links are not followed.
"""

import contextlib
import datetime
import os
import re
import shutil
import time

from step_archive import CREATED_AT
from tenant_archive import MANIFEST, PARTS, part_of
from tenant_failure import Failure
from tenant_input import require
from tenant_site import Site, read_json

ARCHIVES = "archived_sites"
# A backup under way is not an old one, however short the Bench keeps archives.
DAY = 24 * 3600

_TENANT = re.compile(r"[0-9a-f]{16}\Z")
# The operator's form of a time: an archive under any other name is somebody's who wants to keep it.
_ARCHIVE = re.compile(r"[0-9]{8}T[0-9]{6}Z\Z")
_PART = re.compile(r"\.[0-9]{8}T[0-9]{6}Z\.part\Z")
_GOING = re.compile(r"\.[0-9]{8}T[0-9]{6}Z\.expired\Z")


def run(run):
    keep = run.given.section("expire").get("keepSeconds")
    require(type(keep) is int and keep > 0, "expire.keepSeconds must be a number of seconds")
    expiry = Expiry(keep, run.report.say)
    if os.path.isdir(ARCHIVES) and not os.path.islink(ARCHIVES):
        expiry.all()
    return expiry.facts()


class Expiry:
    """One look at all archives, and what became of them."""

    def __init__(self, keep, say):
        self._now, self._keep, self._say = time.time(), keep, say
        self._expired = self._kept = self._bytes = 0
        self._problems = []

    def all(self):
        for tenant in filter(_TENANT.match, folders(ARCHIVES)):
            try:
                self._tenant(tenant, os.path.join(ARCHIVES, tenant))
            except OSError as error:  # the others' archives go all the same
                self._problems.append(f"{tenant}: {error}")

    def facts(self):
        if self._problems:
            message = f"The archives of {len(self._problems)} tenants cannot be taken away ({self._problems[0]}); see that the bench's user may, it is tried again."
            raise Failure("ExpireFailed", message, self._problems)
        return {"expired": self._expired, "kept": self._kept, "bytes": self._bytes}

    def _tenant(self, tenant, folder):
        for name in folders(folder):
            path = os.path.join(folder, name)
            if _ARCHIVE.match(name):
                self._archive(tenant, path)
            elif _GOING.match(name) or (_PART.match(name) and self._is_older(newest(path), max(self._keep, DAY))):
                self._remove(path)
        with contextlib.suppress(OSError):  # not empty
            os.rmdir(folder)

    def _archive(self, tenant, path):
        manifest = manifest_of(tenant, path)
        if manifest is None:
            self._say(f"expire: {path} has no valid manifest and is left alone")
        elif not self._is_older(created_at(manifest), self._keep) or Site.of(manifest).is_own():
            # Where the site is still there, its tenant's deletion is not finished, and will verify this archive.
            self._kept += 1
        else:
            # Without its name first: half an archive must not be taken for a whole one.
            going = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.expired")
            os.rename(path, going)
            self._remove(going)
            self._expired += 1
            self._say(f"expire: {path} is gone")

    def _is_older(self, moment, seconds):
        return moment < self._now - seconds

    def _remove(self, path):
        size = sum(os.lstat(os.path.join(where, name)).st_size for where, _, names in os.walk(path) for name in names)
        shutil.rmtree(path)
        self._bytes += size


def count_archives():
    """How many whole archives there are, of all tenants."""
    if not os.path.isdir(ARCHIVES) or os.path.islink(ARCHIVES):
        return 0
    return sum(count_of(tenant) for tenant in folders(ARCHIVES) if _TENANT.match(tenant))


def count_of(tenant):
    folder = os.path.join(ARCHIVES, tenant)
    try:
        found = [os.path.join(folder, name) for name in folders(folder) if _ARCHIVE.match(name)]
        return sum(manifest_of(tenant, path) is not None for path in found)
    except OSError:
        return 0  # it expired meanwhile


def folders(path):
    with os.scandir(path) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))


def newest(folder):
    return max(os.lstat(path).st_mtime for path in (folder, *(os.path.join(folder, name) for name in os.listdir(folder))))


def manifest_of(tenant, folder):
    """The manifest of an archive, where there is a whole one that says it is this tenant's."""
    path = os.path.join(folder, MANIFEST)
    manifest = None if os.path.islink(path) else read_json(path)
    if manifest is None or (manifest.get("version"), manifest.get("id")) != (1, tenant):
        return None
    site, marker, files = (manifest.get(name) for name in ("site", "marker", "files"))
    if not isinstance(site, str) or not isinstance(marker, dict) or not isinstance(files, dict):
        return None
    whole = {part_of(name) for name in files} == set(PARTS) and created_at(manifest) is not None
    return manifest if whole else None


def created_at(manifest):
    try:
        return datetime.datetime.strptime(manifest["createdAt"], CREATED_AT).replace(tzinfo=datetime.timezone.utc).timestamp()
    except (KeyError, TypeError, ValueError):
        return None
