"""settings, keys and revoke on a site that is there."""

import datetime
import json
import subprocess
from pathlib import Path

from tests.tenant import MAIN, PYTHON, SITES, BenchCase

ORGANIZATION = {
    "name": "Acme & Söhne \"Q\" 'p' $(touch /tmp/x) {{7*7}} `id`; DROP TABLE tabUser; -- __import__('os')",
    "abbreviation": "ACM",
    "country": "DE",
    "currency": "EUR",
    "language": "de",
    "timeZone": "Europe/Berlin",
    "chartOfAccounts": "Standard",
    "fiscalYearStart": "04-01",
}


class SettingsCase(BenchCase):
    apps = ["erpnext"]

    def made(self, **settings):
        tenant = self.tenant(apps=self.apps)
        tenant.input["settings"].update(settings)
        self.assert_ok(tenant.run("create", "apps"))
        return tenant

    def single(self, tenant, doctype, field):
        found = tenant.query("SELECT value FROM tabSingles WHERE doctype = %s AND field = %s", doctype, field)
        return found[0][0] if found else None

    def locks(self, tenant):
        fields = (("System Settings", "disable_user_pass_login"), ("Website Settings", "disable_signup"))
        return [int(self.single(tenant, *field) or 0) for field in fields]


class Settings(SettingsCase):
    def test_the_setup_wizard_runs_once_with_the_organization_as_text(self):
        tenant = self.made(setup="Complete", organization=ORGANIZATION)
        done = self.assert_ok(tenant.run("settings"))
        self.assertEqual(done["settings"]["setup"], "Complete")
        self.assertIn("setup", done["settings"]["changed"])
        self.assertEqual(tenant.execute("print(json.dumps(frappe.db.get_value('Company', {}, 'name')))"), ORGANIZATION["name"])
        self.assertEqual(self.single(tenant, "System Settings", "time_zone"), "Europe/Berlin")
        self.assertEqual(self.single(tenant, "System Settings", "country"), "Germany")
        tenant.input["settings"]["organization"] = {**ORGANIZATION, "name": "Other", "timeZone": "Asia/Tokyo"}
        self.assertEqual(self.assert_ok(tenant.run("settings"))["settings"]["changed"], [])
        self.assertEqual(self.single(tenant, "System Settings", "time_zone"), "Europe/Berlin")

    def test_a_wizard_that_fails_is_taken_up_again_with_the_site_made_anew_if_need_be(self):
        tenant = self.made(setup="Complete", organization=ORGANIZATION)
        for _ in range(2):
            result = tenant.run("create", "apps", "settings", faults={"setup-wizard:start": {"do": "fail"}})
            self.assert_failed(result, "SetupFailed")
        self.assertTrue(tenant.state()["rebuild"])
        done = self.assert_ok(tenant.run("create", "apps", "settings", "keys"))
        self.assertTrue(done["create"]["created"])
        self.assertEqual(self.assert_ok(tenant.run("inspect"))["inspect"]["differs"], [])

    def test_without_the_wizard_the_regional_settings_are_applied_once(self):
        tenant = self.made(organization=ORGANIZATION)
        done = self.assert_ok(tenant.run("settings"))
        self.assertEqual(done["settings"]["setup"], "Skip")
        self.assertIn("organization", done["settings"]["changed"])
        self.assertEqual(self.single(tenant, "System Settings", "country"), "Germany")
        tenant.input["settings"]["organization"] = {**ORGANIZATION, "country": "US"}
        self.assert_ok(tenant.run("settings"))
        self.assertEqual(self.single(tenant, "System Settings", "country"), "Germany")

    def test_scheduler_admin_and_lockdown_are_put_back_when_they_differ(self):
        tenant = self.made()
        done = self.assert_ok(tenant.run("settings"))["settings"]
        self.assertIn("scheduler", done["changed"])
        self.assertIn("admin", done["changed"])
        self.assertEqual(self.locks(tenant), [1, 1])
        tenant.execute(
            "frappe.db.set_single_value('System Settings', 'disable_user_pass_login', 0)\n"
            "frappe.db.set_single_value('System Settings', 'enable_scheduler', 0)"
        )
        tenant.query("DELETE FROM `tabHas Role` WHERE parent = 'ada@acme.test'")
        differs = self.assert_ok(tenant.run("inspect"))["inspect"]["differs"]
        self.assertEqual({"admin", "locked", "scheduler"} - set(differs), set())
        changed = self.assert_ok(tenant.run("settings"))["settings"]["changed"]
        self.assertEqual(changed, ["scheduler", "admin:roles", "lockdown:disable_user_pass_login"])
        self.assertEqual(self.assert_ok(tenant.run("settings"))["settings"]["changed"], [])

    def test_a_lockdown_is_undone_only_where_it_was_ours(self):
        tenant = self.made()
        tenant.execute("frappe.db.set_single_value('Website Settings', 'disable_signup', 1)")
        self.assert_ok(tenant.run("settings"))
        tenant.input["settings"]["lockdown"] = {"mode": "None"}
        self.assert_ok(tenant.run("settings"))
        self.assertEqual(self.locks(tenant), [0, 1])
        self.assertNotIn("oauth_provider_url", tenant.config())
        tenant.execute("frappe.db.set_single_value('System Settings', 'disable_user_pass_login', 1)")
        self.assert_ok(tenant.run("settings"))
        self.assertEqual(self.locks(tenant), [1, 1])

    def test_the_admins_names_are_data_and_stay_the_customers(self):
        tenant = self.made()
        tenant.input["settings"]["admin"].update(firstName='Ada "$(id)" {{x}}', lastName="O'Byron; DROP")
        self.assert_ok(tenant.run("settings"))
        names = tenant.query("SELECT first_name, last_name FROM tabUser WHERE name = 'ada@acme.test'")
        self.assertEqual(names, [('Ada "$(id)" {{x}}', "O'Byron; DROP")])
        tenant.input["settings"]["admin"].update(firstName="Other")
        self.assertEqual(self.assert_ok(tenant.run("settings"))["settings"]["changed"], [])

    def test_a_disabled_admin_is_found_and_works_again(self):
        tenant = self.made()
        self.assert_ok(tenant.run("settings"))
        tenant.query("UPDATE tabUser SET enabled = 0 WHERE name = 'ada@acme.test'")
        self.assertIn("admin", self.assert_ok(tenant.run("inspect"))["inspect"]["differs"])
        self.assertEqual(self.assert_ok(tenant.run("settings"))["settings"]["changed"], ["admin:enabled"])
        self.assertEqual(tenant.query("SELECT enabled FROM tabUser WHERE name = 'ada@acme.test'"), [(1,)])
        self.assertNotIn("admin", self.assert_ok(tenant.run("inspect"))["inspect"]["differs"])
        self.assertEqual(self.assert_ok(tenant.run("settings"))["settings"]["changed"], [])

    def test_another_admin_is_added_and_those_of_before_are_named_while_they_can_sign_in(self):
        tenant = self.made()
        self.assertEqual(self.assert_ok(tenant.run("settings"))["settings"]["earlierAdmins"], [])
        tenant.input["settings"]["admin"].update(email="Grace@acme.test")
        for changed in (["admin"], []):
            done = self.assert_ok(tenant.run("settings"))["settings"]
            self.assertEqual((done["changed"], done["earlierAdmins"]), (changed, ["ada@acme.test"]))
        enabled = dict(tenant.query("SELECT name, enabled FROM tabUser WHERE name IN ('ada@acme.test', 'grace@acme.test')"))
        self.assertEqual(enabled, {"ada@acme.test": 1, "grace@acme.test": 1})
        tenant.query("UPDATE tabUser SET enabled = 0 WHERE name = 'ada@acme.test'")
        self.assertEqual(self.assert_ok(tenant.run("settings"))["settings"]["earlierAdmins"], [])
        tenant.input["settings"]["admin"].update(email="ada@acme.test")
        self.assertEqual(self.assert_ok(tenant.run("settings"))["settings"]["earlierAdmins"], ["grace@acme.test"])

    def test_of_many_earlier_admins_the_last_ones_are_kept_in_mind(self):
        tenant = self.made()
        for number in range(8):
            tenant.input["settings"]["admin"].update(email=f"admin{number}@acme.test")
            done = self.assert_ok(tenant.run("settings"))["settings"]
        self.assertEqual(done["earlierAdmins"], [f"admin{number}@acme.test" for number in range(2, 7)])

    def test_an_admin_whose_making_was_interrupted_is_not_forgotten(self):
        tenant = self.made()
        self.assert_ok(tenant.run("settings"))
        tenant.input["settings"]["admin"].update(email="grace@acme.test")
        running = tenant.start("settings")
        running.await_output("settings: started")
        running.await_child()
        running.kill()
        tenant.input["settings"]["admin"].update(email="joan@acme.test")
        done = self.assert_ok(tenant.run("settings"))["settings"]
        made = [name for (name,) in tenant.query("SELECT name FROM tabUser WHERE name IN ('ada@acme.test', 'grace@acme.test') ORDER BY name")]
        self.assertEqual(done["earlierAdmins"], made)

    def test_a_weak_admin_password_is_named_as_such_and_a_good_one_works(self):
        tenant = self.made()
        tenant.input["settings"]["admin"]["hasPassword"] = True
        tenant.environment["TENANT_ADMIN_PASSWORD"] = "password"
        result = tenant.run("settings")
        self.assert_failed(result, "WeakPassword")
        self.assertEqual(result.line["class"], "Fatal")
        tenant.environment["TENANT_ADMIN_PASSWORD"] = "Xq7#long-and-odd-8812"
        self.assert_ok(tenant.run("settings"))
        check = "from frappe.utils.password import check_password\nprint(json.dumps(check_password('ada@acme.test', 'Xq7#long-and-odd-8812')))"
        self.assertEqual(tenant.execute(check), "ada@acme.test")


