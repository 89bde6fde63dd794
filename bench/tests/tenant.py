"""A tenant of a throwaway bench, for the tests: its input, its runs, and what became of it.

The bench is any folder that behaves as a Frappe bench does, with a MariaDB: BENCH, DB_HOST, DB_PORT
and DB_ROOT_PASSWORD in the environment say where (bench/test sets them).
"""

import base64
import contextlib
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import pymysql

MAIN = pathlib.Path(__file__).resolve().parent.parent / "main.py"
BENCH = pathlib.Path(os.environ.get("BENCH", "/nonexistent"))
SITES = BENCH / "sites"
PYTHON = BENCH / "env/bin/python"


def root(database=None):
    return pymysql.connect(
        host=os.environ["DB_HOST"],
        port=int(os.environ["DB_PORT"]),
        user="root",
        password=os.environ["DB_ROOT_PASSWORD"],
        database=database,
        autocommit=True,
    )


def rows(query, *values, database=None):
    connection = root(database)
    try:
        with connection.cursor() as cursor:
            cursor.execute(query, values)
            return list(cursor.fetchall())
    finally:
        connection.close()


def bench(*words, check=True):
    """A bench command as a person would run it."""
    done = subprocess.run([BENCH / "env/bin/bench", *words], cwd=SITES, capture_output=True, text=True)
    if check and done.returncode:
        raise AssertionError(f"bench {words[0]}: {done.stdout}{done.stderr}")
    return done


def site_made_by_hand(name, database):
    words = ["--db-name", database, "--db-root-password", os.environ["DB_ROOT_PASSWORD"], "--admin-password", "by-hand-123"]
    return bench("new-site", name, *words, "--no-mariadb-socket")


