"""Two pairs of the API key in one site: the other one set, the one before stopped, both revoked."""

import secrets
import subprocess

from tests.tenant import MAIN, PYTHON, SITES
from tests.test_settings import SettingsCase


class RotatedKeys(SettingsCase):
    apps = []

    def made_with_two(self):
        """A site with both slots in use, and the pair of the one before."""
        tenant = self.made()
        tenant.input["keys"]["other"] = tenant.other
        self.assert_ok(tenant.run("keys"))
        before = self.pair(tenant)
        self.turn(tenant)
        self.assert_ok(tenant.run("keys"))
        return tenant, before

    def pair(self, tenant):
        return tenant.input["keys"]["user"], tenant.environment["TENANT_API_KEY"], tenant.environment["TENANT_API_SECRET"]

    def turn(self, tenant):
        """The next pair, for the other user."""
        keys = tenant.input["keys"]
        keys["user"], keys["other"] = keys["other"], keys["user"]
        keys["pair"] += 1
        tenant.environment.update(TENANT_API_KEY=secrets.token_hex(8), TENANT_API_SECRET=secrets.token_urlsafe(24))

    def works(self, tenant, user, key, secret):
        """By the check that Frappe itself makes of a request's token."""
        program = f"import tenant_frappe, tenant_keys\nwith tenant_frappe.site({tenant.site!r}) as frappe: print(tenant_keys.validate(frappe, {user!r}, {key!r}, {secret!r}))"
        environment = {"PYTHONPATH": str(MAIN.parent), "PATH": "/usr/bin:/bin"}
        done = subprocess.run([PYTHON, "-c", program], cwd=SITES, capture_output=True, text=True, env=environment)
        self.assertIn(done.stdout.splitlines()[-1:], (["True"], ["False"]), done.stderr)
        return done.stdout.splitlines()[-1] == "True"

    def enabled(self, tenant):
        return dict(tenant.query("SELECT name, enabled FROM tabUser WHERE name LIKE 'tenant-api-%%'"))

    def test_both_pairs_work_until_the_one_before_is_retired(self):
        tenant, before = self.made_with_two()
        self.assertTrue(self.works(tenant, *before))
        self.assertTrue(self.works(tenant, *self.pair(tenant)))
        self.assertEqual(self.assert_ok(tenant.run("retire"))["retire"]["user"], before[0])
        self.assertFalse(self.works(tenant, *before))
        self.assertTrue(self.works(tenant, *self.pair(tenant)))
        self.assertEqual(self.enabled(tenant), {before[0]: 0, self.pair(tenant)[0]: 1})

    def test_retiring_again_is_no_error_and_the_slot_can_be_used_again(self):
        tenant, _ = self.made_with_two()
        for _ in range(2):
            self.assert_ok(tenant.run("retire"))
        self.turn(tenant)
        self.assert_ok(tenant.run("keys"))
        self.assertTrue(self.works(tenant, *self.pair(tenant)))
        self.assertEqual(set(self.enabled(tenant).values()), {1})

    def test_the_pair_before_stays_where_the_one_in_use_is_not_what_custody_has(self):
        tenant, before = self.made_with_two()
        user = self.pair(tenant)[0]
        for damage in (
            f"UPDATE tabUser SET api_key = 'changed' WHERE name = '{user}'",
            f"UPDATE tabUser SET enabled = 0 WHERE name = '{user}'",
            f"UPDATE __Auth SET password = 'gAAAAABrubbish' WHERE fieldname = 'api_secret' AND name = '{user}'",
            f"DELETE FROM tabUser WHERE name = '{user}'",
        ):
            with self.subTest(damage):
                tenant.query(damage)
                self.assert_failed(tenant.run("retire"), "UserFailed")
                self.assertTrue(self.works(tenant, *before))
                self.assert_ok(tenant.run("keys"))
        self.assert_ok(tenant.run("retire"))

    def test_a_runner_that_is_killed_leaves_what_the_next_one_finishes(self):
        tenant, before = self.made_with_two()
        running = tenant.start("retire")
        running.await_child()
        running.kill()
        self.assertTrue(self.works(tenant, *self.pair(tenant)))
        self.assert_ok(tenant.run("retire"))
        self.assertFalse(self.works(tenant, *before))

    def test_a_runner_that_was_held_up_until_one_more_pair_was_set_stops_none(self):
        tenant, _ = self.made_with_two()
        late = {**tenant.input, "keys": dict(tenant.input["keys"])}
        self.assert_ok(tenant.run("retire"))
        pair = self.pair(tenant)
        environment = dict(tenant.environment)
        self.turn(tenant)
        self.assert_ok(tenant.run("keys"))
        newest = self.pair(tenant)
        tenant.input, tenant.environment = late, environment
        self.assert_failed(tenant.run("retire"), "UserFailed")
        self.assertTrue(self.works(tenant, *newest) and self.works(tenant, *pair))

    def test_a_runner_that_was_lost_and_comes_back_sets_no_older_pair(self):
        tenant = self.made()
        tenant.input["keys"]["other"] = tenant.other
        tenant.input["issued"] = 1000
        self.assert_ok(tenant.run("keys"))
        late = {**tenant.input, "keys": dict(tenant.input["keys"])}, dict(tenant.environment)
        self.turn(tenant)
        tenant.input["issued"] = 2000
        self.assert_ok(tenant.run("keys"))
        self.turn(tenant)  # of the same user as the first
        tenant.input["issued"] = 3000
        self.assert_ok(tenant.run("keys"))
        now, state = (tenant.input, tenant.environment), tenant.state()
        tenant.input, tenant.environment = late
        self.assert_failed(tenant.run("keys"), "Superseded")
        tenant.input, tenant.environment = now
        self.assertTrue(self.works(tenant, *self.pair(tenant)))
        self.assertEqual(tenant.state(), state)
        self.assert_ok(tenant.run("keys"))

    def test_a_pair_that_was_set_anew_is_not_undone_by_an_older_runner_of_the_same_number(self):
        tenant = self.made()
        tenant.input["issued"] = 1000
        self.assert_ok(tenant.run("keys"))
        before = dict(tenant.environment)
        # Its record was lost: the pairs count from 0 again.
        tenant.input["issued"] = 2000
        tenant.environment.update(TENANT_API_KEY=secrets.token_hex(8), TENANT_API_SECRET=secrets.token_urlsafe(24))
        self.assert_ok(tenant.run("keys"))
        newest, tenant.environment = tenant.environment, before
        tenant.input["issued"] = 1500
        self.assert_failed(tenant.run("keys"), "Superseded")
        tenant.environment = newest
        self.assertTrue(self.works(tenant, *self.pair(tenant)))

    def test_pairs_that_count_from_the_start_again_are_set_by_a_later_job(self):
        tenant, _ = self.made_with_two()
        self.turn(tenant)
        tenant.input["issued"] = 1000
        self.assert_ok(tenant.run("keys"))
        tenant.input["issued"], tenant.input["keys"]["pair"] = 2000, 0
        self.assert_ok(tenant.run("keys"))
        self.assertEqual((tenant.state()["pair"], tenant.state()["pair_issued"]), (0, 2000))

    def test_a_user_that_was_retired_and_enabled_again_is_found_and_stopped_again(self):
        tenant, before = self.made_with_two()
        self.assert_ok(tenant.run("settings", "retire"))
        tenant.input["keys"]["retired"] = before[0]
        self.assertEqual(self.assert_ok(tenant.run("inspect"))["inspect"]["differs"], [])
        tenant.execute(f"user = frappe.get_doc('User', {before[0]!r})\nuser.enabled, user.api_key, user.api_secret = 1, *{before[1:]!r}\nuser.save()")
        self.assertTrue(self.works(tenant, *before))
        self.assertEqual(self.assert_ok(tenant.run("inspect"))["inspect"]["differs"], ["retired"])
        self.assertEqual(self.assert_ok(tenant.run("keys"))["keys"]["changed"], True)
        self.assertFalse(self.works(tenant, *before))
        self.assertTrue(self.works(tenant, *self.pair(tenant)))
        self.assertEqual(self.assert_ok(tenant.run("inspect"))["inspect"]["differs"], [])
        self.assertEqual(self.assert_ok(tenant.run("keys"))["keys"]["changed"], False)

    def test_only_our_own_site_and_only_the_other_user_are_touched(self):
        tenant, before = self.made_with_two()
        for other in (None, tenant.input["keys"]["user"]):
            keys = {**tenant.input["keys"], "other": other}
            whole = {**tenant.input, "keys": keys}
            tenant.input, kept = whole, tenant.input
            self.assert_failed(tenant.run("retire"), "BadInput")
            tenant.input = kept
        tenant.write_config(tenant_operator={**tenant.input["marker"], "id": "0" * 16})
        self.assert_failed(tenant.run("retire"), "ForeignSite")
        self.assertTrue(self.works(tenant, *before))

    def test_where_there_is_no_other_user_there_is_nothing_to_stop(self):
        tenant = self.made()
        tenant.input["keys"]["other"] = tenant.other
        self.assert_ok(tenant.run("keys", "retire"))
        self.assertTrue(self.works(tenant, *self.pair(tenant)))

    def test_a_site_that_is_kept_keeps_neither_key(self):
        tenant, before = self.made_with_two()
        for _ in range(2):
            self.assert_ok(tenant.run("revoke"))
        self.assertFalse(self.works(tenant, *before) or self.works(tenant, *self.pair(tenant)))
        self.assertEqual(set(self.enabled(tenant).values()), {0})

    def test_a_changed_encryption_key_is_named_and_put_back_and_both_pairs_work_again(self):
        tenant, before = self.made_with_two()
        tenant.write_config(encryption_key="MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
        self.assertFalse(self.works(tenant, *before))
        done = self.assert_ok(tenant.run("create", "keys"))
        self.assertEqual((done["create"]["repaired"], done["keys"]["changed"]), (["encryption_key"], False))
        self.assertTrue(self.works(tenant, *before) and self.works(tenant, *self.pair(tenant)))
