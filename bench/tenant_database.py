"""MariaDB as root: the tenant's lock, and what exists under which name.

The lock is a GET_LOCK on the tenant's id, held on a connection of its own for the whole run. File
locks are no answer on a shared volume, and a lost node can leave two runners. The server forgets the
connection of a lost runner after SESSION_SECONDS without a word; a live runner asks every
PULSE_SECONDS whether it still holds the lock, and stops if not. So the old one stops before the
new one can start.
"""

import contextlib
import json
import time

import pymysql

from tenant_failure import REFUSED, UNREACHABLE, Failure

WAIT_SECONDS = 20
PULSE_SECONDS = 5
SESSION_SECONDS = 60
ANSWER_SECONDS = WAIT_SECONDS + 5


def address(given, common):
    """Where MariaDB is: as the Bench says, else as the bench's common_site_config.json says."""
    host = given.get("host") or common.get("db_host")
    port = int(given.get("port") or common.get("db_port") or 3306)
    socket = common.get("db_socket")
    if not host and socket:
        return {"unix_socket": socket}
    return {"host": host or "127.0.0.1", "port": port}


def tls(common):
    """TLS as Frappe itself is told to use it."""
    if not common.get("db_ssl_ca"):
        return {}
    files = {"ca": common["db_ssl_ca"], "cert": common.get("db_ssl_cert"), "key": common.get("db_ssl_key")}
    return {"ssl": {name: path for name, path in files.items() if path}}


def connect(where, user, password, answer=ANSWER_SECONDS, **more):
    try:
        return pymysql.connect(
            user=user,
            password=password,
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=10,
            read_timeout=answer,
            write_timeout=answer,
            **where,
            **more,
        )
    except pymysql.err.MySQLError as error:
        raise as_failure(error, user) from None


def as_failure(error, user="root"):
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    if code in REFUSED:
        return Failure("DatabaseDenied", f"MariaDB refuses {user}; check the Secret that the Bench's rootSecretRef names.", [str(error)])
    if code in UNREACHABLE or code == 0:  # 0: the connection is gone
        return Failure("DatabaseUnreachable", "MariaDB does not answer; the step is taken up again once it does.", [str(error)])
    return Failure.unexpected(error)


class Database:
    """A root connection. `hold` takes the tenant's lock on it, `pulse` proves that it is still ours."""

    def __init__(self, where, user, password, answer=ANSWER_SECONDS):
        self._user = user
        self._connection = connect(where, user, password, answer)
        self._lock = None
        self._proven = 0.0

    def hold(self, name):
        self.rows(f"SET SESSION wait_timeout = {SESSION_SECONDS}")
        if self.rows("SELECT GET_LOCK(%s, %s)", name, WAIT_SECONDS) != [(1,)]:
            raise Failure("Locked", "Another runner is at work on this tenant; the step is taken up again when it is done.")
        self._lock, self._proven = name, time.monotonic()

    def pulse(self):
        """Stops the run if the lock is lost: from then on another runner may be at work."""
        if not self._lock or time.monotonic() - self._proven < PULSE_SECONDS:
            return
        if self.rows("SELECT IS_USED_LOCK(%s) = CONNECTION_ID()", self._lock) != [(1,)]:
            raise Failure("Locked", "The tenant's lock was lost; the step is taken up again.")
        self._proven = time.monotonic()

    def close(self):
        """Ends the connection, and with it the lock; whatever state it is in."""
        with contextlib.suppress(Exception):  # already gone: so is the lock
            self._connection.close()

    def rows(self, query, *values):
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(query, values)
                return list(cursor.fetchall())
        except pymysql.err.MySQLError as error:
            raise as_failure(error, self._user) from None

    def exists(self, name):
        return bool(self.rows("SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s", name))

    def hosts_of(self, user):
        """Every host that the user may come from: each is a user of its own to MariaDB."""
        return [host for (host,) in self.rows("SELECT Host FROM mysql.user WHERE User = %s", user)]

    def drop(self, name, user):
        """Drops a database and its user, from whichever hosts it may come."""
        self.rows(f"DROP DATABASE IF EXISTS {quoted(name)}")
        for host in self.hosts_of(user):
            self.rows("DROP USER IF EXISTS %s@%s", user, host)

    def grant(self, name, user, password):
        """The site's own user, from any host, with the password that its config has."""
        self.rows("CREATE USER IF NOT EXISTS %s@'%%' IDENTIFIED BY %s", user, password)
        self.rows("ALTER USER %s@'%%' IDENTIFIED BY %s", user, password)
        self.rows(f"GRANT ALL PRIVILEGES ON {quoted(name)}.* TO %s@'%%'", user)

    def completeness(self, name):
        """What a finished site has and a half-made one lacks: (its apps, an Administrator who can log in)."""
        tables = self.rows(
            "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME IN ('tabDefaultValue', '__Auth')", name
        )
        if tables != [(2,)]:
            return [], False
        apps = self.rows(f"SELECT defvalue FROM {quoted(name)}.`tabDefaultValue` WHERE defkey = 'installed_apps' AND parent = '__global'")
        auth = self.rows(f"SELECT 1 FROM {quoted(name)}.`__Auth` WHERE doctype = 'User' AND name = 'Administrator' AND fieldname = 'password'")
        return json.loads(apps[0][0] or "[]") if apps else [], bool(auth)

    def encrypted_beside(self, name, users):
        """Whether the site has secrets that only its encryption key opens, of others than these users."""
        marks = ", ".join(["%s"] * len(users))
        query = f"SELECT 1 FROM {quoted(name)}.`__Auth` WHERE encrypted = 1 AND NOT (doctype = 'User' AND name IN ({marks})) LIMIT 1"
        return bool(self.rows(query, *users))


def quoted(name):
    return "`" + name.replace("`", "``") + "`"


def accepts(where, user, password, name):
    """Whether the site's own user reaches its database: True, False, or the failure when nobody answers."""
    try:
        connect(where, user, password, database=name).close()
        return True
    except Failure as failure:
        if failure.reason == "DatabaseDenied":
            return False
        raise
