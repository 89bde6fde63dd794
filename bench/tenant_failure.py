"""The ways a step can fail, each with what the operator should make of it."""

import re
import traceback

RETRYABLE, DENIED, FATAL = "Retryable", "Denied", "Fatal"

# Fatal: a person has to change something. Denied: credentials. Retryable: time or a repair heals it.
CLASSES = {
    "ForeignSite": FATAL,
    "ForeignDatabase": FATAL,
    "OtherDatabaseServer": FATAL,
    "NoSuchSite": FATAL,
    "SiteVanished": FATAL,
    "ProtectedSite": FATAL,
    "AppMissing": FATAL,
    "AppInstallFailed": RETRYABLE,
    "CreateFailed": RETRYABLE,
    "DatabaseUnreachable": RETRYABLE,
    "DatabaseDenied": DENIED,
    "Locked": RETRYABLE,
    "Terminated": RETRYABLE,
    "Superseded": RETRYABLE,
    "SetupFailed": RETRYABLE,
    "UserFailed": RETRYABLE,
    "WeakPassword": FATAL,
    "KeyConflict": FATAL,
    "EncryptionKeyLost": FATAL,
    "ArchiveFailed": RETRYABLE,
    "BackupFailed": RETRYABLE,
    "DropFailed": RETRYABLE,
    "ExpireFailed": RETRYABLE,
    "TemplateFailed": RETRYABLE,
    "TemplateNotClean": FATAL,
    "ManifestMismatch": FATAL,
    "JobsRunning": RETRYABLE,
    "RedisUnreachable": RETRYABLE,
    "BadInput": FATAL,
    "Unexpected": RETRYABLE,
}

# MariaDB's and pymysql's codes for "nobody there" and for "not with these credentials".
UNREACHABLE = (2002, 2003, 2005, 2006, 2013, 2014, 2055, 1040, 1053, 1152, 1927)
REFUSED = (1044, 1045, 1142, 1227, 1698)

_UNREACHABLE_TEXT = re.compile(r"OperationalError\W+\(?(%s)\b" % "|".join(map(str, UNREACHABLE)))
_REDIS_TEXT = re.compile(r"redis\.exceptions\.(ConnectionError|TimeoutError|BusyLoadingError)|Redis[^\n]{0,60}(unreachable|not running)", re.I)


class Failure(Exception):
    """A step ended without its result: reason in CamelCase, message with the next step, lines of evidence."""

    def __init__(self, reason, message, tail=()):
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.tail = list(tail)

    @property
    def kind(self):
        return CLASSES[self.reason]

    @classmethod
    def unexpected(cls, error):
        lines = traceback.format_exception(type(error), error, error.__traceback__)
        message = f"{type(error).__name__}: {error}. It is tried again; the lines below say where."
        return cls("Unexpected", message, "".join(lines).splitlines())


class ChildFailed(Exception):
    """Work inside the bench ended with an exception, an exit code or a signal."""

    def __init__(self, kind, message, tail, frames=(), code=None):
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.tail = list(tail)
        self.frames = list(frames)
        self.code = code

    def into(self, reason, message):
        """The failure this is for a step: the outside party that is down, or else the step's own reason."""
        text = "\n".join([f"{self.kind}: {self.message}", *self.tail])
        outside = outside_failure(text, self.tail)
        if outside:
            return outside
        return Failure(reason, f"{message} ({self.short()})", self.tail)

    def short(self):
        first = self.message.strip().splitlines()[0] if self.message.strip() else ""
        return f"{self.kind}: {first}"[:300] if first else self.kind


def outside_failure(text, tail=()):
    if _UNREACHABLE_TEXT.search(text):
        return Failure("DatabaseUnreachable", "MariaDB went away during the step; the step is taken up again once it answers.", tail)
    if _REDIS_TEXT.search(text):
        return Failure("RedisUnreachable", "The bench's Redis does not answer; the step is taken up again once it does.", tail)
    return None
