"""Runs that are killed, ended or doubled, at many moments; the next run makes it good."""

import os
import random
import signal
import threading
import time

from tests.tenant import BenchCase, kill, rows

STEPS = ("create", "apps", "settings", "keys")


class KilledRuns(BenchCase):
    def assert_next_run_succeeds(self, tenant):
        self.assert_ok(tenant.run(*STEPS))
        self.assert_complete(tenant)
        found = self.assert_ok(tenant.run("inspect"))["inspect"]
        self.assertEqual(found["differs"], [], found)

    def test_killed_while_the_bench_hangs_at_a_point_the_next_run_succeeds(self):
        points = {
            "new-site:after-user": "create", "new-site:after-db": "create", "new-site:after-schema": "create",
            "new-site:end": "create", "install-app:tables:erpnext": "apps", "install-app:after:erpnext": "apps",
            "setup-wizard:after:erpnext": "settings", "setup-wizard:end": "settings",
        }  # fmt: skip
        for point, step in points.items():
            with self.subTest(point):
                tenant = self.tenant()
                tenant.input["settings"].update(
                    setup="Complete", organization={"name": "Acme GmbH", "country": "DE", "currency": "EUR", "timeZone": "Europe/Berlin"}
                )
                running = tenant.start(*STEPS, faults={point: {"do": "hang"}})
                running.await_output(f"{step}: started")
                time.sleep(1)
                self.assertFalse(running.kill().raw, "a killed runner can leave no result")
                self.assert_next_run_succeeds(tenant)

    def test_killed_at_any_moment_the_next_run_succeeds(self):
        tenant = self.tenant()
        chance = random.Random(7)
        for _ in range(12):
            running = tenant.start(*STEPS)
            time.sleep(chance.uniform(0.05, 1.6))
            running.kill()
        self.assert_next_run_succeeds(tenant)

    def test_killed_at_any_moment_of_a_drop_the_next_one_leaves_nothing(self):
        chance = random.Random(8)
        for _ in range(3):
            tenant = self.tenant()
            self.assert_ok(tenant.run("create"))
            for _ in range(3):
                running = tenant.start("drop")
                time.sleep(chance.uniform(0.05, 0.6))
                running.kill()
            self.assert_ok(tenant.run("drop"))
            self.assertEqual(tenant.leftovers(), [])

    def test_a_rebuilt_site_gives_up_rebuilding_in_the_end(self):
        tenant = self.tenant()
        fault = {"install-app:tables:erpnext": {"do": "fail"}}
        for _ in range(5):
            result = tenant.run("create", "apps", faults=fault)
            self.assert_failed(result, "AppInstallFailed")
        self.assertFalse(result.done["create"]["created"])
        self.assertEqual(tenant.state()["rebuilds"], 2)
        self.assert_next_run_succeeds(tenant)

    def test_a_site_in_use_is_never_rebuilt_for_a_failed_app(self):
        tenant = self.tenant()
        self.assert_ok(tenant.run(*STEPS))
        tenant.query("UPDATE tabUser SET last_name = 'kept' WHERE name = 'ada@acme.test'")
        tenant.input["apps"] = ["erpnext", "hrms"]
        for _ in range(3):
            self.assert_failed(tenant.run("create", "apps", faults={"install-app:tables:hrms": {"do": "kill"}}), "AppInstallFailed")
        self.assertEqual(self.assert_ok(tenant.run("inspect"))["inspect"]["differs"], ["app:hrms"])
        done = self.assert_ok(tenant.run("create", "apps"))
        self.assertEqual(done["apps"]["installed"], ["hrms"])
        self.assertEqual(tenant.query("SELECT last_name FROM tabUser WHERE name = 'ada@acme.test'"), [("kept",)])


