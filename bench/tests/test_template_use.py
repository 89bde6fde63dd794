"""Tenants that are made from a template, compared with an installed site table by table, and restores that are cut short."""

import random
import time

from tests.template import TemplateCase, picture, plain, tearDownModule  # noqa: F401
from tests.tenant import SITES, rows

STEPS = ("create", "apps", "settings", "keys")


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
