"""keys: the API user has exactly the key and secret that custody holds.

Custody is first: the pair exists there before it is set here. It is set only where it differs, since
the ciphertext of a secret differs each time and would make every run look like a change.
"""

import tenant_keys
from tenant_failure import ChildFailed, Failure
from tenant_inspect import sha256


def run(run):
    site = run.owned()
    run.secrets.need(api_key="TENANT_API_KEY", api_secret="TENANT_API_SECRET")
    if ":" in run.secrets.api_key + run.secrets.api_secret:
        raise Failure("BadInput", "Bad input to the step: a key or secret with a colon cannot be used in a token.")
    wanted = run.given.section("keys")
    pair = run.secrets.api_key, run.secrets.api_secret
    refuse_late(run, wanted)
    # First: from now on no runner of an earlier Job sets another pair, or stops this one.
    issued = run.given.issued or None
    if site.state().get("pair") != wanted.get("pair"):
        site.remember(pair=wanted.get("pair"), pair_issued=issued)
    try:
        changed, holds, proven = run.inside(tenant_keys.apply, site.name, wanted, *pair)
    except ChildFailed as failed:
        raise explain(failed, wanted["user"]) from None
    if changed and issued:
        site.remember(pair_issued=issued)
    if not holds:
        raise Failure("UserFailed", f"The key of {wanted['user']} was set, but does not read back; it is set again with the next try.")
    if wanted.get("verifyInSite") and not proven:
        raise Failure("UserFailed", f"Frappe's own check refuses the key of {wanted['user']}; it is set again with the next try.")
    # By which inspect sees that somebody changed them. Both are long and random: nothing leads back from their hashes.
    hashes = {"apiKey": sha256(pair[0]), "apiSecret": sha256(pair[1])}
    return {"user": wanted["user"], "changed": changed, "proven": proven, "sha256": hashes}


def refuse_late(run, wanted):
    """A runner that was lost and comes back, after a later Job has set the key: under the lock, by when each Job was made.

    Not by the pair's number: that counts from the start again where the operator's record was lost."""
    since = run.site.state().get("pair_issued")
    if since and run.given.issued and run.given.issued < since:
        raise Failure(
            "Superseded",
            f"A later Job has set the key of {run.site.name} since this one was made, so nothing was changed (pair {wanted.get('pair')}); "
            "where the operator's clock was put back, this ends by itself once it has caught up.",
        )


def explain(failed, user):
    if failed.kind.endswith(("UniqueValidationError", "KeyTaken")):
        return Failure("KeyConflict", "Another user of the site has this API key; take it from that user, then set the Tenant's annotation tenancy.nexuserp.io/retry-at to the present time.")
    if failed.kind.endswith("NotKept"):
        return Failure("UserFailed", failed.message)
    return failed.into("UserFailed", f"The API user {user} cannot be given its key")