class EndedRuns(BenchCase):
    def test_sigterm_ends_the_run_and_all_it_started_at_once_and_says_so(self):
        tenant = self.tenant()
        running = tenant.start("create", faults={"new-site:after-db": {"do": "hang"}})
        running.await_child()
        time.sleep(0.5)
        (child,) = running.children()
        started = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        result = running.end()
        self.assertLess(time.monotonic() - started, 2)
        self.assert_failed(result, "Terminated")
        self.assertEqual(result.line["class"], "Retryable")
        self.assertFalse(os.path.exists(f"/proc/{child}"))
        self.assertEqual(rows("SELECT IS_FREE_LOCK(%s)", f"tenant-{tenant.id}"), [(1,)])
        self.assert_ok(tenant.run("create", "apps"))
        self.assert_complete(tenant)

    def test_sigterm_ends_a_run_that_waits_for_the_lock(self):
        tenant = self.tenant()
        first = tenant.start("create", faults={"new-site:after-db": {"do": "hang"}})
        first.await_child()
        second = tenant.start("create")
        time.sleep(1)
        second.process.send_signal(signal.SIGTERM)
        self.assert_failed(second.end(timeout=5), "Terminated")
        first.kill()

    def test_sigterm_at_any_moment_leaves_a_site_the_next_run_completes(self):
        tenant = self.tenant()
        chance = random.Random(9)
        for _ in range(8):
            running = tenant.start(*STEPS)
            time.sleep(chance.uniform(0.1, 1.4))
            running.process.send_signal(signal.SIGTERM)
            result = running.end()
            # Only an interpreter that has not come to our first line yet ends without a result.
            self.assertTrue(result.ok or result.reason == "Terminated" or result.code == -signal.SIGTERM, result)
        self.assert_ok(tenant.run(*STEPS))
        self.assert_complete(tenant)


class TwoRunners(BenchCase):
    def test_the_second_runner_waits_and_finds_the_work_done(self):
        tenant = self.tenant()
        runs = [tenant.start("create", "apps") for _ in range(2)]
        results = [running.end() for running in runs]
        created = sorted(self.assert_ok(result)["create"]["created"] for result in results)
        self.assertEqual(created, [False, True])
        self.assert_complete(tenant)

    def test_the_second_runner_gives_up_on_a_lock_that_is_held_for_long(self):
        tenant = self.tenant()
        first = tenant.start("create", faults={"new-site:after-db": {"do": "hang"}})
        first.await_child()
        try:
            result = tenant.run("create", "drop")
        finally:
            first.kill()
        self.assert_failed(result, "Locked")
        self.assertEqual(result.line["class"], "Retryable")

    def test_a_runner_whose_child_lives_on_keeps_the_lock(self):
        tenant = self.tenant()
        first = tenant.start("create", faults={"new-site:after-db": {"do": "hang"}})
        first.await_child()
        (child,) = first.children()
        first.process.kill()
        first.process.wait()
        try:
            self.assertEqual(rows("SELECT IS_FREE_LOCK(%s)", f"tenant-{tenant.id}"), [(0,)])
        finally:
            kill(child)
        first.process.communicate()
        self.assert_ok(tenant.run("create", "apps"))
        self.assert_complete(tenant)

    def test_a_runner_that_lost_its_lock_stops(self):
        tenant = self.tenant()
        running = tenant.start("create", faults={"new-site:after-db": {"do": "hang"}})
        running.await_child()
        time.sleep(0.5)
        ((holder,),) = rows("SELECT IS_USED_LOCK(%s)", f"tenant-{tenant.id}")
        rows(f"KILL {int(holder)}")
        result = running.end(timeout=20)
        self.assertIn(result.reason, ("DatabaseUnreachable", "Locked"), result)
        self.assertEqual(result.line["class"], "Retryable")

    def test_two_tenants_at_once_do_not_wait_for_each_other(self):
        tenants = [self.tenant(), self.tenant()]
        results = []
        threads = [threading.Thread(target=lambda tenant=tenant: results.append(tenant.run("create", "apps"))) for tenant in tenants]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for result in results:
            self.assertTrue(self.assert_ok(result)["create"]["created"])
        for tenant in tenants:
            self.assert_complete(tenant)
