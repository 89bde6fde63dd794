"""drop: site, database and database user are gone, and proven to be.

Frappe's drop-site drops the database that the site's config names, whoever that belongs to; so the
marker and the database's name are checked again here, under the lock, and no earlier receipt is
believed. After an archive, the archive is verified again first.
"""

import tenant_archive
import tenant_frappe
import tenant_server
from tenant_database import Database
from tenant_failure import ChildFailed, Failure
from tenant_site import clear_workshop, open_workshop


def run(run):
    manifest = run.given.section("drop").get("manifest")
    if manifest and not run.nothing_to_archive:
        tenant_archive.verify(run, run.given.archive_directory(manifest))
    site, database = run.site, run.database
    site.require_database_unshared()
    if not run.given.expect_site and is_foreign(run):
        return {"dropped": False, "foreign": True}
    dropped = False
    if site.exists():
        run.owned(ending=True)
        if run.given.adopted:
            tenant_server.require_same_to_drop(run)
        drop_with_bench(run)
        dropped = True
    if database.exists(site.database_name) or database.hosts_of(site.database_name):
        # A database without a site, or the hosts that drop-site does not know of.
        root = run.given.database.get("rootUser") or "root"
        work(run, drop_database, run.where, root, run.secrets.root_password, site.database_name)
        dropped = True
    prove_gone(run)
    if not run.aside(clear_workshop, run.given.id):
        raise Failure("DropFailed", f"What {run.site.name} left in the workshop folder cannot be removed yet; it is tried again.")
    return {"dropped": dropped}


def is_foreign(run):
    """Where we never finished a site, somebody else may have had the name first. What is ours half-made
    always has a folder with our marker: it is there before the database, and goes after it."""
    if run.site.exists():
        return not run.site.is_own()
    return run.database.exists(run.site.database_name)


def drop_with_bench(run):
    root = run.given.database.get("rootUser") or "root"
    # Beside the site, so that moving it there is a rename; deleted only once the drop is proven.
    folder = run.aside(open_workshop, run.given.id)
    work(run, tenant_frappe.drop_site, run.site.name, root, run.secrets.root_password, folder)


def drop_database(where, root, password, name):
    """In a child: dropping a large database takes longer than the lock's connection may be silent.
    The site's user has the database's name."""
    Database(where, root, password, answer=600).drop(name, name)


def work(run, function, *arguments):
    try:
        run.inside(function, *arguments)
    except ChildFailed as failed:
        raise failed.into("DropFailed", f"{run.site.name} cannot be dropped yet; it is tried again") from None


def prove_gone(run):
    left = []
    if run.site.exists():
        left.append(f"the folder {run.site.name}")
    if run.database.exists(run.site.database_name):
        left.append(f"the database {run.site.database_name}")
    left += [f"the user {run.site.database_name}@{host}" for host in run.database.hosts_of(run.site.database_name)]
    if left:
        raise Failure("DropFailed", f"drop-site ended without an error, but {', '.join(left)} is still there; it is tried again.")
