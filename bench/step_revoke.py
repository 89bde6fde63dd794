"""revoke: the API user of a site that is kept can no longer be used."""

import tenant_keys
from tenant_failure import ChildFailed


def run(run):
    site = run.owned()
    user = run.given.section("keys").get("user")
    try:
        run.inside(tenant_keys.revoke, site.name, user)
    except ChildFailed as failed:
        raise failed.into("UserFailed", f"The key of {user} cannot be revoked") from None
    return {"revoked": True}
