"""Templates for tests: their maker, what is made from them, and pictures of databases to compare."""

import gzip
import json
import re
import secrets

from tests.tenant import SITES, BenchCase, Tenant, rows

IMAGE = "registry.test/erpnext:v15"
SHARED = {}


def tearDownModule():
    for maker, _ in SHARED.values():
        maker.change(make=False)
        assert maker.run("template").ok and not maker.templates.exists()
    SHARED.clear()


class Maker(Tenant):
    """What a Bench's Job for templates is given, and where its templates lie."""

    def __init__(self, apps=("erpnext",), recipe=1, image=IMAGE):
        super().__init__()
        self.owner = secrets.token_hex(8)
        self.site, self.database = f"{self.id}.template.invalid", f"template_{self.id}"
        self.folder, self.templates = SITES / self.site, SITES / ".tenant-templates" / self.owner
        self.environment = {name: self.environment[name] for name in ("TENANT_DB_ROOT_PASSWORD",)}
        self.input = {
            "id": self.id,
            "marker": {"id": self.id, "namespace": "erp", "name": "main", "cluster": "test"},
            "benchPath": self.input["benchPath"],
            "site": self.site,
            "protectedSites": [],
            "database": {**self.input["database"], "name": self.database},
            "apps": list(apps),
            "templates": {"owner": self.owner, "recipe": recipe, "image": image, "make": True, "keep": [], "anew": False},
        }

    def change(self, **changes):
        self.input["templates"].update(changes)

    def of(self, name):
        return self.templates / name

    def manifest(self, name):
        return json.loads((self.of(name) / "manifest.json").read_text())

    def write_manifest(self, name, **changes):
        (self.of(name) / "manifest.json").write_text(json.dumps({**self.manifest(name), **changes}))

    def dump(self, name):
        return gzip.decompress((self.of(name) / "database.sql.gz").read_bytes())


class TemplateCase(BenchCase):
    def maker(self, *arguments, **changes):
        maker = Maker(*arguments, **changes)
        self.addCleanup(self.forget, maker)
        return maker

    def forget(self, maker):
        maker.change(make=False, keep=[])
        self.assert_ok(maker.run("template"))
        self.assertEqual(maker.leftovers(), [])
        self.assertFalse(maker.templates.exists())

    def made(self, *arguments, **changes):
        maker = self.maker(*arguments, **changes)
        return maker, self.assert_ok(maker.run("template"))["template"]["name"]

    def shared(self, apps=("erpnext",)):
        """One that only is restored: made once for all tests."""
        if apps not in SHARED:
            maker = Maker(apps)
            SHARED[apps] = maker, self.assert_ok(maker.run("template"))["template"]["name"]
        return SHARED[apps]

    def tenant_of(self, maker, name, **changes):
        tenant = self.tenant(apps=maker.input["apps"], **changes)
        tenant.input["template"] = {"owner": maker.owner, "name": name, "recipe": 1}
        return tenant

    def assert_made_from(self, result, name):
        self.assertEqual(self.assert_ok(result)["create"]["template"], {"name": name, "used": True})

    def assert_installed(self, result, name, why):
        self.assertEqual(self.assert_ok(result)["create"]["template"], {"name": name, "used": False, "why": why})


def picture(database):
    """All rows of all tables, as (column, value) pairs."""
    tables = sorted(name for (name,) in rows("SHOW TABLES", database=database))
    return {table: contents(database, table) for table in tables}


def contents(database, table):
    columns = [row[0] for row in rows(f"SHOW COLUMNS FROM `{table}`", database=database)]
    found = [tuple(zip(columns, row)) for row in rows(f"SELECT * FROM `{table}`", database=database)]
    # Since when a Single is what it is: new-site itself sets the scheduler, in any site.
    return sorted([row for row in found if ("field", "modified") not in row], key=repr)


def plain(found, table):
    """Without timestamps, random ids of rows and the password's hash."""

    def keep(column, value):
        random_id = column == "name" and re.fullmatch(r"[0-9a-f]{10}", str(value))
        return column not in ("creation", "modified") and not random_id and (table, column) != ("__Auth", "password")

    return sorted([tuple(pair for pair in row if keep(*pair)) for row in found], key=repr)
