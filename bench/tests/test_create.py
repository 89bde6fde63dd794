"""Every state that frappe-facts' new-site table knows, and what `create` makes of it."""

import base64
import json
import secrets

from tests.tenant import SITES, BenchCase, bench, rows, site_made_by_hand


class CreatingASite(BenchCase):
    def test_a_new_site_is_complete_under_our_marker(self):
        tenant = self.tenant()
        done = self.assert_ok(tenant.run("create", "apps"))
        self.assertTrue(done["create"]["created"])
        self.assertEqual(done["apps"]["installed"], ["erpnext"])
        self.assertEqual([app["name"] for app in done["apps"]["apps"]], ["frappe", "erpnext"])
        self.assertTrue(all(app["version"] for app in done["apps"]["apps"]))
        self.assert_complete(tenant)

    def test_the_config_is_readable_by_its_owner_only_and_the_folder_by_nginx(self):
        tenant = self.tenant()
        self.assert_ok(tenant.run("create"))
        self.assertEqual((tenant.folder / "site_config.json").stat().st_mode & 0o777, 0o600)
        self.assertEqual(tenant.folder.stat().st_mode & 0o777, 0o755)
        self.assertFalse((SITES / ".tenant-operator").exists())

    def test_a_second_run_changes_nothing(self):
        tenant = self.tenant()
        self.assert_ok(tenant.run("create", "apps"))
        before = tenant.query("SELECT MAX(modified) FROM tabUser"), tenant.config()
        done = self.assert_ok(tenant.run("create", "apps"))
        self.assertEqual(done["create"], {**done["create"], "created": False, "repaired": []})
        self.assertEqual(done["apps"]["installed"], [])
        self.assertEqual((tenant.query("SELECT MAX(modified) FROM tabUser"), tenant.config()), before)

    def test_a_given_database_host_is_written_into_the_sites_config(self):
        tenant = self.tenant()
        tenant.input["database"]["host"] = "localhost.localdomain"
        common = json.loads((SITES / "common_site_config.json").read_text())
        result = tenant.run("create")
        if result.ok:
            self.assertEqual(tenant.config()["db_host"], "localhost.localdomain")
        else:  # where that name does not resolve
            self.assert_failed(result, "DatabaseUnreachable")
        tenant.input["database"]["host"] = common["db_host"]
        self.assert_ok(tenant.run("create"))


class HalfMadeSites(BenchCase):
    def test_an_own_folder_without_a_database_is_completed(self):
        tenant = self.tenant()
        self.assert_failed(tenant.run("create", faults={"new-site:start": {"do": "fail"}}), "CreateFailed")
        self.assertTrue(tenant.state()["creating"])
        self.assert_ok(tenant.run("create", "apps"))
        self.assert_complete(tenant)

    def test_a_site_that_failed_half_way_is_made_anew(self):
        for point in ("new-site:after-user", "new-site:after-db", "new-site:after-schema", "install-app:after:frappe", "new-site:end"):
            with self.subTest(point):
                tenant = self.tenant()
                self.assert_failed(tenant.run("create", faults={point: {"do": "fail"}}), "CreateFailed")
                self.assert_ok(tenant.run("create", "apps"))
                self.assert_complete(tenant)

    def test_a_site_whose_new_site_was_killed_is_made_anew(self):
        for point in ("new-site:after-db", "install-app:tables:frappe", "new-site:end"):
            with self.subTest(point):
                tenant = self.tenant()
                result = tenant.run("create", faults={point: {"do": "kill"}})
                self.assert_failed(result, "CreateFailed")
                self.assertIn("SIGKILL", result.message)
                self.assert_ok(tenant.run("create", "apps"))
                self.assert_complete(tenant)

    def test_a_site_without_an_administrator_is_made_anew(self):
        tenant = self.tenant()
        self.assert_ok(tenant.run("create"))
        tenant.query("DELETE FROM __Auth")
        done = self.assert_ok(tenant.run("create"))
        self.assertTrue(done["create"]["created"])
        self.assert_complete(tenant, apps=("frappe",))

    def test_the_same_in_a_site_that_was_in_use_is_left_to_a_person(self):
        tenant = self.tenant()
        self.assert_ok(tenant.run("create", "apps", "settings"))
        tenant.query("DELETE FROM __Auth")
        tenant.input["expectSite"] = True
        before = rows("CHECKSUM TABLE tabUser", database=tenant.database)
        self.assert_failed(tenant.run("create"), "SiteVanished")
        self.assertEqual(rows("CHECKSUM TABLE tabUser", database=tenant.database), before)

    def test_a_site_stays_half_made_until_new_site_was_seen_to_end(self):
        tenant = self.tenant()
        self.assert_ok(tenant.run("create"))
        tenant.write_config(tenant_operator_state={"creating": True})
        self.assertTrue(self.assert_ok(tenant.run("create"))["create"]["created"])


