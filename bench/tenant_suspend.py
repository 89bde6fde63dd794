"""Whether the site is suspended: Frappe's own maintenance mode, in the site's config.

A site that we did not close is never opened: a person may have it in maintenance for reasons of his own.
"""

import time

from tenant_site import STATE, merge

CLOSED = {"maintenance_mode": 1, "pause_scheduler": 1}
READS = "allow_reads_during_maintenance"
MODES = {"Maintenance": CLOSED, "ReadOnly": {**CLOSED, READS: 1}}


def is_closed(config):
    """Nothing of the site can be read or changed, and no job is begun."""
    return all(config.get(key) == value for key, value in CLOSED.items()) and not config.get(READS)


def close(config):
    """Closes the site, for whatever reason; the moment since when it is closed by us."""
    since = (config.get(STATE) or {}).get("resting_since") if is_closed(config) else None
    since = since or int(time.time())
    config.update(CLOSED)
    config.pop(READS, None)
    merge(config, STATE, {"resting_since": since})
    return since


def apply(site, mode):
    """The site as the mode says, None for an open one: what had to be changed."""
    if mode is not None and mode not in MODES:
        raise ValueError(f"no such way to suspend a site: {mode}")
    with site.changing() as config:
        before = dict(config)
        if mode == "Maintenance":
            close(config)
        elif mode or ours(config):
            open_up(config, MODES.get(mode) or {})
        merge(config, STATE, {"suspended": mode})
        return [f"config:{key}" for key in (*CLOSED, READS) if before.get(key) != config.get(key)]


def ours(config):
    state = config.get(STATE) or {}
    return bool(state.get("suspended") or state.get("resting_since"))


def open_up(config, values):
    """What archive remembers of a closed site is no longer so."""
    for key in (*CLOSED, READS):
        config.pop(key, None)
    config.update(values)
    merge(config, STATE, {"resting_since": None})


def checks(mode):
    """What the config of a suspended site has to say, for looking only."""
    return list(MODES.get(mode, {}).items())