class Tenant:
    """One tenant; `input` may be changed at will before a run."""

    def __init__(self, **changes):
        self.id = secrets.token_hex(8)
        self.site = f"api.{self.id}.example.com"
        self.database = f"t_{self.id}"
        self.user, self.other = (f"tenant-api-{slot}@{self.site}" for slot in "ab")
        self.folder = SITES / self.site
        self.archive = f"archived_sites/{self.id}/20261121T080041Z"
        self.environment = {
            "TENANT_DB_ROOT_PASSWORD": os.environ["DB_ROOT_PASSWORD"],
            "TENANT_DB_PASSWORD": secrets.token_urlsafe(18),
            "TENANT_ENCRYPTION_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "TENANT_API_KEY": secrets.token_hex(8),
            "TENANT_API_SECRET": secrets.token_urlsafe(24),
        }
        self.input = {**self._input(), **changes}

    def _input(self):
        return {
            "id": self.id,
            "marker": {"id": self.id, "namespace": "customers", "name": "acme", "cluster": "test"},
            "benchPath": str(BENCH),
            "site": self.site,
            "protectedSites": ["master.example.com"],
            "database": {"name": self.database, "host": None, "port": None, "rootUser": "root"},
            "expectSite": False,
            "configCacheSeconds": 0,
            "apps": ["erpnext"],
            "settings": {
                "setup": "Skip",
                "organization": None,
                "admin": {"email": "ada@acme.test", "firstName": "Ada", "lastName": "Byron", "hasPassword": False},
                "siteConfig": [],
                "unsetConfig": [],
                "rateLimit": None,
                "lockdown": {"mode": "APIOnly", "oauthProviderURL": "https://auth.example.com"},
            },
            "keys": {"pair": 0, "user": self.user, "roles": ["System Manager"], "verifyInSite": True},
            "archive": {"directory": self.archive, "configCacheSeconds": 0},
            "drop": {"manifest": None},
        }

    def start(self, *steps, faults=None):
        """A run under way."""
        log = tempfile.NamedTemporaryFile(delete=False)
        environment = {**os.environ, **self.environment, "TENANT_STEP_INPUT": json.dumps(self.input), "TENANT_TERMINATION_LOG": log.name}
        environment["HOME"] = str(BENCH.parent)
        if faults:
            environment["STANDIN_FAULTS"] = json.dumps(faults)
        words = [str(PYTHON), str(MAIN), *steps]
        process = subprocess.Popen(words, cwd=SITES, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return Running(process, log.name)

    def run(self, *steps, faults=None):
        return self.start(*steps, faults=faults).end()

    def config(self):
        return json.loads((self.folder / "site_config.json").read_text())

    def write_config(self, **changes):
        config = {**self.config(), **changes}
        (self.folder / "site_config.json").write_text(json.dumps({key: value for key, value in config.items() if value is not None}))

    def state(self):
        return self.config().get("tenant_operator_state", {})

    def query(self, query, *values):
        return rows(query, *values, database=self.database)

    def execute(self, code):
        """Python inside the site, as `bench console` would have it; prints JSON."""
        program = f"import frappe, json\nfrappe.init({self.site!r})\nfrappe.connect()\n{code}\nfrappe.db.commit()"
        done = subprocess.run([PYTHON, "-c", program], cwd=SITES, capture_output=True, text=True)
        if done.returncode:
            raise AssertionError(done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else None

    def leftovers(self):
        """Whatever is still there of the tenant, anywhere."""
        found = [str(path.relative_to(SITES)) for path in SITES.rglob("*") if self.id in path.name or path.name == self.site]
        found += [name for (name,) in rows("SHOW DATABASES") if self.id in name]
        return found + [f"{user}@{host}" for user, host in rows("SELECT User, Host FROM mysql.user") if self.id in user]


class Running:
    def __init__(self, process, log):
        self.process, self.log = process, log

    def end(self, timeout=300):
        output, _ = self.process.communicate(timeout=timeout)
        try:
            line = pathlib.Path(self.log).read_text()
        finally:
            os.unlink(self.log)
        result = json.loads(line) if line else {}
        return Result(result, self.process.returncode, output, line)

    def children(self):
        path = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        try:
            return [int(pid) for pid in path.read_text().split()]
        except FileNotFoundError:
            return []

    def await_child(self, seconds=30):
        self._await(self.children, seconds)

    def await_output(self, text, seconds=30):
        """Reads the run's lines until one has the text."""
        for line in self.process.stdout:
            if text in line:
                return
        raise AssertionError(f"the run ended without saying {text!r}")

    def _await(self, condition, seconds):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError("the run ended or dawdled")
            time.sleep(0.005)

    def kill(self):
        """As a node that is lost, or a container that is killed: the runner and all it started."""
        os.kill(self.process.pid, signal.SIGSTOP)
        for child in self.children():
            kill(child)
        self.process.kill()
        return self.end()


def kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


class Result:
    """What a run left: its line, its exit code, what it printed."""

    def __init__(self, line, code, output, raw):
        self.line, self.code, self.output, self.raw = line, code, output, raw

    def __getattr__(self, name):
        return self.line.get(name)

    def __repr__(self):
        return f"{self.raw}\n{self.output}"


class Neighbour:
    """Another site of the bench, and proof that it was left alone."""

    def __init__(self):
        self.name, self.database = "neighbour.localhost", "neighbour_db"
        if not (SITES / self.name).exists():
            site_made_by_hand(self.name, self.database)
        self.before = self.picture()

    def picture(self):
        tables = [name for (name,) in rows("SHOW TABLES", database=self.database)]
        sums = rows("CHECKSUM TABLE " + ", ".join(f"`{name}`" for name in sorted(tables)), database=self.database)
        users = sorted(rows("SELECT User, Host, authentication_string FROM mysql.user WHERE User = %s", self.database))
        config = (SITES / self.name / "site_config.json").read_bytes()
        return tables, sums, users, config


class BenchCase(unittest.TestCase):
    """A test on a real MariaDB and a bench; at its end, the neighbour is as it was."""

    @classmethod
    def setUpClass(cls):
        if not PYTHON.exists():
            raise unittest.SkipTest("no bench: BENCH is not set (bench/test sets it)")

    def setUp(self):
        self.neighbour = Neighbour()
        self.addCleanup(self.assert_neighbour_unharmed)

    def assert_neighbour_unharmed(self):
        self.assertEqual(self.neighbour.picture(), self.neighbour.before, "another site was touched")

    def tenant(self, **changes):
        tenant = Tenant(**changes)
        self.addCleanup(remove, tenant)
        return tenant

    def assert_ok(self, result):
        self.assertTrue(result.ok, result)
        self.assertEqual(result.code, 0, result)
        return result.done

    def assert_failed(self, result, reason):
        self.assertEqual(result.reason, reason, result)
        self.assertEqual(result.code, 1)
        self.assertLessEqual(len(result.raw.encode()), 2048)

    def assert_complete(self, tenant, apps=("frappe", "erpnext")):
        """A whole site, which its own user reaches from anywhere."""
        self.assertEqual(tenant.execute("print(json.dumps(frappe.get_installed_apps()))"), list(apps))
        auth = tenant.query("SELECT 1 FROM __Auth WHERE doctype = 'User' AND name = 'Administrator' AND fieldname = 'password'")
        self.assertEqual(len(auth), 1)
        self.assertEqual(rows("SELECT Host FROM mysql.user WHERE User = %s", tenant.database), [("%",)])
        config = tenant.config()
        self.assertEqual(config["tenant_operator"], tenant.input["marker"])
        self.assertEqual(config["encryption_key"], tenant.environment["TENANT_ENCRYPTION_KEY"])
        self.assertNotIn("creating", tenant.state())


def remove(tenant):
    """Takes a test's tenant away without the program under test."""
    for folder in (tenant.folder, SITES / "archived_sites" / tenant.id):
        shutil.rmtree(folder, ignore_errors=True)
    rows(f"DROP DATABASE IF EXISTS `{tenant.database}`")
    for (host,) in rows("SELECT Host FROM mysql.user WHERE User = %s", tenant.database):
        rows("DROP USER %s@%s", tenant.database, host)
