"""What must be true of a site that somebody else made before it can become a tenant's.

Nothing here changes anything. The Master's site and the bench's default site are refused before (tenant_run).
"""

import tenant_key
import tenant_server
from tenant_failure import Failure
from tenant_input import is_database_name
from tenant_site import MARKER


def examine(run):
    """The site's config, whose database is whole and nobody else's; anything else is a Failure that says what to do."""
    site = run.site
    if not site.exists():
        # Which others there are is nobody's business who may write a Tenant.
        raise Failure(
            "NoSuchSite",
            f"There is no site {site.name} to take over: the Bench's adoption.siteNames lists it, but {run.given.bench_path}/sites has no such folder "
            "(a person lists them with ls there). Delete this Tenant, and apply it with the right siteName, or without adoption to have the site made.",
        )
    config = site.config()
    if config is None:
        raise Failure("ForeignSite", f"{site.name} has no site_config.json that can be read, so it was not touched; put that right first.")
    refuse_marked(site, config)
    name = config.get("db_name")
    if config.get("db_type", "mariadb") != "mariadb" or not is_database_name(name) or config.get("db_user", name) != name:
        raise Failure(
            "ForeignDatabase",
            f"{site.name} cannot be taken over: its db_name must be that of a MariaDB database of plain letters and digits, with a user of the same name.",
        )
    site.database_name = name
    site.require_database_unshared()
    require_whole(run, name)
    tenant_server.require_same(run, config)
    if not config.get(tenant_key.NAME):
        tenant_key.refuse_lost(run)
    return config


def refuse_marked(site, config):
    marker = config.get(MARKER)
    if marker is not None and not site.is_own():
        raise Failure("ForeignSite", f"{site.name} {site.whose(marker)}, so it was not touched.")


def require_whole(run, name):
    if run.database.exists(name):
        apps, has_administrator = run.database.completeness(name)
        if "frappe" in apps and has_administrator:
            return
    raise Failure("ForeignDatabase", f"The database {name} of {run.site.name} is not there, or is no complete site; nothing was touched.")
