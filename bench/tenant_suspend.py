"""Whether the site is suspended: Frappe's own maintenance mode, in the site's config.

A site that we did not close is never opened: a person may have it in maintenance for reasons of his own. So what the
config said before we closed it is kept in the site, and stands there again once the site is resumed.
"""

import time

from tenant_site import STATE, merge

CLOSED = {"maintenance_mode": 1, "pause_scheduler": 1}
READS = "allow_reads_during_maintenance"
KEYS = (*CLOSED, READS)
MODES = {"Maintenance": CLOSED, "ReadOnly": {**CLOSED, READS: 1}}


def is_closed(config):
    """Nothing of the site can be read or changed, and no job is begun."""
    return all(config.get(key) == value for key, value in CLOSED.items()) and not config.get(READS)


def close(config):
    """Closes the site, for whatever reason; the moment since when it is closed by us."""
    since = (config.get(STATE) or {}).get("resting_since") if is_closed(config) else None
    since = since or int(time.time())
    note_before(config)
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
        elif mode:
            note_before(config)
            change(config, MODES[mode])
        elif ours(config):
            change(config, (config.get(STATE) or {}).get("before") or {})
            merge(config, STATE, {"before": None})
        merge(config, STATE, {"suspended": mode})
        return [f"config:{key}" for key in KEYS if before.get(key) != config.get(key)]


def ours(config):
    state = config.get(STATE) or {}
    return bool(state.get("suspended") or state.get("resting_since"))


def note_before(config):
    """What the config says of its own, in the same move that closes the site; later it says what we made of it."""
    if not ours(config):
        merge(config, STATE, {"before": {key: config[key] for key in KEYS if key in config} or None})


def change(config, values):
    """What archive remembers of a closed site is no longer so."""
    for key in KEYS:
        config.pop(key, None)
    config.update(values)
    merge(config, STATE, {"resting_since": None})


def checks(mode):
    """(key, a check of the config) for what a suspended site has to say, for looking only."""
    found = [(key, lambda config, key=key, value=value: config.get(key) == value) for key, value in MODES.get(mode, {}).items()]
    if mode in MODES and READS not in MODES[mode]:
        found.append((READS, lambda config: not config.get(READS)))
    return found
