"""adopt and report: a site that somebody else made, looked at, taken over, or refused."""

import json
import secrets

from tests.tenant import SITES, BenchCase, rows, site_made_by_hand


# As the customer went through it, long ago.
WIZARD = """
from frappe.desk.page.setup_wizard.setup_wizard import setup_complete
frappe.get_single("Installed Applications").update_versions() if hasattr(frappe, "is_setup_complete") else None
setup_complete({"language": "English", "country": "Germany", "timezone": "Europe/Berlin", "currency": "EUR"})
"""


class AdoptCase(BenchCase):
    def stranger(self):
        """A tenant whose site an old script has made, with a database that is named otherwise."""
        tenant = self.tenant(apps=[])
        tenant.database = f"_{secrets.token_hex(8)}"
        site_made_by_hand(tenant.site, tenant.database)
        tenant.input["database"]["name"] = ""
        tenant.input["adopted"] = True
        for variable in ("TENANT_ENCRYPTION_KEY", "TENANT_DB_PASSWORD"):
            del tenant.environment[variable]
        return tenant

    def taken_over(self):
        tenant = self.stranger()
        found = self.assert_ok(tenant.run("adopt"))["adopt"]
        tenant.input["database"]["name"] = found["database"]
        tenant.input["expectSite"] = True
        return tenant

    def assert_untouched(self, tenant, before):
        self.assertEqual(tenant.config(), before)


class Adoption(AdoptCase):
    def test_the_marker_is_all_that_changes_and_the_database_is_told(self):
        tenant = self.stranger()
        before = tenant.config()
        found = self.assert_ok(tenant.run("adopt"))["adopt"]
        self.assertEqual((found["adopted"], found["database"]), (True, tenant.database))
        after = tenant.config()
        self.assertEqual(after.pop("tenant_operator"), tenant.input["marker"])
        self.assertEqual(after.pop("tenant_operator_state"), {"organization": "Adopted"})
        self.assertEqual(len(after.pop("encryption_key")), 44, "it had none")
        self.assertEqual(after, before)

    def test_a_second_run_changes_nothing(self):
        tenant = self.taken_over()
        before = tenant.config()
        tenant.input["database"]["name"] = ""
        found = self.assert_ok(tenant.run("adopt"))["adopt"]
        self.assertEqual((found["adopted"], found["database"]), (False, tenant.database))
        self.assert_untouched(tenant, before)

    def test_all_further_steps_work_and_the_sites_own_key_and_password_stay(self):
        tenant = self.taken_over()
        tenant.execute("from frappe.utils.password import encrypt\nencrypt('x')")
        before = tenant.config()
        self.assert_ok(tenant.run("create", "apps", "settings", "keys"))
        after = tenant.config()
        for name in ("encryption_key", "db_name", "db_password"):
            self.assertEqual(after.get(name), before.get(name), name)
        self.assertEqual(self.assert_ok(tenant.run("create"))["create"]["repaired"], [])

    def test_no_secret_of_the_site_is_told(self):
        tenant = self.stranger()
        result = tenant.run("adopt")
        for name in ("db_password", "encryption_key"):
            self.assertNotIn(tenant.config().get(name) or "-", result.raw + result.output)

    def test_the_wizard_is_not_run_again_where_it_is_complete(self):
        tenant = self.taken_over()
        tenant.execute(WIZARD)
        tenant.execute("frappe.db.set_single_value('System Settings', 'country', 'Atlantis')")
        tenant.input["settings"].update(setup="Complete", organization={"name": "Another", "country": "DE"})
        done = self.assert_ok(tenant.run("settings"))["settings"]
        self.assertNotIn("setup", done["changed"])
        self.assertEqual(tenant.execute("print(json.dumps(frappe.db.get_single_value('System Settings', 'country')))"), "Atlantis")

    def test_what_the_customer_chose_stays_where_the_wizard_is_left_out(self):
        tenant = self.taken_over()
        tenant.execute("frappe.db.set_single_value('System Settings', 'country', 'Atlantis')")
        tenant.input["settings"]["organization"] = {"country": "DE"}
        self.assert_ok(tenant.run("settings"))
        self.assertEqual(tenant.execute("print(json.dumps(frappe.db.get_single_value('System Settings', 'country')))"), "Atlantis")

    def test_it_is_archived_and_dropped_with_the_database_that_it_has(self):
        tenant = self.taken_over()
        self.assert_ok(tenant.run("create"))
        tenant.input["drop"] = {"manifest": tenant.archive}
        self.assert_ok(tenant.run("archive", "drop"))
        self.assertFalse(tenant.folder.exists())
        self.assertEqual(rows("SHOW DATABASES LIKE %s", tenant.database), [])

    def test_create_never_makes_an_adopted_site_anew(self):
        tenant = self.taken_over()
        rows(f"DROP DATABASE `{tenant.database}`")
        self.assert_failed(tenant.run("create"), "SiteVanished")

    def test_the_key_of_an_adoption_that_never_came_about_has_nothing_to_revoke(self):
        tenant = self.stranger()
        before = tenant.config()
        done = self.assert_ok(tenant.run("revoke"))["revoke"]
        self.assertEqual((done["revoked"], done["foreign"]), (False, True))
        self.assert_untouched(tenant, before)

    def test_the_key_is_revoked_also_where_what_adopt_said_was_lost(self):
        tenant = self.stranger()
        self.assert_ok(tenant.run("adopt"))
        self.assertTrue(self.assert_ok(tenant.run("revoke"))["revoke"]["revoked"])