class WhatIsNotOurs(BenchCase):
    def refused(self, tenant, reason, *steps):
        for step in steps or ("create", "apps", "settings", "keys", "revoke"):
            with self.subTest(step):
                done = tenant.run(step)
                if step == "revoke" and reason == "ForeignSite":
                    # Before there was a site of its own, nothing of the tenant's is in one: its end need not wait for anybody.
                    self.assertEqual(self.assert_ok(done)["revoke"]["foreign"], True)
                else:
                    self.assert_failed(done, reason)

    def test_a_complete_foreign_site_is_not_touched(self):
        tenant = self.tenant()
        site_made_by_hand(tenant.site, f"f_{tenant.id}")
        self.addCleanup(rows, f"DROP DATABASE IF EXISTS `f_{tenant.id}`")
        self.addCleanup(rows, f"DROP USER IF EXISTS `f_{tenant.id}`@'%%'")
        before = tenant.config(), rows("CHECKSUM TABLE tabUser, __Auth", database=f"f_{tenant.id}")
        self.refused(tenant, "ForeignSite")
        self.assertEqual((tenant.config(), rows("CHECKSUM TABLE tabUser, __Auth", database=f"f_{tenant.id}")), before)

    def test_an_empty_foreign_folder_is_not_touched(self):
        tenant = self.tenant()
        tenant.folder.mkdir()
        self.refused(tenant, "ForeignSite")
        self.assertEqual(list(tenant.folder.iterdir()), [])

    def test_a_config_that_cannot_be_read_is_nobodys_to_force(self):
        tenant = self.tenant()
        tenant.folder.mkdir()
        (tenant.folder / "site_config.json").write_text('{"db_name": ')
        self.refused(tenant, "ForeignSite")

    def test_the_same_id_in_another_cluster_is_somebody_else(self):
        tenant = self.tenant()
        self.assert_ok(tenant.run("create"))
        tenant.input["marker"] = {**tenant.input["marker"], "cluster": "copy"}
        self.refused(tenant, "ForeignSite")

    def test_a_foreign_database_of_our_name_is_not_touched(self):
        tenant = self.tenant()
        rows(f"CREATE DATABASE `{tenant.database}`")
        rows("CREATE TABLE precious (id INT)", database=tenant.database)
        self.refused(tenant, "ForeignDatabase", "create")
        done = self.assert_ok(tenant.run("archive", "drop"))["drop"]
        self.assertEqual((done["dropped"], done["foreign"]), (False, True))
        self.assertEqual(rows("SHOW TABLES", database=tenant.database), [("precious",)])
        self.assertFalse(tenant.folder.exists())

    def test_a_database_that_another_site_names_is_not_touched(self):
        tenant = self.tenant()
        self.assert_ok(tenant.run("create"))
        other = self.tenant()
        other.database = tenant.database
        other.input["database"]["name"] = tenant.database
        self.refused(other, "ForeignDatabase", "create", "drop")
        self.assertFalse(other.folder.exists())
        self.assert_complete(tenant, apps=("frappe",))
        other.database = f"t_{other.id}"

    def test_our_config_pointing_at_the_neighbours_database_is_not_followed(self):
        tenant = self.tenant()
        self.assert_ok(tenant.run("create"))
        tenant.write_config(db_name=self.neighbour.database)
        self.refused(tenant, "ForeignDatabase", "create", "apps", "settings", "keys", "drop")
        tenant.write_config(tenant_operator_state={"creating": True})
        self.refused(tenant, "ForeignDatabase", "create", "drop")

    def test_a_site_left_by_a_plain_new_site_on_the_neighbours_database_does_not_lead_us_there(self):
        # `new-site` leaves a folder whose config names the database that it found taken.
        tenant = self.tenant()
        tenant.folder.mkdir()
        (tenant.folder / "site_config.json").write_text(json.dumps({"db_name": self.neighbour.database, "db_password": "x"}))
        self.refused(tenant, "ForeignSite", "create", "apps", "settings", "keys", "revoke")
        self.assertEqual(self.assert_ok(tenant.run("drop"))["drop"]["dropped"], False)
        self.assertTrue(tenant.folder.exists())

    def test_the_masters_site_and_the_default_site_are_refused(self):
        tenant = self.tenant(site="master.example.com")
        self.refused(tenant, "ProtectedSite", "create", "apps", "settings", "keys", "archive", "drop", "revoke")
        tenant = self.tenant()
        common = SITES / "common_site_config.json"
        before = common.read_text()
        self.addCleanup(common.write_text, before)
        common.write_text(json.dumps({**json.loads(before), "default_site": tenant.site}))
        self.refused(tenant, "ProtectedSite", "create", "apps", "settings", "keys", "archive", "drop", "revoke")


