"""The site-wide limit: so many seconds of work in a window, counted in Redis."""

import time

import frappe
from frappe.utils.redis_wrapper import cache_url, get_connection, going_on_without


def apply():
    """Refuses with 429 once the window's seconds are used up. Without a limit, or Redis, nothing is counted."""
    limit = frappe.conf.rate_limit
    if not limit:
        return
    frappe.local.rate_limit_start, used = time.monotonic(), 0
    with going_on_without():
        used = int(get_connection(cache_url()).get(_key(limit)) or 0)
    if used > limit["limit"] * 1_000_000:
        frappe.throw("Too Many Requests", frappe.TooManyRequestsError)


def update(response):
    limit = frappe.conf.rate_limit
    if not limit:
        return
    spent, used = int((time.monotonic() - frappe.local.rate_limit_start) * 1_000_000), 0
    with going_on_without():
        pipeline = get_connection(cache_url()).pipeline()
        pipeline.incrby(_key(limit), spent)
        pipeline.expire(_key(limit), limit["window"])
        used = pipeline.execute()[0]
    allowed = limit["limit"] * 1_000_000
    response.headers["X-RateLimit-Limit"] = str(allowed)
    response.headers["X-RateLimit-Remaining"] = str(max(0, allowed - used))
    response.headers["X-RateLimit-Reset"] = str(int(limit["window"] - time.time() % limit["window"]))


def _key(limit):
    return f"{frappe.conf.db_name}|rate-limit-counter-{int(time.time() // limit['window'])}"
