"""API keys and passwords: set in process, valid at once, and what can go wrong with the key of the site."""

import json
import os
import unittest

from tests.bench import SITES, BenchTest, Server, await_true, bench, config_of, new_site, put_keys, put_user, python

FAILED = "Failed to decrypt key User.operator@saas.local.api_secret"


def set_config(site, **values):
    path = os.path.join(SITES, site, "site_config.json")
    config = {**config_of(site), **values}
    with open(path, "w") as file:
        json.dump({key: value for key, value in config.items() if value is not None}, file)


class Keys(BenchTest):
    release = "15"

    @classmethod
    def setUpClass(cls):
        cls.server = Server(cls.release)
        cls.addClassCleanup(cls.server.stop)

    def setUp(self):
        self.site, self.database, done = new_site(release=self.release)
        self.assert_ok(done)

    def user_of(self, token):
        return self.server.logged_in(self.site, token).json.get("message")

    def put(self, key="key-1", secret="secret-1", user="operator@saas.local"):
        return put_user(self.site, user, key, secret, release=self.release)

    def test_are_valid_on_the_next_request(self):
        self.assertEqual(self.user_of(self.put()), "operator@saas.local")

    def test_work_for_the_administrator_too(self):
        self.assertEqual(self.user_of(put_keys(self.site, "Administrator", "key-a", "secret-a", self.release)), "Administrator")

    def test_lie_encrypted_beside_the_row_which_keeps_stars(self):
        self.put()
        shown = python("print(frappe.db.get_value('User', 'operator@saas.local', ['api_key', 'api_secret']))", self.site)
        self.assertEqual(shown, "('key-1', '********')")
        stored = python(
            "print(frappe.db.sql('SELECT fieldname, encrypted, password FROM `__Auth` WHERE encrypted=1'))", self.site
        )
        self.assertIn("('api_secret', 1, 'gAAAA", stored)
        self.assertEqual(len(config_of(self.site)["encryption_key"]), 44)

    def test_are_encrypted_anew_each_time_and_compared_in_clear(self):
        lines = """
from frappe.utils.password import get_decrypted_password, encrypt
print(get_decrypted_password("User", "Guest", "api_secret", raise_exception=False), encrypt("x") == encrypt("x"))
print(get_decrypted_password("User", "operator@saas.local", "api_secret"))
"""
        self.put()
        self.assertEqual(python(lines, self.site).split(), ["None", "False", "secret-1"])

    def test_are_lost_with_the_encryption_key_and_healed_by_setting_them_again(self):
        token = self.put()
        set_config(self.site, encryption_key=None)
        python("from frappe.utils.password import encrypt; encrypt('x')", self.site)
        answer = self.server.logged_in(self.site, token)
        self.assertEqual(answer.status, 417)
        self.assertIn(FAILED, answer.text)
        read = "from frappe.utils.password import get_decrypted_password as get\nget('User', 'operator@saas.local', 'api_secret')"
        self.assert_fails(python(read, self.site, check=False), "ValidationError")
        self.assertEqual(self.user_of(put_keys(self.site, "operator@saas.local", "key-1", "secret-1")), "operator@saas.local")

    def test_must_be_unique(self):
        self.put()
        body = {"email": "b@saas.local", "first_name": "B", "api_key": "key-1", "send_welcome_email": 0}
        answer = self.server.call(self.site, "/api/resource/User", "POST", data=body, token="key-1:secret-1")
        self.assertEqual((answer.status, answer.exc_type), (417, "UniqueValidationError"))
        self.assertIn("API Key must be unique", answer.text)

    def test_may_be_set_over_rest(self):
        token = self.put()
        pair = {"api_key": "key-2", "api_secret": "secret-2"}
        answer = self.server.call(self.site, "/api/resource/User/operator@saas.local", "PUT", data=pair, token=token)
        self.assertEqual(answer.status, 200, answer.text)
        self.assertEqual(self.user_of("key-2:secret-2"), "operator@saas.local")
        self.assertEqual(self.server.logged_in(self.site, token).status, 401)

    def test_are_generated_by_frappes_own_function_which_keeps_the_key(self):
        path = "/api/method/frappe.core.doctype.user.user.generate_keys?user=operator@saas.local"
        answer = self.server.call(self.site, path, "POST", token=self.put())
        self.assertEqual(set(answer.json["message"]), {"api_secret"})
        self.assertEqual(self.user_of("key-1:" + answer.json["message"]["api_secret"]), "operator@saas.local")

    def test_are_proven_in_process_where_a_login_manager_is_there(self):
        self.put()
        check = "from frappe.auth import validate_api_key_secret as check\n"
        missing = python(check + "check('key-1', 'secret-1')", self.site, self.release, check=False)
        self.assert_fails(missing, "AttributeError")
        manager = "frappe.local.login_manager = frappe._dict(user='Guest')\n"
        proven = python(check + manager + "check('key-1', 'secret-1'); print(frappe.session.user)", self.site, self.release)
        self.assertEqual(proven, "operator@saas.local")

    def disable(self):
        python("frappe.db.set_value('User', 'operator@saas.local', 'enabled', 0); frappe.db.commit()", self.site)

    def test_of_a_disabled_user_still_work_in_15(self):
        token = self.put()
        self.disable()
        self.assertEqual(self.user_of(token), "operator@saas.local")


