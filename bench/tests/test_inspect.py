"""inspect: one site, and a whole bench."""

import hashlib
import json
import tempfile

from tests.tenant import BenchCase, Tenant


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def expectation(tenant):
    wanted = {name: tenant.input[name] for name in ("marker", "site", "database", "apps", "settings", "keys")}
    names = {"apiKey": "TENANT_API_KEY", "apiSecret": "TENANT_API_SECRET", "encryptionKey": "TENANT_ENCRYPTION_KEY"}
    return {**wanted, "sha256": {name: sha256(tenant.environment[variable]) for name, variable in names.items()}}


class Inspections(BenchCase):
    def whole_bench(self, expectations):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(expectations, file)
            file.flush()
            runner = Tenant()
            runner.input = {"benchPath": runner.input["benchPath"], "inspect": {"configMapPath": file.name}}
            runner.environment = {}
            return runner.run("inspect")

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
        result = self.whole_bench({tenant.id: expectation(tenant) for tenant in (good, broken, gone)})
        found = self.assert_ok(result)["inspect"]
        self.assertEqual((found["seen"], sorted(found["differ"]), found["more"]), (3, sorted([broken.id, gone.id]), False))

    def test_a_key_changed_in_the_site_is_seen_by_its_hash(self):
        tenant = self.tenant(apps=[])
        self.assert_ok(tenant.run("create", "settings", "keys"))
        expected = expectation(tenant)
        self.assertEqual(self.assert_ok(self.whole_bench({tenant.id: expected}))["inspect"]["differ"], [])
        expected["sha256"]["apiSecret"] = sha256("another")
        self.assertEqual(self.assert_ok(self.whole_bench({tenant.id: expected}))["inspect"]["differ"], [tenant.id])

    def test_more_than_sixty_differences_are_said_to_be_more(self):
        tenants = [Tenant() for _ in range(70)]
        result = self.whole_bench({tenant.id: expectation(tenant) for tenant in tenants})
        found = self.assert_ok(result)["inspect"]
        self.assertEqual((found["seen"], len(found["differ"]), found["more"]), (70, 60, True))
        self.assertLessEqual(len(result.raw.encode()), 2048)

    def test_expectations_that_cannot_be_read_are_bad_input(self):
        self.assert_failed(self.whole_bench(["not a map"]), "BadInput")