class WhatWentAway(BenchCase):
    def test_a_vanished_folder_is_never_replaced_by_an_empty_site(self):
        tenant = self.tenant(expectSite=True)
        self.assert_failed(tenant.run("create"), "SiteVanished")
        self.assertEqual(tenant.leftovers(), [])

    def test_a_vanished_database_is_never_replaced_by_an_empty_one(self):
        tenant = self.tenant()
        self.assert_ok(tenant.run("create", "apps", "settings"))
        rows(f"DROP DATABASE `{tenant.database}`")
        for expected in (True, False):
            tenant.input["expectSite"] = expected
            self.assert_failed(tenant.run("create"), "SiteVanished")
        self.assertEqual(rows("SHOW DATABASES LIKE %s", tenant.database), [])

    def test_a_changed_encryption_key_is_put_back_and_the_other_one_kept(self):
        tenant = self.tenant()
        self.assert_ok(tenant.run("create", "apps", "settings", "keys"))
        other = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        tenant.write_config(encryption_key=other)
        done = self.assert_ok(tenant.run("create", "keys"))
        self.assertEqual(done["create"]["repaired"], ["encryption_key"])
        self.assertEqual(tenant.state()["replaced_keys"], [other])
        self.assert_complete(tenant)

    def test_a_lost_encryption_key_is_put_back(self):
        tenant = self.tenant()
        self.assert_ok(tenant.run("create", "apps", "settings", "keys"))
        tenant.write_config(encryption_key=None)
        self.assertEqual(self.assert_ok(tenant.run("create", "keys"))["create"]["repaired"], ["encryption_key"])
        self.assert_complete(tenant)

    def test_a_database_user_that_was_changed_or_dropped_works_again(self):
        tenant = self.tenant()
        self.assert_ok(tenant.run("create"))
        for damage in (f"DROP USER `{tenant.database}`@'%%'", f"ALTER USER `{tenant.database}`@'%%' IDENTIFIED BY 'else'"):
            with self.subTest(damage):
                rows(damage)
                self.assertEqual(self.assert_ok(tenant.run("create"))["create"]["repaired"], ["database user"])
                self.assert_complete(tenant, apps=("frappe",))

    def test_a_tenant_that_moved_to_another_namespace_takes_its_marker_along(self):
        tenant = self.tenant()
        self.assert_ok(tenant.run("create"))
        tenant.input["marker"] = {**tenant.input["marker"], "namespace": "elsewhere"}
        self.assertEqual(self.assert_ok(tenant.run("create"))["create"]["repaired"], ["marker"])
        self.assert_complete(tenant, apps=("frappe",))


class WhatIsDown(BenchCase):
    def test_a_wrong_root_password_is_denied_and_leaves_nothing(self):
        tenant = self.tenant()
        tenant.environment["TENANT_DB_ROOT_PASSWORD"] = "wrong-password"
        result = tenant.run("create")
        self.assert_failed(result, "DatabaseDenied")
        self.assertEqual(result.line["class"], "Denied")
        self.assertEqual(tenant.leftovers(), [])

    def test_a_database_that_does_not_answer_is_tried_again(self):
        tenant = self.tenant()
        tenant.input["database"].update(host="127.0.0.1", port=1)
        result = tenant.run("create")
        self.assert_failed(result, "DatabaseUnreachable")
        self.assertEqual(result.line["class"], "Retryable")
        self.assertEqual(tenant.leftovers(), [])

    def test_bad_input_is_refused_before_anything_is_touched(self):
        for change in (
            {"id": "../../etc"},
            {"site": "../x"},
            {"site": "a/b"},
            {"site": ".hidden"},
            {"database": {"name": "a`b"}},
            {"benchPath": "x"},
            {"apps": ["a b"]},
        ):
            with self.subTest(change):
                self.assert_failed(self.tenant(**change).run("create"), "BadInput")
        tenant = self.tenant()
        tenant.environment["TENANT_ENCRYPTION_KEY"] = "too short"
        self.assert_failed(tenant.run("create"), "BadInput")
        self.assert_failed(self.tenant().run("no-such-step"), "BadInput")

    def test_an_app_the_bench_lacks_is_fatal_before_anything_is_installed(self):
        tenant = self.tenant(apps=["erpnext", "nosuchapp"])
        result = tenant.run("create", "apps")
        self.assert_failed(result, "AppMissing")
        self.assertIn("nosuchapp", result.message)
        self.assertIn("create", result.done)
        self.assertEqual(tenant.execute("print(json.dumps(frappe.get_installed_apps()))"), ["frappe"])

    def test_a_bench_command_still_works_on_our_site(self):
        tenant = self.tenant()
        self.assert_ok(tenant.run("create"))
        self.assertIn("frappe", bench("--site", tenant.site, "execute", "frappe.get_installed_apps").stdout)
