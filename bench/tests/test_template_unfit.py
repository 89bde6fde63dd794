"""A template that is not fit is not used, and the tenant is installed."""

import gzip
import hashlib
import json

from tests.template import TemplateCase, tearDownModule  # noqa: F401


class AnUnfitTemplate(TemplateCase):
    def test_one_that_is_not_there_or_broken_or_stale_is_not_used(self):
        maker, name = self.made(apps=[])
        dump, manifest = (maker.of(name) / file for file in ("database.sql.gz", "manifest.json"))
        packed, written = dump.read_bytes(), manifest.read_text()
        apps = maker.manifest(name)["apps"]
        other = gzip.compress(gzip.decompress(packed).replace(b"CREATE TABLE `tabNote`", b"CREATE TABLF `tabNote`"))
        files = {"database.sql.gz": {"bytes": len(other), "sha256": hashlib.sha256(other).hexdigest()}}
        damages = {
            "a flipped byte": ("Broken", lambda: dump.write_bytes(packed[:-9] + bytes([packed[-9] ^ 1]) + packed[-8:])),
            "half a dump": ("Broken", lambda: dump.write_bytes(packed[: len(packed) // 2])),
            "no dump": ("Broken", dump.unlink),
            "no manifest": ("Broken", manifest.unlink),
            "no JSON": ("Broken", lambda: manifest.write_text("{")),
            "another form": ("Broken", lambda: manifest.write_text("{}")),
            "another recipe": ("Stale", lambda: maker.write_manifest(name, recipe=7)),
            "another version of an app": ("Stale", lambda: maker.write_manifest(name, apps=[{**apps[0], "version": "1.0"}])),
            "an app that the bench lacks": ("Stale", lambda: maker.write_manifest(name, apps=[*apps, {"name": "gone", "version": "1"}])),
            "a table too few": ("Broken", lambda: dump.write_bytes(other) and maker.write_manifest(name, files=files)),
        }
        for what, (why, damage) in damages.items():
            with self.subTest(what):
                dump.write_bytes(packed)
                manifest.write_text(written)
                damage()
                tenant = self.tenant_of(maker, name)
                self.assert_installed(tenant.run("create"), name, why)
                self.assert_complete(tenant, apps=("frappe",))
                self.assertNotIn("restores", tenant.state())
        tenant = self.tenant_of(maker, "0" * 16)
        self.assert_installed(tenant.run("create"), "0" * 16, "Missing")
        tenant = self.tenant_of(maker, "../../x")
        self.assert_installed(tenant.run("create"), "../../x", "Missing")

    def test_one_that_says_other_than_it_holds_is_not_used(self):
        maker, name = self.made(apps=[])
        apps = self.tenant()
        self.assert_ok(apps.run("create", "apps"))
        versions = apps.execute("import erpnext; print(json.dumps(erpnext.__version__))")
        maker.write_manifest(name, apps=[*maker.manifest(name)["apps"], {"name": "erpnext", "version": versions}], config={"extra": 1})
        tenant = self.tenant_of(maker, name)
        result = tenant.run("create", "apps")
        self.assert_installed(result, name, "Failed")
        self.assert_complete(tenant, apps=("frappe",))
        self.assertNotIn("extra", tenant.config())

    def test_one_that_cannot_be_restored_is_not_used_and_the_site_is_installed_in_the_same_run(self):
        maker, name = self.shared()
        for fault in ("fail", "kill"):
            with self.subTest(fault):
                tenant = self.tenant_of(maker, name)
                result = tenant.run("create", "apps", faults={"new-site:after-schema": {"do": fault, "times": 1}})
                if result.ok:  # the fault may strike the installation as well
                    self.assert_installed(result, name, "Failed")
                self.assert_ok(tenant.run("create", "apps"))
                self.assert_complete(tenant)

    def test_a_database_that_is_down_is_no_fault_of_the_template(self):
        maker, name = self.shared(())
        tenant = self.tenant_of(maker, name)
        fault = {"new-site:after-db": {"do": "fail", "message": "pymysql.err.OperationalError: (2003, 'gone')"}}
        self.assert_failed(tenant.run("create", faults=fault), "DatabaseUnreachable")
        self.assert_made_from(tenant.run("create"), name)
