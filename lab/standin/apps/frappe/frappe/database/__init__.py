"""The database of a site, and how it is made and dropped."""

from shutil import which


def get_db(db_name=None):
    import frappe
    from frappe.database.mariadb import MariaDBDatabase

    conf = frappe.local.conf
    return MariaDBDatabase(
        host=conf.db_host,
        port=conf.db_port,
        user=db_name or conf.db_user or conf.db_name,
        password=conf.db_password,
        name=db_name or conf.db_name,
        socket=conf.db_socket,
    )


def get_command(socket=None, host=None, port=None, user=None, password=None, db_name=None, extra=None, dump=False):
    """How MariaDB's own client is run on a database; as in Frappe the password is seen on its command line."""
    name = "mariadb-dump" if dump else "mariadb"
    command = [f"--user={user}", *([f"--socket={socket}"] if socket else [f"--host={host}", f"--port={port}"])]
    if password:
        command.append(f"--password={password}")
    command.append(db_name)
    return which(name), [*command, *(extra or [])], name
