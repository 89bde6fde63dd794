"""revoke: neither API user of a site that is kept can be used any more."""

import tenant_keys
from tenant_failure import ChildFailed


def run(run):
    site = run.owned()
    wanted = run.given.section("keys")
    users = [wanted[slot] for slot in ("user", "other") if wanted.get(slot)]
    try:
        run.inside(tenant_keys.revoke, site.name, users)
    except ChildFailed as failed:
        raise failed.into("UserFailed", f"The keys of {' and '.join(users)} cannot be revoked") from None
    return {"revoked": True}
