"""apps on a site in use: a backup before anything is installed, and only then."""

import gzip
import time

from tests.tenant import BenchCase

INSTALL_FAILS = {"install-app:tables:hrms": {"do": "kill"}}


class Backups(BenchCase):
    def in_use(self):
        """A tenant that was Ready once."""
        tenant = self.tenant()
        self.assert_ok(tenant.run("create", "apps", "settings"))
        tenant.input["backup"] = True
        return tenant

    def backups(self, tenant):
        return sorted((tenant.folder / "private/backups").glob("*-database.sql.gz"))

    def forget_backups(self, tenant):
        for path in (tenant.folder / "private/backups").iterdir():
            path.unlink()

    def test_an_app_that_is_added_to_a_site_in_use_comes_after_a_backup(self):
        tenant = self.in_use()
        tenant.query("UPDATE tabUser SET last_name = 'before hrms' WHERE name = 'ada@acme.test'")
        tenant.input["apps"] = ["erpnext", "hrms"]
        done = self.assert_ok(tenant.run("apps"))["apps"]
        self.assertEqual((done["installed"], done["backup"]), (["hrms"], True))
        (dump,) = self.backups(tenant)
        with gzip.open(dump, "rt") as file:
            text = file.read()
        self.assertIn("before hrms", text)
        self.assertNotIn("hrms", text.replace("before hrms", ""), "the dump is of the site as it was before")
        self.assertNotIn("backup", tenant.state())

    def test_a_new_site_and_one_that_has_everything_are_not_backed_up(self):
        tenant = self.tenant()
        done = self.assert_ok(tenant.run("create", "apps"))["apps"]
        self.assertEqual((done["installed"], done["backup"]), (["erpnext"], False))
        tenant.input["backup"] = True
        self.assertFalse(self.assert_ok(tenant.run("apps"))["apps"]["backup"])
        self.assertEqual(self.backups(tenant), [])

    def test_an_app_that_the_bench_lacks_costs_no_backup(self):
        tenant = self.in_use()
        tenant.input["apps"] = ["erpnext", "sails"]
        self.assert_failed(tenant.run("apps"), "AppMissing")
        self.assertEqual(self.backups(tenant), [])

    def test_without_its_backup_nothing_is_installed(self):
        tenant = self.in_use()
        tenant.input["apps"] = ["erpnext", "hrms"]
        result = tenant.run("apps", faults={"backup:after-dump": {"do": "fail"}})
        self.assert_failed(result, "BackupFailed")
        self.assertEqual(result.line["class"], "Retryable")
        self.assert_complete(tenant)
        self.assertTrue(self.assert_ok(tenant.run("apps"))["apps"]["backup"])

    def test_an_installation_that_goes_on_failing_is_backed_up_once_a_day(self):
        tenant = self.in_use()
        tenant.input["apps"] = ["erpnext", "hrms"]
        self.assert_failed(tenant.run("apps", faults=INSTALL_FAILS), "AppInstallFailed")
        self.assertEqual(len(self.backups(tenant)), 1)
        self.forget_backups(tenant)
        self.assert_failed(tenant.run("apps", faults=INSTALL_FAILS), "AppInstallFailed")
        self.assertEqual(self.backups(tenant), [])
        tenant.write_config(tenant_operator_state={**tenant.state(), "backup": int(time.time()) - 90_000})
        done = self.assert_ok(tenant.run("apps"))["apps"]
        self.assertEqual((done["installed"], done["backup"]), (["hrms"], True))
        self.assertEqual(len(self.backups(tenant)), 1)

    def test_killed_during_the_backup_the_next_run_makes_it(self):
        tenant = self.in_use()
        tenant.input["apps"] = ["erpnext", "hrms"]
        running = tenant.start("apps", faults={"backup:after-dump": {"do": "hang"}})
        running.await_output("apps: backing up")
        time.sleep(1)
        running.kill()
        self.assert_complete(tenant)
        self.forget_backups(tenant)
        self.assertTrue(self.assert_ok(tenant.run("apps"))["apps"]["backup"])
        self.assertEqual(len(self.backups(tenant)), 1)
