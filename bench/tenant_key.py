"""The encryption key of a site that was there before us: there is one, and only one.

A site that never kept a secret has none; Frappe makes one when it first needs it. But each worker of Frappe 16 believes a site's config
for a minute: two would make two, the later over the earlier, and what was encrypted meanwhile could never be read again. So it is made
here, before the first secret of ours, and waited for until every worker has read it. Where one was faster, its key is the one.
"""

import base64
import os
import time

from tenant_failure import Failure
from tenant_site import STATE, merge

NAME = "encryption_key"
CACHE_SECONDS = 60
# After the first, no worker is left that could make another.
ROUNDS = 3


def ensure(run):
    """Whether one had to be made."""
    made = False
    if not (run.site.config() or {}).get(NAME):
        refuse_lost(run)
        with run.site.changing() as config:
            made = put(config)
    settle(run)
    return made


def put(config):
    """Under the lock of the site's config."""
    if config.get(NAME):
        return False
    config[NAME] = base64.urlsafe_b64encode(os.urandom(32)).decode()
    note(config)
    return True


def refuse_lost(run):
    """Secrets without a key: it was lost, and another one would only hide that. Ours are set again by themselves."""
    keys = run.given.section("keys")
    ours = [keys.get("user") or "", keys.get("other") or ""]
    if run.database.encrypted_beside(run.site.database_name, ours):
        raise Failure(
            "EncryptionKeyLost",
            f"{run.site.name} has secrets that are encrypted, and no encryption_key in its site_config.json to read them with: put it back from a backup. "
            f"If it is lost for good, have a new one made: bench --site {run.site.name} execute frappe.utils.password.get_encryption_key",
        )


def settle(run):
    """Waits until no worker can believe in a config without this key."""
    seconds = run.given.raw.get("configCacheSeconds", CACHE_SECONDS)
    for _ in range(ROUNDS):
        noted = run.site.state().get("key_made")
        if not noted:
            return
        left = max(0, min(noted["at"] + seconds - time.time(), seconds))
        if left:
            run.report.say(f"encryption key: made; waiting {left:.0f} s until every worker has read it")
        run.wait(left)
        with run.site.changing() as config:
            if config.get(NAME) == noted["key"]:
                merge(config, STATE, {"key_made": None})
            else:
                keep(config, noted["key"])
                put(config) or note(config)


def note(config):
    merge(config, STATE, {"key_made": {"at": int(time.time()), "key": config[NAME]}})


def keep(config, other):
    """Whatever was encrypted under another key can only ever be read with it."""
    state = config.get(STATE) or {}
    merge(config, STATE, {"replaced_keys": sorted({*state.get("replaced_keys", []), other})})
