"""revoke: neither API user of a site that is kept can be used any more."""

import tenant_keys
from tenant_failure import ChildFailed


def run(run):
    if not run.given.expect_site and not (run.site.exists() and run.site.is_own()):
        # An adoption that never came about: the site is as it was.
        return {"revoked": False, "foreign": True}
    if run.given.adopted and not run.site.database_name:
        # The marker was written, and what its Job said of the database was lost.
        run.site.database_name = (run.site.config() or {}).get("db_name")
    site = run.owned(ending=True)
    wanted = run.given.section("keys")
    users = [wanted[slot] for slot in ("user", "other") if wanted.get(slot)]
    try:
        run.inside(tenant_keys.revoke, site.name, users)
    except ChildFailed as failed:
        raise failed.into("UserFailed", f"The keys of {' and '.join(users)} cannot be revoked") from None
    return {"revoked": True}
