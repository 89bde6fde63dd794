"""archive and drop: nothing is lost, and nothing is left."""

import gzip
import json
import os
import time

from tests.tenant import SITES, BenchCase, bench, rows


class ArchiveCase(BenchCase):
    def made(self):
        tenant = self.tenant(apps=[])
        self.assert_ok(tenant.run("create", "settings", "keys"))
        (tenant.folder / "public/files").mkdir(parents=True, exist_ok=True)
        (tenant.folder / "private/files").mkdir(parents=True, exist_ok=True)
        (tenant.folder / "public/files/logo.txt").write_text("public")
        (tenant.folder / "private/files/contract.txt").write_text("private")
        tenant.query("UPDATE tabUser SET last_name = 'in the archive' WHERE name = 'ada@acme.test'")
        tenant.input.update(expectSite=True, drop={"manifest": tenant.archive})
        return tenant

    def archive_of(self, tenant):
        return SITES / tenant.archive


class Archives(ArchiveCase):
    def test_an_archive_is_whole_private_and_described_by_its_manifest(self):
        tenant = self.made()
        done = self.assert_ok(tenant.run("archive"))["archive"]
        folder = self.archive_of(tenant)
        manifest = json.loads((folder / "manifest.json").read_text())
        self.assertEqual(done["files"], 4)
        self.assertEqual(done["bytes"], sum(file["bytes"] for file in manifest["files"].values()))
        self.assertEqual(sorted(manifest["files"]), ["database.sql.gz", "files.tar", "private-files.tar", "site_config_backup.json"])
        self.assertEqual((manifest["id"], manifest["site"], manifest["marker"]), (tenant.id, tenant.site, tenant.input["marker"]))
        self.assertEqual(manifest["apps"][0]["name"], "frappe")
        self.assertEqual([folder.stat().st_mode & 0o777, folder.parent.stat().st_mode & 0o777], [0o700, 0o700])
        self.assertEqual({path.stat().st_mode & 0o777 for path in folder.iterdir()}, {0o600})
        config = json.loads((folder / "site_config_backup.json").read_text())
        self.assertEqual(config["encryption_key"], tenant.environment["TENANT_ENCRYPTION_KEY"])
        self.assertEqual([path.name for path in folder.parent.iterdir()], [folder.name])

    def test_the_site_rests_before_it_is_dumped_and_a_second_run_does_not_wait_again(self):
        tenant = self.made()
        tenant.input["archive"]["configCacheSeconds"] = 3
        started = time.monotonic()
        self.assert_failed(tenant.run("archive", faults={"backup:start": {"do": "fail"}}), "ArchiveFailed")
        self.assertGreater(time.monotonic() - started, 3)
        self.assertEqual((tenant.config()["maintenance_mode"], tenant.config()["pause_scheduler"]), (1, 1))
        result = tenant.run("archive")
        self.assert_ok(result)
        self.assertNotIn("waiting", result.output)

    def test_an_archive_that_is_there_is_verified_and_not_made_again(self):
        tenant = self.made()
        first = self.assert_ok(tenant.run("archive"))["archive"]
        inode = (self.archive_of(tenant) / "database.sql.gz").stat().st_ino
        again = self.assert_ok(tenant.run("archive"))["archive"]
        self.assertEqual((first["files"], first["bytes"]), (again["files"], again["bytes"]))
        self.assertEqual((self.archive_of(tenant) / "database.sql.gz").stat().st_ino, inode)

    def test_a_failed_or_killed_backup_leaves_nothing_that_looks_like_an_archive(self):
        tenant = self.made()
        for point in ("backup:start", "backup:after-dump", "backup:end"):
            for what in ("fail", "kill"):
                with self.subTest(point=point, what=what):
                    self.assert_failed(tenant.run("archive", "drop", faults={point: {"do": what}}), "ArchiveFailed")
                    self.assertFalse(self.archive_of(tenant).exists())
                    self.assertTrue(tenant.folder.exists())
        self.assert_ok(tenant.run("archive", "drop"))
        self.assertEqual(os.listdir(SITES / "archived_sites" / tenant.id), [os.path.basename(tenant.archive)])

    def test_a_site_with_jobs_is_not_archived(self):
        tenant = self.made()
        tenant.execute("frappe.enqueue('frappe.ping')")
        result = tenant.run("archive", "drop")
        self.assert_failed(result, "JobsRunning")
        self.assertEqual(result.line["class"], "Retryable")
        self.assertTrue(tenant.folder.exists())

    def test_redis_down_is_said_to_be_redis_down(self):
        tenant = self.made()
        common = SITES / "common_site_config.json"
        before = common.read_text()
        self.addCleanup(common.write_text, before)
        nowhere = {"redis_cache": "redis://127.0.0.1:1", "redis_queue": "redis://127.0.0.1:1"}
        common.write_text(json.dumps({**json.loads(before), **nowhere}))
        result = tenant.run("archive")
        self.assert_failed(result, "RedisUnreachable")
        self.assertEqual(result.line["class"], "Retryable")

    def test_a_site_that_never_came_to_be_has_nothing_to_archive_and_its_drop_needs_no_manifest(self):
        tenant = self.tenant(drop={"manifest": None})
        tenant.input["drop"]["manifest"] = tenant.archive
        done = self.assert_ok(tenant.run("archive", "drop"))
        self.assertEqual((done["archive"]["directory"], done["drop"]["dropped"]), (None, False))
        self.assert_failed(tenant.run("create", faults={"new-site:after-db": {"do": "fail"}}), "CreateFailed")
        done = self.assert_ok(tenant.run("archive", "drop"))
        self.assertEqual((done["archive"]["directory"], done["drop"]["dropped"]), (None, True))
        self.assertEqual(tenant.leftovers(), [])

    def test_a_site_that_was_there_and_is_gone_is_for_a_person_to_look_at(self):
        tenant = self.tenant(expectSite=True)
        for step in ("archive", "revoke"):
            result = tenant.run(step)
            self.assert_failed(result, "SiteVanished")
            for words in ("deletionPolicy: Delete", "tenancy.nexuserp.io/abandon-after"):
                self.assertIn(words, result.message)
        # On the way up nothing is to be abandoned.
        result = tenant.run("settings")
        self.assert_failed(result, "SiteVanished")
        self.assertIn("deletionPolicy: Delete in the Tenant and delete it", result.message)
        self.assertNotIn("abandon-after", result.message)

    def test_an_archive_is_kept_to_the_tenants_own_folder(self):
        tenant = self.made()
        for directory in ("archived_sites/other/x", "../x", f"archived_sites/{tenant.id}/..", f"archived_sites/{tenant.id}/a/b", "/tmp/x", None):
            with self.subTest(directory):
                tenant.input["archive"]["directory"] = directory
                self.assert_failed(tenant.run("archive"), "BadInput")