class RoleProfiles(BenchTest):
    def roles_after(self, release, *changes):
        site = new_site(release=release)[0]
        lines = """
frappe.get_doc({"doctype": "Role Profile", "role_profile": "Clerk", "roles": [{"role": "Website Manager"}]}).insert()
user = frappe.get_doc({"doctype": "User", "email": "a@b.test", "first_name": "A", "roles": [{"role": "System Manager"}]})
%s
user.insert()
user.append_roles("System Manager")
user.save()
frappe.db.commit()
print(sorted(row.role for row in frappe.get_doc("User", "a@b.test").roles), user.role_profile_name)
"""
        return python(lines % "\n".join(changes), site, release)

    def test_take_the_place_of_a_users_own_roles_at_each_save(self):
        link, row = 'user.role_profile_name = "Clerk"', 'user.append("role_profiles", {"role_profile": "Clerk"})'
        self.assertEqual(self.roles_after("15", link), "['Website Manager'] Clerk")
        self.assertEqual(self.roles_after("16", row), "['Website Manager'] None")
        self.assertEqual(self.roles_after("16", link), "['Website Manager'] None")

    def test_a_disabled_role_goes_with_the_next_save(self):
        off = 'frappe.db.set_value("Role", "System Manager", "disabled", 1)'
        self.assertEqual(self.roles_after("15", off), "[] None")


class KeysIn16(Keys):
    release = "16"
    test_of_a_disabled_user_still_work_in_15 = None

    def test_of_a_disabled_user_are_refused_in_16(self):
        token = self.put()
        self.disable()
        self.assertEqual(self.server.logged_in(self.site, token).status, 401)

    def test_are_lost_to_a_worker_that_remembers_a_configuration_without_a_key(self):
        server = Server("16", workers=1)
        self.addCleanup(server.stop)
        self.assertEqual(server.ping(self.site), 200)
        token = self.put()
        answer = server.logged_in(self.site, token)
        self.assertEqual(answer.status, 417)
        self.assertIn(FAILED, answer.text)
        put_keys(self.site, "operator@saas.local", "key-1", "secret-1")
        self.assertEqual(server.logged_in(self.site, token).json["message"], "operator@saas.local")

    def test_are_safe_where_the_key_was_there_before_the_first_request(self):
        server = Server("16", workers=1)
        self.addCleanup(server.stop)
        set_config(self.site, encryption_key="MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
        self.assertEqual(server.ping(self.site), 200)
        self.assertEqual(server.logged_in(self.site, self.put()).status, 200)


class MaintenanceIn16(BenchTest):
    def test_is_noticed_by_a_worker_only_when_its_minute_is_over(self):
        slow, quick = (Server("16", workers=1, STANDIN_CONFIG_SECONDS=seconds) for seconds in ("3600", "1"))
        self.addCleanup(slow.stop)
        self.addCleanup(quick.stop)
        site = new_site(release="16")[0]
        self.assertEqual((slow.ping(site), quick.ping(site)), (200, 200))
        self.assert_ok(bench("--site", site, "set-maintenance-mode", "on", release="16"))
        await_true(lambda: quick.ping(site) == 503)
        self.assertEqual(slow.ping(site), 200)
        answer = quick.call(site, "/api/method/ping")
        self.assertEqual(set(answer.json), {"exc_type"})

    def test_hides_the_traceback_from_guests_only(self):
        server = Server("16")
        self.addCleanup(server.stop)
        site = new_site(release="16")[0]
        token = put_user(site, "operator@saas.local", "key-1", "secret-1", release="16")
        guest = server.call(site, "/api/method/frappe.auth.get_logged_user")
        self.assertEqual((guest.status, set(guest.json)), (403, {"exc_type", "_server_messages"}))
        known = server.call(site, "/api/resource/Note/nope", token=token)
        self.assertIn("exception", known.json)


class Users(BenchTest):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.stop)
        cls.site, _database, _done = new_site()
        cls.token = put_user(cls.site, "operator@saas.local", "key-1", "secret-1")

    def insert(self, **values):
        body = {"first_name": "A", "send_welcome_email": 1, **values}
        return self.server.call(self.site, "/api/resource/User", "POST", data=body, token=self.token)

    def test_are_made_once_over_rest(self):
        self.assertEqual(self.insert(email="once@saas.local").status, 200)
        self.assertEqual(self.insert(email="once@saas.local").status, 409)

    def test_are_refused_with_a_weak_password(self):
        answer = self.insert(email="weak@saas.local", new_password="password")
        self.assertEqual((answer.status, answer.exc_type), (417, "ValidationError"))
        self.assertIn("This is a top-10 common password.", answer.text)

    def test_log_in_with_a_good_one(self):
        self.assertEqual(self.insert(email="good@saas.local", new_password="Correct-Horse-9").status, 200)
        self.assertEqual(self.server.login(self.site, "good@saas.local", "Correct-Horse-9").status, 200)

    def test_are_system_managers_by_a_command_once(self):
        options = ("add-system-manager", "ada@acme.test", "--first-name", "Ada", "--password", "Pw-of-Ada-1")
        self.assert_ok(bench("--site", self.site, *options))
        self.assert_fails(bench("--site", self.site, *options), "DuplicateEntryError")
        self.assertIn("System Manager", python("print(frappe.get_roles('ada@acme.test'))", self.site))

    def test_get_a_password_of_the_administrator_from_standard_input(self):
        self.assert_ok(bench("--site", self.site, "set-admin-password", stdin="From-Stdin-1\n"))
        self.assertEqual(self.server.login(self.site, "Administrator", "From-Stdin-1").status, 200)


if __name__ == "__main__":
    unittest.main()