class SiteConfig(SettingsCase):
    apps = []

    def test_keys_have_their_json_types_and_only_a_difference_is_written(self):
        values = {"max_file_size": 26214400, "allow_tests": False, "text_one": "1", "text_null": "None", "nested": {"a": [1, "b"]}, "ratio": 1.5}
        entries = [{"name": name, "value": value} for name, value in values.items()] + [{"name": "mail_password", "env": "TENANT_SITE_CONFIG_0"}]
        tenant = self.made(siteConfig=entries, rateLimit={"limitSeconds": 60, "windowSeconds": 3600})
        tenant.environment["TENANT_SITE_CONFIG_0"] = 'p"w$(x)'
        self.assert_ok(tenant.run("settings"))
        config = tenant.config()
        self.assertEqual({name: config[name] for name in values}, values)
        self.assertEqual(config["mail_password"], 'p"w$(x)')
        self.assertEqual(config["rate_limit"], {"limit": 60, "window": 3600})
        before = (tenant.folder / "site_config.json").stat()
        self.assertEqual(self.assert_ok(tenant.run("settings"))["settings"]["changed"], [])
        after = (tenant.folder / "site_config.json").stat()
        self.assertEqual((before.st_ino, before.st_mtime_ns), (after.st_ino, after.st_mtime_ns))

    def test_a_key_taken_out_is_unset_and_others_keys_are_kept(self):
        tenant = self.made(
            siteConfig=[{"name": "max_file_size", "value": 1}, {"name": "stays", "value": 1}], rateLimit={"limitSeconds": 1, "windowSeconds": 2}
        )
        self.assert_ok(tenant.run("settings"))
        tenant.write_config(by_hand=True, older=1)
        tenant.input["settings"].update(siteConfig=[{"name": "stays", "value": 2}], rateLimit=None, unsetConfig=["older"])
        changed = self.assert_ok(tenant.run("settings"))["settings"]["changed"]
        self.assertEqual(changed, ["config:stays", "config:max_file_size", "config:older", "config:rate_limit"])
        config = tenant.config()
        self.assertEqual((config["by_hand"], config["stays"]), (True, 2))
        self.assertFalse({"max_file_size", "older", "rate_limit"} & set(config))

    def test_keys_that_hold_the_site_together_are_refused(self):
        tenant = self.made(siteConfig=[{"name": "db_name", "value": "mysql"}])
        self.assert_failed(tenant.run("settings"), "BadInput")
        tenant.input["settings"].update(siteConfig=[], unsetConfig=["encryption_key"])
        self.assert_failed(tenant.run("settings"), "BadInput")
        self.assert_complete(tenant, apps=("frappe",))

    def test_the_configs_mode_is_kept(self):
        tenant = self.made(siteConfig=[{"name": "max_file_size", "value": 1}])
        (tenant.folder / "site_config.json").chmod(0o640)
        self.assert_ok(tenant.run("settings"))
        self.assertEqual((tenant.folder / "site_config.json").stat().st_mode & 0o777, 0o640)


