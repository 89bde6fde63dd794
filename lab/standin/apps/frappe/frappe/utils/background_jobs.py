"""Jobs in Redis, under the names that RQ gives its queues. The stand-in has no worker that would run them."""

import json

import frappe
from frappe.utils import get_bench_id
from frappe.utils.redis_wrapper import get_connection, queue_url

QUEUES = ("short", "default", "long")


def get_redis_conn():
    return get_connection(queue_url())


def queue_key(queue):
    return f"rq:queue:{get_bench_id()}:{queue}"


def enqueue(method, queue="default", **kwargs):
    """Puts a job of this site in line; its id begins with the site's name."""
    job_id = f"{frappe.local.site}::{frappe.generate_hash(length=32)}"
    name = method if isinstance(method, str) else f"{method.__module__}.{method.__name__}"
    connection = get_redis_conn()
    described = {"description": name, "origin": queue, "status": "queued", "data": json.dumps(kwargs, default=str)}
    connection.hset(f"rq:job:{job_id}", mapping=described)
    connection.rpush(queue_key(queue), job_id)
    return job_id


def get_jobs(site=None, queue=None, key="method"):
    """The jobs that wait or run, by site."""
    connection, jobs = get_redis_conn(), {}
    for name in [queue] if queue else QUEUES:
        ids = connection.lrange(queue_key(name), 0, -1)
        ids += connection.zrange(f"rq:wip:{get_bench_id()}:{name}", 0, -1)
        for job_id in (raw.decode() for raw in ids):
            owner = job_id.partition("::")[0]
            if site in (None, owner):
                described = connection.hget(f"rq:job:{job_id}", "description") or b""
                jobs.setdefault(owner, []).append(described.decode())
    return jobs
