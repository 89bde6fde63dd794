"""The dict with attributes that Frappe hands around, and what stands for per-request state."""

import threading


class _dict(dict):
    """A dict whose keys are attributes too; a missing one reads as None."""

    __setattr__ = dict.__setitem__
    __delattr__ = dict.__delitem__

    def __getattr__(self, key):
        if key.startswith("__"):
            raise AttributeError(key)
        return self.get(key)

    def update(self, other=None, **kwargs):
        super().update(other or {}, **kwargs)
        return self

    def copy(self):
        return _dict(self)


class Local(threading.local):
    """State of one request or one command. A name never set is an AttributeError, as in Frappe."""

    def __call__(self, name):
        return LocalProxy(self, name)

    def clear(self):
        self.__dict__.clear()


class LocalProxy:
    """Stands for `local.<name>`, whatever that is at the moment of use."""

    __slots__ = ("_local", "_name")

    def __init__(self, local, name):
        object.__setattr__(self, "_local", local)
        object.__setattr__(self, "_name", name)

    def _target(self):
        return getattr(self._local, self._name, None)

    def __getattr__(self, key):
        return getattr(self._target(), key)

    def __setattr__(self, key, value):
        setattr(self._target(), key, value)

    def __getitem__(self, key):
        return self._target()[key]

    def __setitem__(self, key, value):
        self._target()[key] = value

    def __delitem__(self, key):
        del self._target()[key]

    def __contains__(self, key):
        return key in self._target()

    def __iter__(self):
        return iter(self._target())

    def __len__(self):
        return len(self._target())

    def __bool__(self):
        return bool(self._target())

    def __eq__(self, other):
        return self._target() == other

    def __repr__(self):
        return repr(self._target())

    __hash__ = None
