"""A site is suspended and resumed by the settings step, and archived out of any state."""

import os
import time

from tests.tenant import BenchCase, bench

KEYS = ("maintenance_mode", "pause_scheduler", "allow_reads_during_maintenance")
CLOSED, READ_ONLY, OPEN = [1, 1, None], [1, 1, 1], [None, None, None]


class SuspendCase(BenchCase):
    def made(self, suspend=None):
        tenant = self.tenant(apps=[])
        self.assert_ok(tenant.run("create", "settings", "keys"))
        tenant.input.update(expectSite=True)
        if suspend:
            self.settle(tenant, suspend)
        return tenant

    def settle(self, tenant, mode):
        tenant.input["settings"]["suspend"] = mode
        return self.assert_ok(tenant.run("settings"))["settings"]

    def keys(self, tenant):
        config = tenant.config()
        return [config.get(key) for key in KEYS]


class Suspended(SuspendCase):
    def test_each_mode_is_left_for_each_other_and_a_second_run_changes_nothing(self):
        tenant = self.made()
        steps = [("Maintenance", CLOSED), ("ReadOnly", READ_ONLY), ("Maintenance", CLOSED), (None, OPEN), ("ReadOnly", READ_ONLY), (None, OPEN)]
        for mode, expected in steps:
            with self.subTest(mode):
                done = self.settle(tenant, mode)
                self.assertEqual((done["suspend"], self.keys(tenant)), (mode, expected))
                self.assertEqual(done["resumed"], mode is None)
                self.assertEqual(self.assert_ok(tenant.run("inspect"))["inspect"]["differs"], [])
                self.assertEqual(self.settle(tenant, mode)["changed"], [])
                self.assertEqual(tenant.state().get("suspended"), mode)
        self.assertNotIn("resting_since", tenant.state())

    def test_steps_work_in_a_suspended_site_and_its_key_is_proven_inside_it(self):
        tenant = self.made("Maintenance")
        tenant.input["settings"]["siteConfig"] = [{"name": "max_file_size", "value": 7}]
        done = self.assert_ok(tenant.run("create", "apps", "settings", "keys"))
        self.assertEqual(done["keys"]["proven"], True)
        self.assertEqual((tenant.config()["max_file_size"], self.keys(tenant)), (7, CLOSED))

    def test_what_somebody_opened_by_hand_is_found_and_closed_again(self):
        tenant = self.made("Maintenance")
        bench("--site", tenant.site, "set-maintenance-mode", "off")
        self.assertEqual(self.assert_ok(tenant.run("inspect"))["inspect"]["differs"], ["config:maintenance_mode"])
        self.assertEqual(self.settle(tenant, "Maintenance")["changed"], ["config:maintenance_mode"])
        self.assertEqual(self.keys(tenant), CLOSED)

    def test_maintenance_that_somebody_else_turned_on_is_left_alone(self):
        tenant = self.made()
        bench("--site", tenant.site, "set-maintenance-mode", "on")
        self.assertEqual(self.settle(tenant, None)["changed"], [])
        self.assertEqual(self.keys(tenant), [1, None, None])

    def test_what_a_person_had_set_before_the_suspension_stands_there_again_after_it(self):
        for mode, other in (("Maintenance", "ReadOnly"), ("ReadOnly", "Maintenance")):
            with self.subTest(mode):
                tenant = self.made()
                tenant.write_config(pause_scheduler=1, allow_reads_during_maintenance=0)
                for each in (mode, mode, other):
                    self.settle(tenant, each)
                self.assertTrue(self.settle(tenant, None)["resumed"])
                self.assertEqual(self.keys(tenant), [None, 1, 0])
                self.assertNotIn("before", tenant.state())
                self.assertEqual(self.settle(tenant, None)["changed"], [])
                self.assertEqual(self.keys(tenant), [None, 1, 0])

    def test_a_person_s_own_maintenance_outlives_an_archive_that_failed(self):
        tenant = self.made()
        bench("--site", tenant.site, "set-maintenance-mode", "on")
        self.assert_failed(tenant.run("archive", faults={"backup:start": {"do": "fail"}}), "ArchiveFailed")
        self.assertEqual(self.keys(tenant), CLOSED)
        self.settle(tenant, None)
        self.assertEqual(self.keys(tenant), [1, None, None])

    def test_reads_that_somebody_allowed_during_a_maintenance_are_found_and_refused_again(self):
        tenant = self.made("Maintenance")
        tenant.write_config(allow_reads_during_maintenance=1)
        self.assertEqual(self.assert_ok(tenant.run("inspect"))["inspect"]["differs"], ["config:allow_reads_during_maintenance"])
        self.settle(tenant, "Maintenance")
        self.assertEqual(self.keys(tenant), CLOSED)
        self.assertEqual(self.assert_ok(tenant.run("inspect"))["inspect"]["differs"], [])

    def test_a_site_that_an_archive_left_at_rest_is_opened_again(self):
        tenant = self.made()
        self.assert_failed(tenant.run("archive", faults={"backup:start": {"do": "fail"}}), "ArchiveFailed")
        self.assertEqual(self.keys(tenant), CLOSED)
        self.settle(tenant, None)
        self.assertEqual((self.keys(tenant), tenant.state().get("resting_since")), (OPEN, None))

    def test_an_unknown_mode_is_refused_and_changes_nothing(self):
        tenant = self.made()
        tenant.input["settings"]["suspend"] = "$(reboot)"
        self.assert_failed(tenant.run("settings"), "BadInput")
        self.assertEqual(self.keys(tenant), OPEN)


class ArchivedWhileSuspended(SuspendCase):
    def archived(self, tenant):
        """Whether the archive waited for the config caches, and what it has of the site."""
        tenant.input["archive"]["configCacheSeconds"] = 3
        started = time.monotonic()
        result = tenant.run("archive")
        self.assert_ok(result)
        return "waiting" in result.output, time.monotonic() - started

    def test_a_site_in_maintenance_rests_already(self):
        tenant = self.made("Maintenance")
        since = tenant.state()["resting_since"]
        time.sleep(4)
        self.assertFalse(self.archived(tenant)[0])
        self.assertEqual((self.keys(tenant), tenant.state()["resting_since"]), (CLOSED, since))

    def test_one_just_suspended_waits_and_so_does_one_that_can_still_be_read(self):
        for mode in ("Maintenance", "ReadOnly"):
            with self.subTest(mode):
                tenant = self.made(mode)
                self.assertTrue(self.archived(tenant)[0])
                self.assertEqual(self.keys(tenant), CLOSED)

    def test_it_is_archived_and_dropped_as_any_other(self):
        tenant = self.made("Maintenance")
        tenant.input["drop"] = {"manifest": tenant.archive}
        self.assert_ok(tenant.run("archive", "drop"))
        self.assertFalse(os.path.exists(tenant.folder))