class Refusals(AdoptCase):
    def refused(self, tenant, reason, words=""):
        before = tenant.config()
        for step in ("report", "adopt"):
            with self.subTest(step):
                result = tenant.run(step)
                self.assert_failed(result, reason)
                self.assertIn(words, result.message)
                self.assert_untouched(tenant, before)

    def test_a_site_that_is_not_there(self):
        tenant = self.tenant()
        tenant.input.update(adopted=True)
        tenant.input["database"]["name"] = ""
        for step in ("report", "adopt"):
            result = tenant.run(step)
            self.assert_failed(result, "NoSuchSite")
            for words in (tenant.site, f"{SITES} has no such folder", "adoption.siteNames", "the right siteName", "without adoption"):
                self.assertIn(words, result.message)
            self.assertNotIn(self.neighbour.name, result.message)
        self.assertFalse(tenant.folder.exists())

    def test_a_site_with_the_marker_of_another_tenant(self):
        tenant = self.stranger()
        tenant.write_config(tenant_operator={"id": "f" * 16, "cluster": "test"})
        self.refused(tenant, "ForeignSite", "f" * 16)

    def test_a_site_with_the_marker_of_another_cluster(self):
        tenant = self.stranger()
        tenant.write_config(tenant_operator={"id": tenant.id, "cluster": "elsewhere"})
        self.refused(tenant, "ForeignSite", "another cluster")

    def test_a_marker_that_is_no_marker(self):
        tenant = self.stranger()
        tenant.write_config(tenant_operator="yes")
        self.refused(tenant, "ForeignSite")

    def test_the_masters_own_site(self):
        tenant = self.stranger()
        tenant.input["protectedSites"] = [tenant.site]
        self.refused(tenant, "ProtectedSite")

    def test_the_default_site_of_the_bench(self):
        tenant = self.stranger()
        common = SITES / "common_site_config.json"
        text = common.read_text()
        self.addCleanup(common.write_text, text)
        common.write_text(json.dumps({**json.loads(text), "default_site": tenant.site}))
        self.refused(tenant, "ProtectedSite")
        common.write_text(text)
        current = SITES / "currentsite.txt"
        old = current.read_text() if current.exists() else None
        self.addCleanup(lambda: current.unlink() if old is None else current.write_text(old))
        current.write_text(tenant.site)
        self.refused(tenant, "ProtectedSite")

    def test_a_database_that_two_sites_name(self):
        tenant = self.stranger()
        tenant.write_config(db_name=self.neighbour.database)
        self.refused(tenant, "ForeignDatabase")

    def test_a_user_that_is_not_named_as_the_database(self):
        tenant = self.stranger()
        tenant.write_config(db_user="somebody")
        self.refused(tenant, "ForeignDatabase")

    def test_a_database_that_is_no_site(self):
        tenant = self.stranger()
        rows(f"DROP TABLE `{tenant.database}`.`tabDefaultValue`")
        self.refused(tenant, "ForeignDatabase")

    def test_another_kind_of_database(self):
        tenant = self.stranger()
        tenant.write_config(db_type="postgres")
        self.refused(tenant, "ForeignDatabase")

    def test_a_site_without_a_marker_says_how_it_may_be_taken_over(self):
        tenant = self.stranger()
        tenant.input["adopted"] = False
        tenant.input["database"]["name"] = f"t_{tenant.id}"
        tenant.environment.update(TENANT_ENCRYPTION_KEY="A" * 43 + "=", TENANT_DB_PASSWORD="unused-123")
        before = tenant.config()
        result = tenant.run("create")
        self.assert_failed(result, "ForeignSite")
        self.assertIn("adoption.siteNames", result.message)
        self.assert_untouched(tenant, before)


class Reports(AdoptCase):
    def test_a_report_says_what_would_change_and_changes_nothing(self):
        tenant = self.stranger()
        before = tenant.config(), rows("CHECKSUM TABLE tabUser, tabSingles", database=tenant.database)
        tenant.input["apps"] = ["erpnext"]
        tenant.input["settings"]["siteConfig"] = [{"name": "max_file_size", "value": 5}]
        lines = self.assert_ok(tenant.run("report"))["report"]["changes"]
        self.assertEqual((tenant.config(), rows("CHECKSUM TABLE tabUser, tabSingles", database=tenant.database)), before)
        for word in ("marker", "erpnext", "max_file_size", "lockdown", "API user"):
            self.assertTrue(any(word in line for line in lines), (word, lines))

    def test_of_a_site_that_was_taken_over_nothing_is_left_to_report(self):
        tenant = self.taken_over()
        self.assert_ok(tenant.run("create", "apps", "settings", "keys"))
        self.assertEqual(self.assert_ok(tenant.run("report"))["report"]["changes"], [])

    def test_a_long_report_fits_into_the_result(self):
        tenant = self.stranger()
        tenant.input["settings"]["siteConfig"] = [{"name": f"a_key_of_a_customer_{number}", "value": 1} for number in range(64)]
        result = tenant.run("report")
        lines = self.assert_ok(result)["report"]["changes"]
        self.assertLessEqual(len(result.raw.encode()), 2048)
        self.assertRegex(lines[-1], r"and \d+ more")
