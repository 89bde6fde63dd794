"""Makes and drops the database and the user of a site, with root's rights."""

import subprocess

import click
import pymysql

import frappe
from frappe import standin


def root_connection(login=None, password=None):
    """A connection as root; asks for the password where nobody gave one."""
    conf = frappe.local.conf
    login = login or conf.root_login or conf.mariadb_root_login or "root"
    if password is None:
        password = conf.root_password or conf.mariadb_root_password
    if password is None:
        password = ask("MySQL root password")
    where = {"unix_socket": conf.db_socket} if conf.db_socket else {"host": conf.db_host, "port": int(conf.db_port)}
    return pymysql.connect(user=login, password=password, charset="utf8mb4", autocommit=True, **where)


def ask(what):
    """A password from the terminal or, with no terminal, from standard input."""
    import getpass

    try:
        return getpass.getpass(f"{what}: ")
    except (EOFError, KeyboardInterrupt):
        raise click.Abort() from None


class Root:
    """The few statements that only root may run."""

    def __init__(self, connection):
        self.connection = connection

    def sql(self, statement, values=None):
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()

    def own_address(self):
        return self.sql("SELECT SUBSTRING_INDEX(USER(), '@', -1)")[0][0]

    def has_database(self, name):
        return bool(self.sql("SELECT 1 FROM information_schema.schemata WHERE schema_name=%s", (name,)))

    def put_user(self, user, password, host):
        self.sql("CREATE USER IF NOT EXISTS %s@%s IDENTIFIED BY %s", (user, host, password))
        self.sql("ALTER USER %s@%s IDENTIFIED BY %s", (user, host, password))

    def create_database(self, name, user, host):
        self.sql(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
        self.sql(f"GRANT ALL PRIVILEGES ON `{name}`.* TO %s@%s", (user, host))

    def drop(self, database, user, *hosts):
        self.sql(f"DROP DATABASE IF EXISTS `{database}`")
        for host in hosts:
            self.sql("DROP USER IF EXISTS %s@%s", (user, host))


def setup_database(connection, force, host_scope):
    """An empty database and its user, as the configuration names them.

    `force` destroys what is there under that name, whoever owns it. 16 touches the user before it looks.
    """
    root, conf = Root(connection), frappe.local.conf
    name, user, host = conf.db_name, conf.db_user, host_scope or root.own_address()
    if standin.is_16():
        root.put_user(user, conf.db_password, host)
    if root.has_database(name) and not force:
        refuse_existing(name)
    root.drop(name, user, host)
    root.put_user(user, conf.db_password, host)
    standin.point("new-site:after-user")
    root.create_database(name, user, host)
    connection.close()
    standin.point("new-site:after-db")


def refuse_existing(name):
    if standin.is_16():
        print(f"Database {name} already exists, please drop it manually or pass `--force`.")
        raise SystemExit(1)
    raise Exception(f"Database {name} already exists")


def drop_user_and_database(db_name, db_user, login=None, password=None):
    connection = root_connection(login, password)
    root = Root(connection)
    root.drop(db_name, db_user, "%", root.own_address())
    connection.close()


def run_client(*extra, dump=False, stdin=None, stdout=None):
    """Runs MariaDB's own client on the site's database."""
    from frappe.database import get_command

    conf = frappe.local.conf
    program, arguments, name = get_command(
        socket=conf.db_socket, host=conf.db_host, port=conf.db_port, user=conf.db_user, password=conf.db_password,
        db_name=conf.db_name, extra=extra, dump=dump,
    )  # fmt: skip
    done = subprocess.run([program, *arguments], stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise Exception(f"{name} failed: {done.stderr.decode(errors='replace').strip()}")
