"""inspect: one site, and a whole bench."""

import hashlib
import json
import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import step_inspect  # noqa: E402
from tests.tenant import SITES, BenchCase, Tenant, rows  # noqa: E402


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def expectation(tenant):
    wanted = {name: tenant.input[name] for name in ("marker", "site", "database", "apps", "settings", "keys")}
    names = {"apiKey": "TENANT_API_KEY", "apiSecret": "TENANT_API_SECRET", "encryptionKey": "TENANT_ENCRYPTION_KEY"}
    return {**wanted, "sha256": {name: sha256(tenant.environment[variable]) for name, variable in names.items()}}


def numbered(count):
    return [f"{number:016x}" for number in range(count)]


class Answers(unittest.TestCase):
    """The line that a whole bench is answered in holds 2 KiB."""

    def test_a_few_differences_are_told_in_full(self):
        differ = {tenant: ["locked", "config:max_file_size", "app:erpnext"] for tenant in numbered(9)}
        self.assertEqual(step_inspect.short(differ), differ)

    def test_many_are_told_by_their_kinds(self):
        differ = {tenant: ["config:max_file_size", "config:mail_server", "app:erpnext"] for tenant in numbered(30)}
        self.assertEqual(step_inspect.short(differ), {tenant: ["config", "app"] for tenant in numbered(30)})

    def test_sixty_that_are_unlocked_still_fit_and_no_more_are_told(self):
        self.assertEqual(list(step_inspect.short({tenant: ["site:Absent"] for tenant in numbered(90)})), numbered(60))

    def test_whatever_differs_the_line_is_not_too_long(self):
        differ = {tenant: ["site", "encryptionKey", "scheduler", *(f"config:{'x' * n}" for n in range(99))] for tenant in numbered(60)}
        kept = step_inspect.short(differ)
        self.assertLessEqual(step_inspect.size(kept), step_inspect.ROOM)
        self.assertGreater(len(kept), 20)