class Restores(ArchiveCase):
    def test_the_archive_restored_into_a_new_site_has_data_files_and_readable_secrets(self):
        tenant = self.made()
        self.assert_ok(tenant.run("archive", "drop"))
        folder = self.archive_of(tenant)
        heir = self.tenant(apps=[])
        heir.environment["TENANT_ENCRYPTION_KEY"] = json.loads((folder / "site_config_backup.json").read_text())["encryption_key"]
        self.assert_ok(heir.run("create"))
        words = ["--with-public-files", folder / "files.tar", "--with-private-files", folder / "private-files.tar", "--force"]
        password = ["--db-root-password", os.environ["DB_ROOT_PASSWORD"], "--admin-password", "restored-123"]
        bench("--site", heir.site, "restore", folder / "database.sql.gz", *words, *password)
        self.assertEqual(heir.query("SELECT last_name FROM tabUser WHERE name = 'ada@acme.test'"), [("in the archive",)])
        self.assertEqual((heir.folder / "public/files/logo.txt").read_text(), "public")
        self.assertEqual((heir.folder / "private/files/contract.txt").read_text(), "private")
        read = f"from frappe.utils.password import get_decrypted_password\nprint(json.dumps(get_decrypted_password('User', {tenant.user!r}, 'api_secret')))"
        self.assertEqual(heir.execute(read), tenant.environment["TENANT_API_SECRET"])


