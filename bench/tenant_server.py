"""Whether a site that was somebody else's has its database on the server that the Bench names.

A database is known by its name, and another server may have one of the same name: on it, whole and untouched, would be read what is
not this site's, and it would be dropped in the end. So the site's own connection is asked for the tenant's lock, which the root
connection holds: only the same server knows it. The nodes of a Galera cluster each keep their own locks; they are known by the cluster.
"""

import os

import pymysql

from tenant_database import as_failure, connect, tls
from tenant_failure import Failure

_CLUSTER = "SHOW GLOBAL STATUS LIKE 'wsrep_cluster_state_uuid'"


def require_same(run, config):
    """For a site that is to be taken over."""
    where, name = own_address(run.common, config), config["db_name"]
    if not reaches(run, where, config):
        raise Failure(
            "DatabaseDenied",
            f"MariaDB at {words(where)} refuses {name}, the own user of {run.site.name}, so whether that is its database is not known and "
            "nothing was touched; put db_password in its site_config.json right, until the site itself works.",
        )


def require_same_to_drop(run):
    """The same before an adopted site is dropped: its config may have been changed since. Where its user is refused, the address is
    what is left to go by; and where user and database are gone, as a drop that was cut short leaves it, nothing is there to be spared."""
    config, name = run.site.config(), run.site.database_name
    where = own_address(run.common, config)
    if reaches(run, where, config) or same_address(where, run.where):
        return
    if run.database.exists(name) or run.database.hosts_of(name):
        raise Failure(
            "DatabaseDenied",
            f"MariaDB at {words(where)} refuses {name}, the own user of {run.site.name}, and the Bench's database is at {words(run.where)}: whether they "
            "are the same is not known, so nothing was dropped. Put db_host or db_password in its site_config.json right, or set deletionPolicy: Retain.",
        )


def reaches(run, where, config):
    """Whether the site's own user is let in; a Failure where that is on another server."""
    name = config["db_name"]
    try:
        connection = connect({**where, **tls({**run.common, **config})}, name, config.get("db_password") or "")
    except Failure as failure:
        if failure.reason == "DatabaseDenied":
            return False
        what = f"MariaDB does not answer at {words(where)}, where {run.site.name} has its database by its own config; it is tried again once it does."
        raise Failure(failure.reason, what if failure.reason == "DatabaseUnreachable" else failure.message, failure.tail) from None
    try:
        with connection.cursor() as cursor:
            if not is_same(run, lambda query, *values: answer(cursor, query, values)):
                raise other(run, where)
    except pymysql.err.MySQLError as error:
        raise as_failure(error, name) from None
    finally:
        connection.close()
    return True


def is_same(run, ask):
    """`ask` is the site's own connection."""
    holder = ask("SELECT IS_USED_LOCK(%s)", f"tenant-{run.given.id}")
    if holder[0][0] is not None and holder == run.database.rows("SELECT CONNECTION_ID()"):
        return True
    cluster = ask(_CLUSTER)
    return bool(cluster and cluster[0][1].strip("0-")) and cluster == run.database.rows(_CLUSTER)


def answer(cursor, query, values):
    cursor.execute(query, values)
    return list(cursor.fetchall())


def other(run, where):
    return Failure(
        "OtherDatabaseServer",
        f"{run.site.name} has its database on the MariaDB server at {words(where)} by its own config, and the Bench's database is on another one, at "
        f"{words(run.where)}; nothing was touched. Let both lead to one server (not through a proxy): db_host and db_port of the site, or a Bench with "
        "that database.host.",
    )


def own_address(common, config):
    """As Frappe itself finds it: the environment, the site's config, the bench's; a socket goes before a host."""
    merged = {**common, **config}
    if merged.get("db_socket"):
        return {"unix_socket": merged["db_socket"]}
    host = os.environ.get("FRAPPE_DB_HOST") or merged.get("db_host") or "127.0.0.1"
    return {"host": host, "port": int(os.environ.get("FRAPPE_DB_PORT") or merged.get("db_port") or 3306)}


def same_address(one, two):
    return all(one.get(part) == two.get(part) for part in ("unix_socket", "host", "port"))


def words(where):
    return where.get("unix_socket") or f"{where['host']}:{where['port']}"
