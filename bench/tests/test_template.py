"""Templates: made, kept, swept; and tenants that are made from one, compared with an installed site table by table."""

import contextlib
import gzip
import hashlib
import json
import os
import random
import re
import secrets
import sys
import threading
import time
import types
from pathlib import Path

from tests.tenant import SITES, BenchCase, Tenant, rows

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

IMAGE = "registry.test/erpnext:v15"
SHARED = {}
STEPS = ("create", "apps", "settings", "keys")


def tearDownModule():
    for maker, _ in SHARED.values():
        maker.change(make=False)
        assert maker.run("template").ok and not maker.templates.exists()


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


class MakingATemplate(TemplateCase):
    def test_it_holds_a_fresh_site_and_the_site_is_gone(self):
        maker, name = self.made()
        self.assertEqual([str(path.relative_to(maker.templates)) for path in sorted(maker.templates.rglob("*"))],
                         [name, f"{name}/database.sql.gz", f"{name}/manifest.json"])  # fmt: skip
        self.assertEqual(maker.leftovers(), [])
        manifest = maker.manifest(name)
        self.assertEqual([app["name"] for app in manifest["apps"]], ["frappe", "erpnext"])
        self.assertTrue(all(app["version"] for app in manifest["apps"]))
        packed = (maker.of(name) / "database.sql.gz").read_bytes()
        self.assertEqual(manifest["files"]["database.sql.gz"], {"bytes": len(packed), "sha256": hashlib.sha256(packed).hexdigest()})
        self.assertEqual(manifest["tables"], len(re.findall(rb"^CREATE TABLE ", maker.dump(name), re.M)))
        self.assertEqual((manifest["recipe"], manifest["image"], manifest["config"]), (1, IMAGE, {}))

    def test_it_is_readable_by_its_owner_only(self):
        maker, name = self.made()
        modes = {path: path.stat().st_mode & 0o777 for path in (maker.templates.parent, maker.templates, maker.of(name), *maker.of(name).iterdir())}
        self.assertEqual({mode for path, mode in modes.items() if path.is_dir()}, {0o700})
        self.assertEqual({mode for path, mode in modes.items() if path.is_file()}, {0o600})

    def test_it_holds_no_secret_no_name_and_no_user(self):
        maker, name = self.made()
        dump = maker.dump(name)
        for needle in (maker.id, maker.site, maker.database, maker.owner, maker.environment["TENANT_DB_ROOT_PASSWORD"]):
            self.assertNotIn(needle.encode(), dump)
        self.assertNotIn(b"INSERT INTO `__Auth`", dump)
        self.assertNotIn(b"INSERT INTO `tabSessions`", dump)
        users = re.search(rb"INSERT INTO `tabUser` VALUES\s*(.*?);\n", dump, re.S).group(1)
        self.assertEqual(users.count(b"('"), 2)

    def test_a_second_run_finds_it_and_makes_nothing(self):
        maker, name = self.made()
        before = maker.of(name).stat().st_ino
        done = self.assert_ok(maker.run("template"))["template"]
        self.assertEqual((done["name"], done["made"], done["removed"]), (name, False, 0))
        self.assertEqual(maker.of(name).stat().st_ino, before)
        maker.change(anew=True)
        done = self.assert_ok(maker.run("template"))["template"]
        self.assertEqual((done["name"], done["made"]), (name, True))

    def test_one_that_is_broken_is_made_again(self):
        maker, name = self.made()
        for damage in (b"", b"not a dump"):
            (maker.of(name) / "database.sql.gz").write_bytes(damage)
            self.assertTrue(self.assert_ok(maker.run("template"))["template"]["made"])
            self.assertFalse(self.assert_ok(maker.run("template"))["template"]["made"])

    def test_its_name_is_its_content(self):
        maker, name = self.made()
        self.assertEqual(self.assert_ok(maker.run("template"))["template"]["name"], name)
        maker.change(keep=[name])
        names = [name]
        for change in ({"image": "registry.test/erpnext:v16"}, {"recipe": 2}):
            maker.change(**change)
            names.append(self.assert_ok(maker.run("template"))["template"]["name"])
            maker.change(keep=names)
        maker.input["apps"] = []
        done = self.assert_ok(maker.run("template"))["template"]
        self.assertEqual([app["name"] for app in done["apps"]], ["frappe"])
        self.assertEqual(len({*names, done["name"]}), 4)

    def test_what_nobody_needs_is_removed_and_another_benchs_is_not_touched(self):
        maker, name = self.made(apps=[])
        other, others = self.made(apps=[])
        self.assertNotEqual(maker.of(name), other.of(others))
        (maker.templates / "notes").mkdir()
        (maker.templates / f".{name}.part").mkdir()
        maker.change(make=False, keep=[name])
        self.assertEqual(self.assert_ok(maker.run("template"))["template"]["removed"], 0)
        self.assertEqual(sorted(path.name for path in maker.templates.iterdir()), sorted([name, "notes"]))
        maker.change(keep=[])
        self.assertEqual(self.assert_ok(maker.run("template"))["template"]["removed"], 1)
        self.assertEqual([path.name for path in maker.templates.iterdir()], ["notes"])
        (maker.templates / "notes").rmdir()
        self.assertTrue(other.of(others).exists())

    def test_what_apps_write_into_the_sites_config_is_kept_too(self):
        maker, name = self.made(apps=["erpnext", "hrms"])
        self.assertEqual(maker.manifest(name)["config"], {"user_type_doctype_limit": {"employee_self_service": 40}})
        tenant = self.tenant_of(maker, name)
        self.assert_made_from(tenant.run(*STEPS), name)
        self.assertEqual(tenant.config()["user_type_doctype_limit"], {"employee_self_service": 40})
        self.assert_complete(tenant, apps=("frappe", "erpnext", "hrms"))

    def test_an_app_that_the_bench_lacks_is_told_before_anything_is_made(self):
        maker = self.maker(apps=["nosuchapp"])
        self.assert_failed(maker.run("template"), "AppMissing")
        self.assertEqual(maker.leftovers(), [])

    def test_its_site_is_closed_while_it_is_made(self):
        maker = self.maker()
        running = maker.start("template", faults={"install-app:after:frappe": {"do": "hang"}})
        running.await_output("making")
        deadline = time.monotonic() + 30
        while not maker.folder.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual((maker.config()["maintenance_mode"], maker.config()["pause_scheduler"]), (1, 1))
        running.kill()

    def test_bad_input_is_refused(self):
        for change in ({"owner": "../x"}, {"owner": None}, {"keep": ["../x"]}):
            with self.subTest(change):
                maker = Maker()
                maker.change(**change)
                self.assert_failed(maker.run("template"), "BadInput")

    def test_a_site_or_a_database_of_that_name_that_is_not_ours_is_not_touched(self):
        maker = self.maker()
        maker.folder.mkdir()
        self.assert_failed(maker.run("template"), "ForeignSite")
        self.assertEqual(list(maker.folder.iterdir()), [])
        maker.folder.rmdir()
        rows(f"CREATE DATABASE `{maker.database}`")
        rows("CREATE TABLE precious (id INT)", database=maker.database)
        self.assert_failed(maker.run("template"), "ForeignSite")
        self.assertEqual(rows("SHOW TABLES", database=maker.database), [("precious",)])
        rows(f"DROP DATABASE `{maker.database}`")