class Keys(SettingsCase):
    apps = []

    def test_the_key_is_set_proven_and_set_only_once(self):
        tenant = self.made()
        done = self.assert_ok(tenant.run("keys"))["keys"]
        self.assertEqual((done["user"], done["changed"], done["proven"]), (tenant.user, True, True))
        before = (
            tenant.query("SELECT modified FROM tabUser WHERE name = %s", tenant.user),
            tenant.query("SELECT password FROM __Auth WHERE name = %s", tenant.user),
        )
        done = self.assert_ok(tenant.run("keys"))["keys"]
        self.assertEqual((done["changed"], done["proven"]), (False, True))
        after = (
            tenant.query("SELECT modified FROM tabUser WHERE name = %s", tenant.user),
            tenant.query("SELECT password FROM __Auth WHERE name = %s", tenant.user),
        )
        self.assertEqual(before, after)

    def test_a_key_that_cannot_be_decrypted_or_was_changed_is_set_again(self):
        tenant = self.made()
        self.assert_ok(tenant.run("keys"))
        for damage in (
            "UPDATE __Auth SET password = 'gAAAAABrubbish' WHERE fieldname = 'api_secret'",
            "DELETE FROM __Auth WHERE fieldname = 'api_secret'",
            "UPDATE tabUser SET api_key = 'changed' WHERE api_key IS NOT NULL",
            "UPDATE tabUser SET enabled = 0 WHERE api_key IS NOT NULL",
            "DELETE FROM `tabHas Role` WHERE parent LIKE 'tenant-api%%'",
        ):
            with self.subTest(damage):
                tenant.query(damage)
                differs = self.assert_ok(tenant.run("inspect"))["inspect"]["differs"]
                self.assertTrue({"key", "apiUser"} & set(differs), differs)
                done = self.assert_ok(tenant.run("keys"))["keys"]
                self.assertEqual((done["changed"], done["proven"]), (True, True))

    def test_another_users_key_is_a_conflict(self):
        tenant = self.made()
        self.assert_ok(tenant.run("keys"))
        tenant.input["keys"]["user"] = f"tenant-api-b@{tenant.site}"
        self.assert_failed(tenant.run("keys"), "KeyConflict")

    def test_a_revoked_key_is_refused_and_revoking_again_is_no_error(self):
        tenant = self.made()
        self.assert_ok(tenant.run("keys"))
        for _ in range(2):
            self.assertEqual(self.assert_ok(tenant.run("revoke"))["revoke"]["revoked"], True)
        self.assertEqual(tenant.query("SELECT enabled FROM tabUser WHERE name = %s", tenant.user), [(0,)])
        pair = tenant.environment["TENANT_API_KEY"], tenant.environment["TENANT_API_SECRET"]
        program = f"import tenant_frappe, tenant_keys\nwith tenant_frappe.site({tenant.site!r}) as frappe: print(tenant_keys.validate(frappe, {tenant.user!r}, *{pair!r}))"
        environment = {"PYTHONPATH": str(MAIN.parent), "PATH": "/usr/bin:/bin"}
        done = subprocess.run([PYTHON, "-c", program], cwd=SITES, capture_output=True, text=True, env=environment)
        self.assertEqual(done.stdout.splitlines()[-1:], ["False"], done.stderr)


