"""Templates: made, kept, swept, and nothing left where one is cut short."""

import hashlib
import os
import random
import re
import threading
import time

from tests.template import IMAGE, Maker, TemplateCase, tearDownModule  # noqa: F401
from tests.tenant import rows

STEPS = ("create", "apps", "settings", "keys")


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