class Interrupted(TemplateCase):
    def test_killed_at_a_point_the_next_run_leaves_a_template_and_nothing_else(self):
        for point in ("new-site:after-config", "new-site:after-db", "install-app:tables:erpnext", "backup:after-dump", "drop-site:after-db"):
            with self.subTest(point):
                maker = self.maker()
                result = maker.run("template", faults={point: {"do": "kill"}})
                self.assertFalse(result.ok)
                name = self.assert_ok(maker.run("template"))["template"]["name"]
                self.assertEqual(os.listdir(maker.templates), [name])
                self.assertEqual(maker.leftovers(), [])

    def test_killed_at_any_moment_the_next_run_leaves_a_template_and_nothing_else(self):
        maker, chance = self.maker(), random.Random(5)
        for _ in range(8):
            running = maker.start("template")
            time.sleep(chance.uniform(0.1, 2.5))
            running.kill()
        name = self.assert_ok(maker.run("template"))["template"]["name"]
        self.assertEqual(os.listdir(maker.templates), [name])
        self.assertEqual(maker.leftovers(), [])
        tenant = self.tenant_of(maker, name)
        self.assert_made_from(tenant.run("create", "apps"), name)

    def test_a_failure_leaves_nothing_of_the_site(self):
        maker = self.maker()
        self.assert_failed(maker.run("template", faults={"install-app:tables:erpnext": {"do": "fail"}}), "AppInstallFailed")
        self.assertEqual(maker.leftovers(), [])
        self.assert_failed(maker.run("template", faults={"backup:after-dump": {"do": "fail"}}), "TemplateFailed")
        self.assertEqual((maker.leftovers(), list(maker.templates.rglob("*"))), ([], []))

    def test_two_runs_at_once_make_one(self):
        maker, results = self.maker(apps=[]), []
        threads = [threading.Thread(target=lambda: results.append(maker.run("template"))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(self.assert_ok(result)["template"]["made"] for result in results), [False, True])


class ATenantFromATemplate(TemplateCase):
    def test_it_differs_from_an_installed_one_only_in_what_must_differ(self):
        maker, name = self.shared()
        one, two, installed = self.tenant_of(maker, name), self.tenant_of(maker, name), self.tenant()
        for tenant in (one, two):
            done = tenant.run("create", "apps")
            self.assert_made_from(done, name)
            self.assertEqual(done.done["apps"]["installed"], [])
            self.assert_complete(tenant)
        self.assert_ok(installed.run("create", "apps"))
        pictures = [picture(tenant.database) for tenant in (one, two, installed)]
        # From one template: the Administrator's password, and since when the site is there.
        differing = {table for table in pictures[0] if pictures[0][table] != pictures[1][table]}
        self.assertLessEqual(differing, {"__Auth", "tabUser"})
        self.assertIn("__Auth", differing)
        # From an installation: besides, the ids of rows that have random ones, and timestamps.
        self.assertEqual(pictures[0].keys(), pictures[2].keys())
        for table, found in pictures[0].items():
            self.assertEqual(plain(found, table), plain(pictures[2][table], table), table)
        self.assertEqual(len({tenant.query("SELECT password FROM __Auth")[0] for tenant in (one, two, installed)}), 3)
        configs = [tenant.config() for tenant in (one, two, installed)]
        for key in ("encryption_key", "db_password", "db_name"):
            self.assertEqual(len({config[key] for config in configs}), 3, key)
        self.assertEqual(configs[0].keys(), configs[2].keys())
        self.assertEqual([tenant.state() for tenant in (one, two)], [installed.state()] * 2)

    def test_it_is_as_old_as_itself_and_not_as_the_template(self):
        maker, name = self.shared(())
        tenant = self.tenant_of(maker, name)
        time.sleep(1.1)
        self.assert_made_from(tenant.run("create"), name)
        ((user,),) = tenant.query("SELECT creation FROM tabUser WHERE name = 'Administrator'")
        ((role,),) = tenant.query("SELECT MAX(creation) FROM `tabModule Def`")
        self.assertGreater(user, role)

    def test_it_becomes_ready_as_any_other_and_a_second_run_changes_nothing(self):
        maker, name = self.shared()
        tenant = self.tenant_of(maker, name)
        organization = {"name": "Acme GmbH", "country": "DE", "currency": "EUR", "timeZone": "Europe/Berlin"}
        tenant.input["settings"].update(setup="Complete", organization=organization)
        self.assert_made_from(tenant.run(*STEPS), name)
        self.assertEqual(self.assert_ok(tenant.run("inspect"))["inspect"]["differs"], [])
        before = tenant.config()
        done = self.assert_ok(tenant.run(*STEPS))
        self.assertEqual((done["create"]["created"], done["apps"]["installed"], done["settings"]["changed"]), (False, [], []))
        self.assertNotIn("template", done["create"])
        self.assertEqual(tenant.config(), before)
        self.assertFalse((SITES / ".tenant-operator" / tenant.id).exists())

    def test_what_the_template_lacks_is_installed(self):
        maker, name = self.shared()
        tenant = self.tenant_of(maker, name)
        tenant.input["apps"] = ["erpnext", "hrms"]
        done = tenant.run("create", "apps")
        self.assert_made_from(done, name)
        self.assertEqual(done.done["apps"]["installed"], ["hrms"])
        self.assert_complete(tenant, apps=("frappe", "erpnext", "hrms"))

    def test_the_guards_are_those_of_an_installation(self):
        maker, name = self.shared(())
        foreign = self.tenant_of(maker, name)
        foreign.folder.mkdir()
        self.assert_failed(foreign.run("create"), "ForeignSite")
        vanished = self.tenant_of(maker, name, expectSite=True)
        self.assert_failed(vanished.run("create"), "SiteVanished")
        taken = self.tenant_of(maker, name)
        rows(f"CREATE DATABASE `{taken.database}`")
        self.assert_failed(taken.run("create"), "ForeignDatabase")
        used = self.tenant_of(maker, name)
        self.assert_ok(used.run("create", "settings"))
        used.query("DELETE FROM __Auth")
        used.input["expectSite"] = True
        self.assert_failed(used.run("create"), "SiteVanished")


class AnUnfitTemplate(TemplateCase):
    def test_one_that_is_not_there_or_broken_or_stale_is_not_used(self):
        maker, name = self.made(apps=[])
        dump, manifest = (maker.of(name) / file for file in ("database.sql.gz", "manifest.json"))
        packed, written = dump.read_bytes(), manifest.read_text()
        apps = maker.manifest(name)["apps"]
        other = gzip.compress(gzip.decompress(packed).replace(b"CREATE TABLE `tabNote`", b"CREATE TABLF `tabNote`"))
        files = {"database.sql.gz": {"bytes": len(other), "sha256": hashlib.sha256(other).hexdigest()}}
        damages = {
            "a flipped byte": ("Broken", lambda: dump.write_bytes(packed[:-9] + bytes([packed[-9] ^ 1]) + packed[-8:])),
            "half a dump": ("Broken", lambda: dump.write_bytes(packed[: len(packed) // 2])),
            "no dump": ("Broken", dump.unlink),
            "no manifest": ("Broken", manifest.unlink),
            "no JSON": ("Broken", lambda: manifest.write_text("{")),
            "another form": ("Broken", lambda: manifest.write_text("{}")),
            "another recipe": ("Stale", lambda: maker.write_manifest(name, recipe=7)),
            "another version of an app": ("Stale", lambda: maker.write_manifest(name, apps=[{**apps[0], "version": "1.0"}])),
            "an app that the bench lacks": ("Stale", lambda: maker.write_manifest(name, apps=[*apps, {"name": "gone", "version": "1"}])),
            "a table too few": ("Broken", lambda: dump.write_bytes(other) and maker.write_manifest(name, files=files)),
        }
        for what, (why, damage) in damages.items():
            with self.subTest(what):
                dump.write_bytes(packed)
                manifest.write_text(written)
                damage()
                tenant = self.tenant_of(maker, name)
                self.assert_installed(tenant.run("create"), name, why)
                self.assert_complete(tenant, apps=("frappe",))
                self.assertNotIn("restores", tenant.state())
        tenant = self.tenant_of(maker, "0" * 16)
        self.assert_installed(tenant.run("create"), "0" * 16, "Missing")
        tenant = self.tenant_of(maker, "../../x")
        self.assert_installed(tenant.run("create"), "../../x", "Missing")

    def test_one_that_says_other_than_it_holds_is_not_used(self):
        maker, name = self.made(apps=[])
        apps = self.tenant()
        self.assert_ok(apps.run("create", "apps"))
        versions = apps.execute("import erpnext; print(json.dumps(erpnext.__version__))")
        maker.write_manifest(name, apps=[*maker.manifest(name)["apps"], {"name": "erpnext", "version": versions}], config={"extra": 1})
        tenant = self.tenant_of(maker, name)
        result = tenant.run("create", "apps")
        self.assert_installed(result, name, "Failed")
        self.assert_complete(tenant, apps=("frappe",))
        self.assertNotIn("extra", tenant.config())

    def test_one_that_cannot_be_restored_is_not_used_and_the_site_is_installed_in_the_same_run(self):
        maker, name = self.shared()
        for fault in ("fail", "kill"):
            with self.subTest(fault):
                tenant = self.tenant_of(maker, name)
                result = tenant.run("create", "apps", faults={"new-site:after-schema": {"do": fault, "times": 1}})
                if result.ok:  # the fault may strike the installation as well
                    self.assert_installed(result, name, "Failed")
                self.assert_ok(tenant.run("create", "apps"))
                self.assert_complete(tenant)

    def test_a_database_that_is_down_is_no_fault_of_the_template(self):
        maker, name = self.shared(())
        tenant = self.tenant_of(maker, name)
        fault = {"new-site:after-db": {"do": "fail", "message": "pymysql.err.OperationalError: (2003, 'gone')"}}
        self.assert_failed(tenant.run("create", faults=fault), "DatabaseUnreachable")
        self.assert_made_from(tenant.run("create"), name)


class AHalfRestoredSite(TemplateCase):
    def test_killed_at_a_point_of_the_restore_it_is_done_again(self):
        maker, name = self.shared()
        for point in ("new-site:after-user", "new-site:after-db", "new-site:after-schema", "new-site:end"):
            with self.subTest(point):
                tenant = self.tenant_of(maker, name)
                running = tenant.start(*STEPS, faults={point: {"do": "hang"}})
                running.await_output("create: from a template")
                time.sleep(1)
                self.assertFalse(running.kill().raw)
                self.assertTrue(tenant.state()["creating"])
                self.assert_made_from(tenant.run(*STEPS), name)
                self.assert_complete(tenant)
                self.assertEqual(self.assert_ok(tenant.run("inspect"))["inspect"]["differs"], [])

    def test_killed_at_any_moment_it_converges(self):
        maker, name = self.shared()
        tenant, chance = self.tenant_of(maker, name), random.Random(11)
        for _ in range(10):
            running = tenant.start(*STEPS)
            time.sleep(chance.uniform(0.05, 1.6))
            running.kill()
        self.assert_ok(tenant.run(*STEPS))
        self.assert_complete(tenant)
        self.assertEqual(self.assert_ok(tenant.run("inspect"))["inspect"]["differs"], [])
        self.assertFalse((SITES / ".tenant-operator" / tenant.id).exists())

    def test_what_was_cut_short_twice_is_installed(self):
        maker, name = self.shared(())
        workshop = SITES / ".tenant-operator"
        tenant = self.tenant_of(maker, name)
        for _ in range(2):
            running = tenant.start("create", faults={"new-site:after-db": {"do": "hang"}})
            running.await_output("create: from a template")
            time.sleep(0.5)
            running.kill()
        self.assertTrue((workshop / tenant.id / "template.sql").exists())
        self.assert_installed(tenant.run("create"), name, "Interrupted")
        self.assertFalse((workshop / tenant.id).exists())
        self.assert_complete(tenant, apps=("frappe",))
        self.assertNotIn("restores", tenant.state())

    def test_an_app_that_was_interrupted_after_the_restore_is_healed_from_the_template(self):
        maker, name = self.shared()
        tenant = self.tenant_of(maker, name)
        tenant.input["apps"] = ["erpnext", "hrms"]
        self.assert_failed(tenant.run("create", "apps", faults={"install-app:tables:hrms": {"do": "kill"}}), "AppInstallFailed")
        done = tenant.run("create", "apps")
        self.assert_made_from(done, name)
        self.assert_complete(tenant, apps=("frappe", "erpnext", "hrms"))

    def test_the_template_may_go_while_it_is_restored(self):
        maker, name = self.made()
        tenant = self.tenant_of(maker, name)
        running = tenant.start("create", "apps", faults={"new-site:after-user": {"do": "slow", "seconds": 2}})
        running.await_output("create: from a template")
        time.sleep(1)
        maker.change(make=False)
        self.assertEqual(self.assert_ok(maker.run("template"))["template"]["removed"], 1)
        self.assert_made_from(running.end(), name)
        self.assert_complete(tenant)


class Sanitising(TemplateCase):
    """On a site that holds what no template may: as if its apps had left it."""

    def setUp(self):
        super().setUp()
        import tenant_sanitise
        from tenant_failure import Failure
        from tenant_site import Site

        self.enterContext(contextlib.chdir(SITES))
        self.sanitise, self.failure = tenant_sanitise, Failure
        self.site = self.tenant(apps=[])
        self.assert_ok(self.site.run("create"))
        database = types.SimpleNamespace(rows=lambda query, *values: rows(query, *values))
        self.run_ = types.SimpleNamespace(site=Site.of(self.site.input), database=database)

    def refused(self, reason, work):
        with self.assertRaises(self.failure) as caught:
            work(self.run_)
        self.assertEqual(caught.exception.reason, reason)
        return caught.exception

    def test_passwords_sessions_logs_and_ids_are_taken_out(self):
        query = self.site.query
        query("INSERT INTO tabSessions (sid, user) VALUES ('s1', 'Administrator')")
        query("INSERT INTO `tabError Log` (name, error) VALUES ('e1', 'at /home/somebody')")
        query("INSERT INTO tabSingles (doctype, field, value) VALUES ('Website Settings', 'telemetry_id', 'abc'), ('X Settings', 'site_uuid', 'abc')")
        query("INSERT INTO tabSingles (doctype, field, value) VALUES ('X Settings', 'website_id', 'kept')")
        query("UPDATE tabUser SET last_ip = '10.0.0.1', api_key = 'k', last_login = NOW() WHERE name = 'Administrator'")
        self.sanitise.clean(self.run_)
        for table in ("__Auth", "tabSessions", "`tabError Log`"):
            self.assertEqual(query(f"SELECT 1 FROM {table}"), [], table)
        left = query("SELECT field FROM tabSingles WHERE field LIKE '%%id'")
        self.assertEqual(left, [("website_id",)])
        self.assertEqual(query("SELECT DISTINCT last_ip, api_key, last_login FROM tabUser"), [(None, None, None)])

    def test_a_user_too_many_a_file_or_a_secret_in_the_config_makes_no_template(self):
        self.site.query("INSERT INTO tabUser (name, email) VALUES ('agent@app.test', 'agent@app.test')")
        self.assertIn("agent@app.test", self.refused("TemplateNotClean", self.sanitise.clean).message)
        self.site.query("DELETE FROM tabUser WHERE name = 'agent@app.test'")
        self.sanitise.clean(self.run_)
        (self.site.folder / "private/files/logo.png").write_text("x")
        self.refused("TemplateNotClean", self.sanitise.prove)
        (self.site.folder / "private/files/logo.png").unlink()
        self.assertEqual(self.sanitise.config_of(self.run_), {})
        self.site.write_config(limit=5)
        self.assertEqual(self.sanitise.config_of(self.run_), {"limit": 5})
        self.site.write_config(push_private_key="x")
        self.refused("TemplateNotClean", self.sanitise.config_of)

    def test_an_app_that_lets_other_programs_in_makes_no_template(self):
        self.site.query("CREATE TABLE `tabOAuth Client` (name VARCHAR(140), client_secret TEXT)")
        self.sanitise.clean(self.run_)
        self.site.query("INSERT INTO `tabOAuth Client` VALUES ('one', 'secret')")
        self.assertIn("OAuth Client", self.refused("TemplateNotClean", self.sanitise.clean).message)

    def test_a_session_that_comes_meanwhile_is_seen(self):
        self.sanitise.clean(self.run_)
        self.site.query("INSERT INTO tabSessions (sid, user) VALUES ('s1', 'Guest')")
        self.refused("TemplateFailed", self.sanitise.prove)


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
