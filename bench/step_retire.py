"""retire: the API user of the pair before cannot be used any more.

Nothing else in the operator takes a key from programs that may still have it. So the pair that took its
place is looked for first: where the site does not hold it, the one before is left as it is. The two users
take turns: a runner that was held up until one more pair was set would stop the newest.
"""

import tenant_keys
from tenant_failure import ChildFailed, Failure


def run(run):
    site = run.owned()
    run.secrets.need(api_key="TENANT_API_KEY", api_secret="TENANT_API_SECRET")
    wanted = run.given.section("keys")
    user, other = wanted.get("user"), wanted.get("other")
    if not user or not other or user == other:
        raise Failure("BadInput", "Bad input to the step: keys.user and keys.other must be two users.")
    if site.state().get("pair") != wanted.get("pair"):
        raise Failure("UserFailed", f"Another pair was set in {site.name} than this run knows of, so nothing was revoked; it is tried again.")
    try:
        holds = run.inside(tenant_keys.retire, site.name, user, other, run.secrets.api_key, run.secrets.api_secret)
    except ChildFailed as failed:
        raise failed.into("UserFailed", f"The key of {other} cannot be revoked") from None
    if not holds:
        raise Failure("UserFailed", f"The site does not hold the key of {user} as it should, so that of {other} was not revoked; it is tried again.")
    return {"user": other, "revoked": True}