class Drops(ArchiveCase):
    def test_archive_then_drop_leaves_the_archive_and_nothing_else(self):
        tenant = self.made()
        done = self.assert_ok(tenant.run("archive", "drop"))
        self.assertTrue(done["drop"]["dropped"])
        self.assertEqual(tenant.leftovers(), [f"archived_sites/{tenant.id}"])
        self.assertFalse((SITES / ".tenant-operator").exists())
        done = self.assert_ok(tenant.run("archive", "drop"))
        self.assertFalse(done["drop"]["dropped"])

    def test_delete_leaves_nothing_at_all_even_with_further_hosts_of_the_user(self):
        tenant = self.made()
        tenant.input["drop"]["manifest"] = None
        for host in ("localhost", "10.1.2.3"):
            rows("CREATE USER %s@%s IDENTIFIED BY 'x'", tenant.database, host)
        self.assertTrue(self.assert_ok(tenant.run("drop"))["drop"]["dropped"])
        self.assertEqual(tenant.leftovers(), [])
        self.assertFalse(self.assert_ok(tenant.run("drop"))["drop"]["dropped"])

    def test_half_of_a_site_is_dropped_as_well(self):
        def folder_only(tenant):
            rows(f"DROP DATABASE `{tenant.database}`")

        def database_only(tenant):
            import shutil

            shutil.rmtree(tenant.folder)

        def user_only(tenant):
            folder_only(tenant)
            database_only(tenant)

        for half in (folder_only, database_only, user_only):
            with self.subTest(half.__name__):
                tenant = self.made()
                tenant.input["drop"]["manifest"] = None
                half(tenant)
                self.assertTrue(self.assert_ok(tenant.run("drop"))["drop"]["dropped"])
                self.assertEqual(tenant.leftovers(), [])

    def test_a_drop_that_stopped_half_way_is_finished(self):
        for point in ("drop-site:start", "drop-site:after-db", "drop-site:end"):
            with self.subTest(point):
                tenant = self.made()
                tenant.input["drop"]["manifest"] = None
                self.assert_failed(tenant.run("drop", faults={point: {"do": "kill"}}), "DropFailed")
                self.assert_ok(tenant.run("drop"))
                self.assertEqual(tenant.leftovers(), [])

    def test_nothing_is_dropped_on_an_archive_that_is_not_what_was_written(self):
        def cut(folder):
            (folder / "database.sql.gz").write_bytes((folder / "database.sql.gz").read_bytes()[:-1])

        def changed(folder):
            (folder / "database.sql.gz").write_bytes(gzip.compress(b"other"))

        def missing(folder):
            (folder / "files.tar").unlink()

        def without_manifest(folder):
            (folder / "manifest.json").unlink()

        def anothers(folder):
            manifest = json.loads((folder / "manifest.json").read_text())
            (folder / "manifest.json").write_text(json.dumps({**manifest, "id": "0" * 16}))

        for damage in (cut, changed, missing, without_manifest, anothers):
            with self.subTest(damage.__name__):
                tenant = self.made()
                self.assert_ok(tenant.run("archive"))
                damage(self.archive_of(tenant))
                for steps in (("drop",), ("archive", "drop")):
                    result = tenant.run(*steps)
                    self.assert_failed(result, "ManifestMismatch")
                    self.assertEqual(result.line["class"], "Fatal")
                self.assert_complete(tenant, apps=("frappe",))

    def test_a_foreign_site_is_never_dropped(self):
        tenant = self.made()
        tenant.write_config(tenant_operator={**tenant.input["marker"], "id": "f" * 16})
        tenant.input["drop"]["manifest"] = None
        self.assert_failed(tenant.run("drop"), "ForeignSite")
        tenant.input["expectSite"] = False
        done = self.assert_ok(tenant.run("archive", "drop"))
        self.assertEqual((done["archive"]["directory"], done["drop"]["dropped"], done["drop"]["foreign"]), (None, False, True))
        self.assertTrue(tenant.folder.exists())
        self.assertEqual(len(rows("SHOW DATABASES LIKE %s", tenant.database)), 1)