class NothingIsLogged(SettingsCase):
    def test_no_secret_is_in_the_output_the_result_or_any_command_line(self):
        tenant = self.tenant(apps=[])
        tenant.environment["TENANT_SITE_CONFIG_0"] = "mail-Secret-123"
        tenant.environment["TENANT_ADMIN_PASSWORD"] = "Xq7#long-and-odd-8812"
        tenant.input["settings"]["admin"]["hasPassword"] = True
        tenant.input["settings"]["siteConfig"] = [{"name": "mail_password", "env": "TENANT_SITE_CONFIG_0"}]
        running = tenant.start("create", "settings", "keys", faults={"new-site:end": {"do": "slow", "seconds": 0.5}})
        running.await_child()
        lines = [Path(f"/proc/{pid}/cmdline").read_text() for pid in (running.process.pid, *running.children())]
        result = running.end()
        self.assert_ok(result)
        said = result.output + result.raw + "".join(lines)
        for name, secret in tenant.environment.items():
            self.assertNotIn(secret, said, name)

    def test_a_failure_that_quotes_the_secrets_is_redacted(self):
        tenant = self.tenant(apps=[])
        message = "conf: " + json.dumps(tenant.environment) + str(datetime.date.today())
        result = tenant.run("create", faults={"new-site:after-db": {"do": "fail", "message": message}})
        self.assert_failed(result, "CreateFailed")
        self.assertIn("***", result.raw)
        for name, secret in tenant.environment.items():
            self.assertNotIn(secret, result.raw + result.output, name)
