"""The cache in Redis, with the site's name before each key. A Redis that is down reads as empty."""

import json

import redis

import frappe

_connections = {}


def get_connection(url):
    if url not in _connections:
        _connections[url] = redis.Redis.from_url(url, socket_connect_timeout=2)
    return _connections[url]


def cache_url():
    return frappe.conf.redis_cache or "redis://127.0.0.1:13311"


def queue_url():
    return frappe.conf.redis_queue or "redis://127.0.0.1:11311"


class Cache:
    """What `frappe.cache` is; it may be called too, as in older code."""

    def __call__(self):
        return self

    def _key(self, key):
        return f"{frappe.conf.db_name}|{key}"

    def set_value(self, key, val, user=None, expires_in_sec=None, shared=False):
        try:
            get_connection(cache_url()).set(self._key(key), json.dumps(val), ex=expires_in_sec)
        except redis.exceptions.ConnectionError:
            return

    def get_value(self, key, generator=None, user=None, expires=False, shared=False):
        try:
            stored = get_connection(cache_url()).get(self._key(key))
        except redis.exceptions.ConnectionError:
            stored = None
        if stored is not None:
            return json.loads(stored)
        return generator() if generator else None

    def delete_value(self, keys, user=None, make_keys=True, shared=False):
        names = [keys] if isinstance(keys, str) else list(keys)
        try:
            get_connection(cache_url()).delete(*(self._key(name) for name in names))
        except redis.exceptions.ConnectionError:
            return

    def ping(self):
        return get_connection(cache_url()).ping()


def reachable():
    """Whether both of the bench's Redis answer."""
    try:
        return all(get_connection(url).ping() for url in (cache_url(), queue_url()))
    except redis.exceptions.ConnectionError:
        return False
