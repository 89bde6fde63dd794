"""revoke: the API user of a site that is kept can no longer be used."""

import tenant_keys
from tenant_failure import ChildFailed


def run(run):
    if not run.given.expect_site and not (run.site.exists() and run.site.is_own()):
        # An adoption that never came about: the site is as it was.
        return {"revoked": False, "foreign": True}
    if run.given.adopted and not run.site.database_name:
        # The marker was written, and what its Job said of the database was lost.
        run.site.database_name = (run.site.config() or {}).get("db_name")
    site = run.owned()
    user = run.given.section("keys").get("user")
    try:
        run.inside(tenant_keys.revoke, site.name, user)
    except ChildFailed as failed:
        raise failed.into("UserFailed", f"The key of {user} cannot be revoked") from None
    return {"revoked": True}
