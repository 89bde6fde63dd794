"""The bench under test: its commands, its Python, its web servers, its database."""

import atexit
import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import time
import unittest
import urllib.parse

import pymysql

BENCH = os.environ["BENCH"]
SITES = os.path.join(BENCH, "sites")
PYTHON = os.path.join(BENCH, "env", "bin", "python")
ROOT_PASSWORD = os.environ["DB_ROOT_PASSWORD"]
SCOPE = "--mariadb-user-host-login-scope=%"
_numbers = itertools.count(1)


def environment(release="15", faults=None, **extra):
    set_here = {"STANDIN_FRAPPE": release, "STANDIN_FAULTS": json.dumps(faults or {})}
    return {**os.environ, **set_here, **extra}


def bench(*arguments, release="15", faults=None, stdin="", **extra):
    """Runs a command as `bench` does; no terminal, and standard input as given."""
    return subprocess.run(
        [PYTHON, "-m", "frappe.utils.bench_helper", "frappe", *arguments],
        cwd=SITES, env=environment(release, faults, **extra), input=stdin, capture_output=True, text=True,
        start_new_session=True, timeout=60, check=False,
    )  # fmt: skip


def start(*arguments, release="15", faults=None):
    """A command that goes on in the background; the caller waits for it or ends it."""
    return subprocess.Popen(
        [PYTHON, "-m", "frappe.utils.bench_helper", "frappe", *arguments],
        cwd=SITES, env=environment(release, faults), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


def python(code, site=None, release="15", check=True):
    """Runs lines of Python in the bench, connected to the site; answers what they print."""
    before = f"import frappe\nfrappe.init({site!r}, sites_path='.')\nfrappe.connect()\n" if site else ""
    done = subprocess.run(
        [PYTHON, "-c", before + code], cwd=SITES, env=environment(release), capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    if check and done.returncode:
        raise AssertionError(done.stderr)
    return done.stdout.strip() if check else done


def fresh(word="site"):
    """A name that no site has yet, and the name of its database."""
    number = next(_numbers)
    return f"{word}{number}-{os.getpid()}.localhost", f"t_{word}{number}_{os.getpid()}"


def new_site(*options, site=None, database=None, release="15", admin="admin-Pass1", **kwargs):
    """Makes a site with the options that are always right, and more; answers (site, database, what it printed)."""
    made_site, made_database = fresh()
    site, database = site or made_site, database or made_database
    done = bench(
        "new-site", site, "--db-name", database, "--db-root-password", ROOT_PASSWORD, "--admin-password", admin, SCOPE,
        *options, release=release, **kwargs,
    )  # fmt: skip
    return site, database, done


def config_of(site):
    with open(os.path.join(SITES, site, "site_config.json")) as file:
        return json.load(file)


def root_sql(statement, values=None):
    connection = pymysql.connect(
        host=os.environ["DB_HOST"], port=int(os.environ["DB_PORT"]), user="root", password=ROOT_PASSWORD, autocommit=True
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def has_database(name):
    return bool(root_sql("SELECT 1 FROM information_schema.schemata WHERE schema_name=%s", (name,)))


def hosts_of(user):
    return sorted(row[0] for row in root_sql("SELECT Host FROM mysql.user WHERE User=%s", (user,)))


class Answer:
    def __init__(self, response):
        self.status, self.headers = response.status, response.headers
        self.text = response.read().decode()

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def exc_type(self):
        return self.json["exc_type"]


class Server:
    """Real gunicorn on the bench, started as frappe_docker does it."""

    def __init__(self, release="15", workers=2, faults=None, **extra):
        self.port = free_port()
        command = [os.path.join(BENCH, "env", "bin", "gunicorn"), f"--chdir={SITES}", f"--bind=127.0.0.1:{self.port}"]
        command += ["--threads=4", f"--workers={workers}", "--worker-class=gthread", "--preload", "frappe.app:application"]
        self.log = open(os.path.join(os.environ["SCRATCH"], f"gunicorn-{self.port}.log"), "w")
        self.process = subprocess.Popen(command, env=environment(release, faults, **extra), stdout=self.log, stderr=self.log)
        atexit.register(self.stop)
        await_true(self._answers)

    def _answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
        self.log.close()

    def call(self, site, path, method="GET", data=None, form=None, raw=None, token=None, **headers):
        """One request to a site; `data` goes as JSON, `form` as a form."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers.setdefault("X-Frappe-Site-Name", site)
        body = raw
        if data is not None:
            body, headers["Content-Type"] = data if isinstance(data, str) else json.dumps(data), "application/json"
        if form is not None:
            body, headers["Content-Type"] = urllib.parse.urlencode(form), "application/x-www-form-urlencoded"
        if token:
            headers["Authorization"] = token if " " in token else f"token {token}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {name: value for name, value in headers.items() if value})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def ping(self, site):
        return self.call(site, "/api/method/ping").status

    def logged_in(self, site, token):
        return self.call(site, "/api/method/frappe.auth.get_logged_user", token=token)

    def login(self, site, usr, pwd, path="/api/method/login", **more):
        return self.call(site, path, "POST", form={"usr": usr, "pwd": pwd, **more}, Accept="application/json")


def free_port():
    """As scratch finds one: below those that the kernel gives to connections, where nobody takes it before it is listened on."""
    scratch = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "scratch")
    return int(subprocess.run([scratch, "port"], capture_output=True, text=True, check=True, timeout=60).stdout)


def await_true(probe, seconds=60):
    deadline = time.monotonic() + seconds
    while not probe():
        if time.monotonic() > deadline:
            raise AssertionError("what was waited for did not come")
        time.sleep(0.02)


PUT_KEYS = """
user = frappe.get_doc("User", {user!r})
user.api_key, user.api_secret = {key!r}, {secret!r}
user.save(ignore_permissions=True)
frappe.db.commit()
"""
PUT_USER = """
user = frappe.get_doc({{"doctype": "User", "email": {user!r}, "first_name": "Test", "send_welcome_email": 0}})
user.insert(ignore_permissions=True)
user.add_roles({role!r})
frappe.db.commit()
"""


def put_user(site, user, key, secret, role="System Manager", release="15"):
    """A user with a role and a pair; answers the token."""
    python(PUT_USER.format(user=user, role=role) + PUT_KEYS.format(user=user, key=key, secret=secret), site, release)
    return f"{key}:{secret}"


def put_keys(site, user, key, secret, release="15"):
    python(PUT_KEYS.format(user=user, key=key, secret=secret), site, release)
    return f"{key}:{secret}"


class BenchTest(unittest.TestCase):
    maxDiff = None

    def assert_ok(self, done):
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done

    def assert_fails(self, done, *words):
        """Exit code 1, with the words somewhere in what was printed."""
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, 1, said)
        for word in words:
            self.assertIn(word, said)
        return done
