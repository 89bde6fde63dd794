"""Roles of the API user and the admin, where the site itself changes them at each save."""

from tests.test_settings import SettingsCase


class Roles(SettingsCase):
    apps = []

    def give_profile(self, tenant, user, *roles):
        """As an administrator does in the desk: one field in 15, a table in 16."""
        tenant.execute(
            f"frappe.get_doc({{'doctype': 'Role Profile', 'role_profile': 'Clerk', 'roles': [{{'role': r}} for r in {roles!r}]}}).insert()\n"
            f"user = frappe.get_doc('User', {user!r})\n"
            "if user.meta.has_field('role_profiles'): user.append('role_profiles', {'role_profile': 'Clerk'})\n"
            "else: user.role_profile_name = 'Clerk'\n"
            "user.save()"
        )

    def test_a_role_profile_is_taken_off_the_api_user_and_the_roles_last(self):
        tenant = self.made()
        self.assert_ok(tenant.run("settings", "keys"))
        for roles in (["Website Manager"], ["System Manager"]):
            with self.subTest(roles):
                self.give_profile(tenant, tenant.user, *roles)
                self.assertEqual(self.assert_ok(tenant.run("inspect"))["inspect"]["differs"], ["apiUser"])
                done = self.assert_ok(tenant.run("keys"))["keys"]
                self.assertEqual((done["changed"], done["proven"]), (True, True))
                self.assertEqual(self.assert_ok(tenant.run("inspect"))["inspect"]["differs"], [])
                self.assertEqual(self.assert_ok(tenant.run("keys"))["keys"]["changed"], False)
                tenant.execute("frappe.delete_doc('Role Profile', 'Clerk', force=1)")

    def test_a_role_that_the_site_takes_away_again_is_named(self):
        tenant = self.made()
        self.assert_ok(tenant.run("settings", "keys"))
        tenant.query("UPDATE tabRole SET disabled = 1 WHERE name = 'Website Manager'")
        tenant.input["keys"]["roles"] = ["System Manager", "Website Manager"]
        result = tenant.run("keys")
        self.assert_failed(result, "UserFailed")
        self.assertIn("roles lacks Website Manager", result.message)
        self.assertIn("disabled Role", result.message)

    def test_a_role_profile_that_takes_the_admins_role_is_named_and_left_to_its_owner(self):
        tenant = self.made()
        self.assert_ok(tenant.run("settings", "keys"))
        self.give_profile(tenant, "ada@acme.test", "Website Manager")
        self.assertEqual(self.assert_ok(tenant.run("inspect"))["inspect"]["differs"], ["admin"])
        result = tenant.run("settings")
        self.assert_failed(result, "UserFailed")
        for words in ("ada@acme.test", "roles lacks System Manager", "Role Profile"):
            self.assertIn(words, result.message)
