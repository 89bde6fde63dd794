"""The site's folder: its site_config.json, our marker in it, and whose it is.

Nothing is forced, changed or dropped unless the marker in the site's config is this tenant's. The
config appears together with its folder, marker included, so there is no moment at which a site of
ours lacks its marker.
"""

import contextlib
import fcntl
import json
import os
import shutil

from tenant_failure import Failure

MARKER = "tenant_operator"
# What we need to know about our own work half done: see README.md, "What the site remembers".
STATE = "tenant_operator_state"
# A place of our own on the sites volume. Not seen as a site: it holds no site_config.json itself.
WORKSHOP = ".tenant-operator"


class Site:
    def __init__(self, name, marker, database_name):
        self.name = name
        self.marker = {key: marker.get(key) for key in ("id", "namespace", "name", "cluster")}
        self.database_name = database_name
        self.folder = name
        self.config_path = os.path.join(name, "site_config.json")

    @classmethod
    def of(cls, expected):
        """The site of an input, or of an expectation, in its JSON form."""
        return cls(expected.get("site") or "", expected.get("marker") or {}, (expected.get("database") or {}).get("name"))

    def exists(self):
        return os.path.lexists(self.folder)

    def config(self):
        """The site's config, or None where there is none that can be read."""
        return read_json(self.config_path)

    def state(self):
        return (self.config() or {}).get(STATE) or {}

    def is_own(self):
        """The id alone is not enough: a copied cluster has the same ids."""
        marker = (self.config() or {}).get(MARKER)
        return isinstance(marker, dict) and all(marker.get(key) == self.marker[key] for key in ("id", "cluster"))

    def whose(self, marker):
        """Why a site is not this tenant's, and what a person may do; to be put into a sentence."""
        if not marker:
            return (
                "exists without a marker; to take it over, list it in the Bench's adoption.siteNames and set adoption to TakeOver, "
                "or else choose another subdomain or remove that site"
            )
        who = marker if isinstance(marker, dict) else {}
        if who.get("id") and who.get("cluster") == self.marker.get("cluster"):
            return (
                f"carries the marker of tenant {who['id']} (its Secret {who['id']}-custody may still be there): restore that tenant's "
                "TenantClaim and Secret from a backup, choose another subdomain, or remove that site"
            )
        return "carries the marker of another cluster's tenant; choose another subdomain, or take tenant_operator out of its site_config.json"

    def require_own(self, ending=False):
        if not self.exists():
            raise Failure("SiteVanished", f"The folder of {self.name} is gone from the sites volume; restore it from a backup or an archive, {way_out(ending)}.")
        if not self.is_own():
            raise Failure("ForeignSite", f"{self.name} {self.whose((self.config() or {}).get(MARKER))}, so it was not touched.")
        config = self.config()
        if not self.database_name:
            raise Failure("BadInput", "Bad input to the step: database.name is not given.")
        # The user bears the database's name. drop-site drops whichever the config names, so both count.
        if config.get("db_name") != self.database_name or config.get("db_user", self.database_name) != self.database_name:
            raise Failure(
                "ForeignDatabase",
                f"{self.name} names another database or user than {self.database_name} in its site_config.json, so it was not touched; "
                "put db_name and db_user back.",
            )

    def others_with_database(self):
        """Other sites of this bench whose config names our database."""
        sites = [entry.name for entry in os.scandir(".") if entry.is_dir() and entry.name != self.name]
        return [name for name in sites if (read_json(os.path.join(name, "site_config.json")) or {}).get("db_name") == self.database_name]

    def require_database_unshared(self):
        others = self.others_with_database()
        if others:
            raise Failure(
                "ForeignDatabase",
                f"The database {self.database_name} is named by {others[0]} as well, so nothing was touched; find out whose it is.",
            )

    def appear(self, config):
        """Makes the site's folder with its config in one move."""
        with workshop(self.marker["id"]) as folder:
            making = os.path.join(folder, "site")
            os.mkdir(making, 0o755)
            os.chmod(making, 0o755)  # whatever the umask: nginx reads the public files
            write_json(os.path.join(making, "site_config.json"), config, 0o600)
            sync_folder(making)
            os.rename(making, self.folder)
            sync_folder(".")

    def remember(self, **changes):
        """Changes our own notes in the config; None forgets one."""
        with self.changing() as config:
            merge(config, STATE, changes)

    @contextlib.contextmanager
    def changing(self):
        """The config, for changing it in place; written, as a whole, only if it differs."""
        with self._locked():
            config = self.config()
            before = json.dumps(config, sort_keys=True)
            yield config
            if json.dumps(config, sort_keys=True) != before:
                write_json(self.config_path, config, os.stat(self.config_path).st_mode & 0o777)
                sync_folder(self.folder)

    @contextlib.contextmanager
    def _locked(self):
        """Frappe's own lock for changes of a site's config, where the site is far enough to have it."""
        locks = os.path.join(self.folder, "locks")
        if not os.path.isdir(locks):
            yield
            return
        with open(os.path.join(locks, "site_config.lock"), "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def way_out(ending):
    """For a person who does not want a site that has vanished back; `ending`: the Tenant is being deleted already."""
    if ending:
        return "or let it go: set deletionPolicy: Delete in the Tenant, or annotate it with tenancy.nexuserp.io/abandon-after=1h"
    return "or set deletionPolicy: Delete in the Tenant and delete it"


def merge(config, key, changes):
    merged = {**(config.get(key) or {}), **changes}
    kept = {name: value for name, value in merged.items() if value is not None}
    if kept:
        config[key] = kept
    else:
        config.pop(key, None)


@contextlib.contextmanager
def workshop(tenant):
    """A folder of the tenant's on the sites volume, for what is half made; gone afterwards."""
    try:
        yield open_workshop(tenant)
    finally:
        clear_workshop(tenant)


def open_workshop(tenant):
    """The folder, empty. Only under the tenant's lock."""
    clear_workshop(tenant)
    folder = os.path.join(WORKSHOP, tenant)
    # Parents included: the run of another tenant may just have removed the empty one.
    os.makedirs(folder, mode=0o700)
    return folder


def clear_workshop(tenant):
    """Only under the tenant's lock. Whether nothing is left."""
    folder = os.path.join(WORKSHOP, tenant)
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):  # not there, or another tenant's run is in it
        os.rmdir(WORKSHOP)
    return not os.path.lexists(folder)


def read_json(path):
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_json(path, value, mode):
    """Writes a file so that after a crash it is either the old or the new one, never half of it."""
    part = f"{path}.{os.getpid()}.part"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, mode)
        json.dump(value, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(descriptor)
    os.rename(part, path)


def sync_folder(path):
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
