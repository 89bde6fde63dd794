"""One run of this program: the input, the lock, the site, and the way into the bench."""

import time

import tenant_child
import tenant_frappe
from tenant_database import Database, address, tls
from tenant_failure import Failure
from tenant_site import Site, read_json


class Run:
    """What every step is given. A context manager: the tenant's lock is held in between."""

    def __init__(self, given, secrets, report, locked=True):
        self.given = given
        self.secrets = secrets
        self.report = report
        self.site = Site.of(given.raw)
        self.database = None
        self.nothing_to_archive = False  # said by archive, for the drop that follows it
        self._locked = locked
        common = read_json("common_site_config.json") or {}
        self.common = common
        self.where = {**address(given.database, common), **tls(common)}

    def __enter__(self):
        if self._locked:
            self.guard_protected()
            self.secrets.need(root_password="TENANT_DB_ROOT_PASSWORD")
            self.database = Database(self.where, self.given.database.get("rootUser") or "root", self.secrets.root_password)
            try:
                self.database.hold(f"tenant-{self.given.id}")
            except BaseException:
                self.database.close()
                raise
        tenant_frappe.load()
        return self

    def __exit__(self, *_):
        if self.database:
            self.database.close()

    def guard_protected(self):
        """The registry's own site and the bench's default site are nobody's tenant."""
        if self.given.site in (*self.given.protected, self.common.get("default_site"), current_site()):
            raise Failure("ProtectedSite", f"{self.given.site} is the Master's or the bench's default site; choose another site name.")

    def pulse(self):
        if self.database:
            self.database.pulse()

    def wait(self, seconds):
        """Waits without losing the lock unnoticed."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 1.0))
            self.pulse()

    def inside(self, work, *arguments):
        """Runs a function of ours that uses Frappe, in a child; its time is the bench's."""
        return self._timed(work, arguments)[0]

    def command(self, *words):
        """Runs a bench command and returns the lines it wrote. Secrets may be among the words."""
        return self._timed(tenant_frappe.command, (words,))[1]

    def aside(self, work, *arguments):
        """The same for work of ours that may take long: the lock is minded meanwhile."""
        return tenant_child.run(work, arguments, self.pulse)[0]

    def _timed(self, work, arguments):
        started = time.monotonic()
        try:
            return tenant_child.run(work, arguments, self.pulse)
        finally:
            self.report.bench_seconds += time.monotonic() - started

    def owned(self, ending=False):
        """The site, proven to be this tenant's own; every step but create begins with this. `ending`: on a Tenant's way down."""
        self.guard_protected()
        self.site.require_own(ending)
        return self.site


def current_site():
    """The default site as older benches note it."""
    try:
        with open("currentsite.txt", encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return None
