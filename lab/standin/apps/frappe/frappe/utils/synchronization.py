"""File locks below the site, by flock: they end with the process that held them."""

import contextlib
import fcntl
import os
import time

import frappe


@contextlib.contextmanager
def filelock(lock_name, *, timeout=30, is_global=False):
    """Holds sites/<site>/locks/<name>.lock, or says LockTimeoutError after `timeout` seconds."""
    folder = os.path.join(frappe.local.sites_path if is_global else frappe.local.site_path, "locks")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"{lock_name}.lock")
    with open(path, "w") as file:
        _acquire(file, lock_name, path, timeout)
        yield


def _acquire(file, lock_name, path, timeout):
    deadline = time.monotonic() + timeout
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise frappe.LockTimeoutError(
                    f"Failed to aquire lock: {lock_name}. Lock may be held by another process.<br>"
                    f"You can manually remove the lock if you think it's safe: {path}"
                ) from None
            time.sleep(0.05)