class Inspections(BenchCase):
    def whole_bench(self, *files):
        with tempfile.TemporaryDirectory() as folder:
            for number, expectations in enumerate(files):
                (Path(folder) / f"sites-{number}.json").write_text(json.dumps(expectations))
            # As the kubelet leaves it beside the files of a ConfigMap.
            (Path(folder) / "..data.json").write_text("of another version")
            runner = Tenant()
            runner.input = {"benchPath": runner.input["benchPath"], "inspect": {"configMapPath": folder}}
            runner.environment = {}
            return runner.run("inspect")

    def differing(self, tenant, **changes):
        """What the inspection of the bench says of one tenant."""
        expected = {**expectation(tenant), **changes}
        return self.assert_ok(self.whole_bench({tenant.id: expected}))["inspect"]["differ"].get(tenant.id, [])

    def test_a_site_as_it_should_be_differs_in_nothing_and_no_secret_is_answered(self):
        tenant = self.tenant()
        tenant.input["settings"]["siteConfig"] = [{"name": "mail_password", "env": "TENANT_SITE_CONFIG_0"}]
        tenant.environment["TENANT_SITE_CONFIG_0"] = "mail-Secret-123"
        self.assert_ok(tenant.run("create", "apps", "settings", "keys"))
        result = tenant.run("inspect")
        found = self.assert_ok(result)["inspect"]
        self.assertEqual((found["site"], found["differs"]), ("Present", []))
        for secret in tenant.environment.values():
            self.assertNotIn(secret, result.raw)

    def test_states_of_a_site_are_told_apart(self):
        tenant = self.tenant()
        self.assertEqual(self.assert_ok(tenant.run("inspect"))["inspect"]["differs"], ["site:Absent"])
        self.assert_failed(tenant.run("create", faults={"new-site:after-db": {"do": "fail"}}), "CreateFailed")
        self.assertEqual(self.assert_ok(tenant.run("inspect"))["inspect"]["differs"], ["site:HalfMade"])
        tenant.write_config(tenant_operator={"id": "f" * 16})
        self.assertEqual(self.assert_ok(tenant.run("inspect"))["inspect"]["differs"], ["site:Foreign"])

    def test_a_broken_site_differs_and_does_not_hide_the_others(self):
        good, broken = self.tenant(), self.tenant()
        for tenant in (good, broken):
            tenant.input["apps"] = []
            self.assert_ok(tenant.run("create", "settings", "keys"))
        broken.write_config(db_password="wrong")
        gone = Tenant()
        all_of_them = {tenant.id: expectation(tenant) for tenant in (good, broken, gone)}
        result = self.whole_bench({good.id: all_of_them.pop(good.id)}, all_of_them)
        found = self.assert_ok(result)["inspect"]
        self.assertEqual((found["seen"], found["more"]), (3, False))
        self.assertEqual(found["differ"], {broken.id: ["error:OperationalError"], gone.id: ["site:Absent"]})

    def test_an_outage_is_not_taken_for_a_difference(self):
        tenant = self.tenant(apps=[])
        self.assert_ok(tenant.run("create", "settings", "keys"))
        tenant.write_config(db_port=1)
        self.assert_failed(self.whole_bench({tenant.id: expectation(tenant)}), "DatabaseUnreachable")
        other = self.tenant(apps=[])
        self.assert_ok(other.run("create", "settings", "keys"))
        found = self.assert_ok(self.whole_bench({one.id: expectation(one) for one in (tenant, other)}))["inspect"]
        self.assertEqual(list(found["differ"]), [tenant.id])

    def test_what_somebody_changed_in_a_site_is_named(self):
        tenant = self.tenant(apps=[])
        tenant.input["settings"]["siteConfig"] = [{"name": "max_file_size", "value": 1000}, {"name": "mail_password", "env": "TENANT_SITE_CONFIG_0"}]
        tenant.environment["TENANT_SITE_CONFIG_0"] = "mail-Secret-123"
        done = self.assert_ok(tenant.run("create", "settings", "keys"))
        # What the operator keeps of both steps is what it expects from then on.
        prints = {**done["create"]["sha256"], **done["keys"]["sha256"]}
        self.assertEqual(prints, expectation(tenant)["sha256"])
        plain = {**tenant.input["settings"], "siteConfig": [{"name": "max_file_size", "value": 1000}, {"name": "mail_password"}]}
        look = lambda: self.differing(tenant, settings=plain)  # noqa: E731
        self.assertEqual(look(), [])
        tenant.write_config(max_file_size=2000, mail_password="another")
        self.assertEqual(look(), ["config:max_file_size", "config:mail_password"])
        self.assert_ok(tenant.run("settings"))
        self.assertEqual(look(), [])
        tenant.execute("frappe.db.set_single_value('System Settings', 'disable_user_pass_login', 0)")
        tenant.execute("frappe.db.set_single_value('System Settings', 'enable_scheduler', 0)")
        self.assertEqual(look(), ["locked", "scheduler"])
        self.assert_ok(tenant.run("settings"))
        rows("DELETE FROM `tabHas Role` WHERE parent = %s", tenant.user, database=tenant.database)
        self.assertEqual(look(), ["apiUser"])
        self.assert_ok(tenant.run("keys"))
        tenant.write_config(encryption_key="bm90LW91cnMtYnV0LWFzLWxvbmctYXMtYS1yZWFsLTE=")
        self.assertEqual(look(), ["encryptionKey", "key"])
        self.assert_ok(tenant.run("create", "keys"))
        self.assertEqual(look(), [])

    def test_a_database_that_is_gone_is_a_difference_and_no_outage(self):
        tenant, other = self.tenant(apps=[]), self.tenant(apps=[])
        for each in (tenant, other):
            self.assert_ok(each.run("create", "settings", "keys"))
        rows(f"DROP DATABASE `{tenant.database}`")
        found = self.assert_ok(self.whole_bench({one.id: expectation(one) for one in (tenant, other)}))["inspect"]
        self.assertEqual(list(found["differ"]), [tenant.id])
        self.assertTrue(found["differ"][tenant.id][0].startswith("error:"), found)
        tenant.input["expectSite"] = True
        self.assert_failed(tenant.run("create"), "SiteVanished")

    def test_a_key_changed_in_the_site_is_seen_by_its_hash(self):
        tenant = self.tenant(apps=[])
        self.assert_ok(tenant.run("create", "settings", "keys"))
        self.assertEqual(self.differing(tenant), [])
        prints = {**expectation(tenant)["sha256"], "apiSecret": sha256("another")}
        self.assertEqual(self.differing(tenant, sha256=prints), ["key"])

    def test_whole_archives_are_counted(self):
        before = self.assert_ok(self.whole_bench({}))["inspect"]["archives"]
        tenant = self.tenant(apps=[])
        self.assert_ok(tenant.run("create", "settings", "keys", "archive"))
        os.makedirs(SITES / "archived_sites" / tenant.id / "20261121T080042Z")
        found = self.assert_ok(self.whole_bench({}))["inspect"]
        self.assertEqual((found["seen"], found["differ"], found["archives"]), (0, {}, before + 1))

    def test_more_than_sixty_differences_are_said_to_be_more(self):
        tenants = [Tenant() for _ in range(70)]
        result = self.whole_bench({tenant.id: expectation(tenant) for tenant in tenants})
        found = self.assert_ok(result)["inspect"]
        self.assertEqual((found["seen"], len(found["differ"]), found["more"]), (70, 60, True))
        self.assertEqual({tuple(what) for what in found["differ"].values()}, {("site",)})
        self.assertLessEqual(len(result.raw.encode()), 2048)

    def test_expectations_that_cannot_be_read_are_bad_input(self):
        self.assert_failed(self.whole_bench(["not a map"]), "BadInput")
