"""What only the stand-in has: which release of Frappe it behaves like, and its fault points.

STANDIN_FRAPPE, or the file sites/.standin-release for all that run on that bench, chooses the release:
`15` (15.72, the default), `15.44` (the oldest that was measured) or `16`.
Fault points are named places in the commands and in the server; `sites/.standin-faults.json`
(or the variable STANDIN_FAULTS, as JSON) says what happens there. README.md lists them.
"""

import fcntl
import functools
import json
import os
import signal
import time

VERSIONS = {"15.44": (15, 44, 2), "15": (15, 72, 4), "16": (16, 0, 0)}
SITES = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", "..", "sites"))
RELEASE_FILE = os.path.join(SITES, ".standin-release")
FAULTS_FILE = os.path.join(SITES, ".standin-faults.json")


class Fault(Exception):
    """The failure that a fault point was told to have."""


def release():
    """The version that is imitated, as a tuple."""
    return VERSIONS[os.environ.get("STANDIN_FRAPPE") or _release_of_the_bench()]


@functools.cache
def _release_of_the_bench():
    """Jobs on a bench know its volumes, not the variables of its other pods."""
    try:
        with open(RELEASE_FILE) as file:
            return file.read().strip()
    except FileNotFoundError:
        return "15"


def is_16():
    return release() >= (16,)


def wizard_is_per_app():
    """From 15.70 on each installed app says for itself whether its setup is complete."""
    return release() >= (15, 70)


def checks_site_names():
    return release() >= (15, 70)


def version():
    text = ".".join(map(str, release()))
    return text + "-dev" if is_16() else text


def point(name, site=None, **facts):
    """A place where the stand-in can be told to fail, hang, wait or die."""
    fault = _take(name, site or _current_site(), facts)
    if fault is None:
        return
    kind = fault.get("do")
    if kind == "slow":
        time.sleep(float(fault.get("seconds", 1)))
    elif kind == "hang":
        time.sleep(float(fault.get("seconds", 86400)))
    elif kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif kind == "fail":
        raise Fault(fault.get("message") or f"stand-in fault at {name}")
    else:
        raise ValueError(f"fault point {name}: `do` is fail, hang, slow or kill, not {kind!r}")


def _current_site():
    import frappe

    return getattr(frappe.local, "site", None)


def _take(name, site, facts):
    """The fault that is set for this point and still has times left; counts one off."""
    faults = json.loads(os.environ.get("STANDIN_FAULTS") or "{}")
    if name in faults:
        return faults[name] if _applies(faults[name], site, facts) else None
    if not os.path.exists(FAULTS_FILE):
        return None
    with open(FAULTS_FILE, "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        faults = json.loads(file.read() or "{}")
        fault = faults.get(name)
        if fault is None or not _applies(fault, site, facts):
            return None
        if "times" in fault:
            fault["times"] -= 1
            file.seek(0)
            json.dump(faults, file)
            file.truncate()
    return fault


def _applies(fault, site, facts):
    if fault.get("times", 1) <= 0 or fault.get("site", site) != site:
        return False
    if not str(facts.get("path", "")).startswith(fault.get("path", "")):
        return False
    return fault.get("method", facts.get("method")) == facts.get("method")
