"""The setup wizard, and where each release keeps that it is done."""

import unittest

from tests.bench import BenchTest, Server, bench, new_site, python

WIZARD = """
from frappe.desk.page.setup_wizard.setup_wizard import setup_complete
print(setup_complete({args!r}))
frappe.db.commit()
"""
ARGUMENTS = {
    "language": "English", "country": "Germany", "timezone": "Europe/Berlin", "currency": "EUR", "full_name": "Ada Byron",
    "email": "ada@acme.test", "password": "Pw-of-Ada-1",
}  # fmt: skip
COMPANY = {
    "company_name": "Acme GmbH", "company_abbr": "ACME", "chart_of_accounts": "Standard", "fy_start_date": "2026-01-01",
    "fy_end_date": "2026-12-31",
}  # fmt: skip
FLAGS = """
per_app = frappe.is_setup_complete() if hasattr(frappe, "is_setup_complete") else None
print(frappe.db.get_single_value("System Settings", "setup_complete"), per_app)
"""


class Wizard(BenchTest):
    def run_wizard(self, site, release="15", **more):
        return python(WIZARD.format(args={**ARGUMENTS, **more}), site, release)

    def test_is_wanted_by_a_new_site(self):
        site = new_site()[0]
        self.assertEqual(python(FLAGS, site), "0 False")
        self.assertEqual(python("print(frappe.db.get_default('desktop:home_page'))", site), "setup-wizard")

    def test_sets_the_region_the_scheduler_and_the_first_user_once(self):
        server = Server()
        self.addCleanup(server.stop)
        site = new_site()[0]
        self.assertEqual(self.run_wizard(site), "{'status': 'ok'}")
        self.assertEqual(self.run_wizard(site), "{'status': 'ok'}")
        settings = python(
            "s = frappe.get_doc('System Settings'); print(s.country, s.time_zone, s.number_format, s.enable_scheduler)", site
        )
        self.assertEqual(settings, "Germany Europe/Berlin #.###,## 1")
        self.assertIn("System Manager", python("print(frappe.get_roles('ada@acme.test'))", site))
        self.assertEqual(server.login(site, "ada@acme.test", "Pw-of-Ada-1").status, 200)

    def test_is_lost_when_the_caller_does_not_commit(self):
        site = new_site()[0]
        python(WIZARD.format(args=ARGUMENTS).replace("frappe.db.commit()", ""), site)
        self.assertEqual(python(FLAGS, site), "0 False")

    def test_stays_done_over_a_migrate(self):
        site = new_site()[0]
        self.run_wizard(site)
        self.assert_ok(bench("--site", site, "migrate"))
        self.assertEqual(python(FLAGS, site), "0 True")

    def test_is_done_per_app_from_15_70_on_and_by_one_flag_before(self):
        for release, flags in (("15", "0 True"), ("16", "0 True"), ("15.44", "1 None")):
            with self.subTest(release):
                site = new_site(release=release)[0]
                self.run_wizard(site, release)
                self.assertEqual(python(FLAGS, site, release), flags)

    def test_makes_the_company_where_erpnext_is(self):
        site, _database, done = new_site("--install-app", "erpnext")
        self.assert_ok(done)
        self.assertEqual(self.run_wizard(site, **COMPANY), "{'status': 'ok'}")
        company = "print(frappe.db.get_value('Company', 'Acme GmbH', ['abbr', 'country', 'default_currency']))"
        self.assertEqual(python(company, site), "('ACME', 'Germany', 'EUR')")
        listed = bench("--site", site, "list-apps").stdout.split()
        self.assertEqual(listed[:3], ["frappe", "15.72.4", "version-15"])

    def test_with_erpnext_is_not_done_by_setting_the_flag_alone(self):
        site = new_site("--install-app", "erpnext")[0]
        lines = "frappe.db.set_single_value('System Settings', 'setup_complete', 1); frappe.db.commit()\n"
        self.assertEqual(python(lines + FLAGS, site), "1 False")

    def test_wants_a_country_by_its_name(self):
        site = new_site()[0]
        failed = python(WIZARD.format(args={**ARGUMENTS, "country": "DE"}), site, check=False)
        self.assert_fails(failed, "Could not find Country")
        self.assertEqual(python("print(frappe.db.get_value('Country', {'code': 'de'}))", site), "Germany")

    def test_does_not_mind_a_time_zone_that_does_not_exist(self):
        site = new_site()[0]
        lines = """
import datetime
settings = frappe.get_doc("System Settings"); settings.time_zone = "Mars/Base"; settings.save(); frappe.db.commit()
print(abs(frappe.utils.now_datetime() - datetime.datetime.utcnow()).total_seconds() < 60)
"""
        self.assertEqual(python(lines, site), "True")


if __name__ == "__main__":
    unittest.main()
