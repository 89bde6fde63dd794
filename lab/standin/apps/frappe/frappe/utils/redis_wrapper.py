"""The cache in Redis, with the site's name before each key. A Redis that is down reads as empty."""

import contextlib
import json

import frappe

_connections = {}


def get_connection(url):
    """The client's library is loaded when it is first needed: most commands never do."""
    import redis

    if url not in _connections:
        _connections[url] = redis.Redis.from_url(url, socket_connect_timeout=2)
    return _connections[url]


@contextlib.contextmanager
def going_on_without():
    """What needs Redis inside is left undone where there is none."""
    import redis

    try:
        yield
    except redis.exceptions.ConnectionError:
        return


def cache_url():
    return frappe.conf.redis_cache or "redis://127.0.0.1:13311"


def queue_url():
    return frappe.conf.redis_queue or "redis://127.0.0.1:11311"


def reachable():
    """Whether both of the bench's Redis answer."""
    answers = []
    with going_on_without():
        answers = [get_connection(url).ping() for url in (cache_url(), queue_url())]
    return len(answers) == 2


class Cache:
    """What `frappe.cache` is; it may be called too, as in older code."""

    def __call__(self):
        return self

    def _key(self, key):
        return f"{frappe.conf.db_name}|{key}"

    def set_value(self, key, val, user=None, expires_in_sec=None, shared=False):
        with going_on_without():
            get_connection(cache_url()).set(self._key(key), json.dumps(val), ex=expires_in_sec)

    def get_value(self, key, generator=None, user=None, expires=False, shared=False):
        stored = None
        with going_on_without():
            stored = get_connection(cache_url()).get(self._key(key))
        if stored is not None:
            return json.loads(stored)
        return generator() if generator else None

    def delete_value(self, keys, user=None, make_keys=True, shared=False):
        names = [keys] if isinstance(keys, str) else list(keys)
        with going_on_without():
            get_connection(cache_url()).delete(*(self._key(name) for name in names))

    def ping(self):
        return get_connection(cache_url()).ping()
