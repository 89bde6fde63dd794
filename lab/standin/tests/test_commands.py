"""The other commands: apps, configuration, scheduler, backup and restore, drop-site."""

import glob
import json
import os
import re
import stat
import subprocess
import tarfile
import unittest

from tests.bench import (
    BENCH,
    ROOT_PASSWORD,
    SITES,
    BenchTest,
    Server,
    bench,
    config_of,
    environment,
    fresh,
    has_database,
    hosts_of,
    new_site,
    put_user,
    python,
)

ROOT = ("--db-root-password", ROOT_PASSWORD)


class OnASite(BenchTest):
    @classmethod
    def setUpClass(cls):
        cls.site, cls.database, _done = new_site()

    def on(self, *arguments, **kwargs):
        return bench("--site", self.site, *arguments, **kwargs)


class Apps(OnASite):
    def test_are_installed_once(self):
        self.assertIn("App frappe already installed", self.assert_ok(self.on("install-app", "frappe")).stdout)
        self.assert_ok(self.on("install-app", "erpnext"))
        self.assertIn("App erpnext already installed", self.assert_ok(self.on("install-app", "erpnext")).stdout)
        self.assertEqual(self.on("execute", "frappe.get_installed_apps").stdout, '["frappe", "erpnext"]\n')

    def test_unknown_are_refused(self):
        self.assert_fails(self.on("install-app", "nosuchapp"), 'Could not find app "nosuchapp"')

    def test_are_not_in_the_json_list_until_migrate_has_run(self):
        site = new_site()[0]
        self.assertEqual(json.loads(bench("--site", site, "list-apps", "--format", "json").stdout), {site: []})
        text = self.assert_ok(bench("--site", site, "list-apps")).stdout
        self.assertEqual(text, "frappe\n\n")
        self.assert_ok(bench("--site", site, "migrate"))
        self.assertEqual(json.loads(bench("--site", site, "list-apps", "--format", "json").stdout), {site: ["frappe"]})
        self.assertEqual(bench("--site", site, "list-apps").stdout, "frappe 15.72.4 version-15\n\n")

    def test_of_a_site_that_is_not_there_are_not_listed(self):
        self.assert_fails(bench("--site", "nosuch.localhost", "list-apps"), "Site nosuch.localhost does not exist!")

    def test_migrate_and_ready_for_migration_need_redis(self):
        down = {"FRAPPE_REDIS_CACHE": "redis://127.0.0.1:1", "FRAPPE_REDIS_QUEUE": "redis://127.0.0.1:1"}
        self.assert_fails(self.on("migrate", **down))
        self.assert_fails(self.on("ready-for-migration", **down))

    def test_are_ready_for_migration_while_no_job_waits(self):
        site = new_site()[0]
        ready = self.assert_ok(bench("--site", site, "ready-for-migration")).stdout
        self.assertEqual(ready, f"READY for migration: site {site} does not have any background jobs\n")
        python("frappe.enqueue('frappe.ping')", site)
        self.assert_fails(bench("--site", site, "ready-for-migration"))
        self.assert_ok(self.on("ready-for-migration"))


class Configuration(OnASite):
    def value(self, *arguments):
        self.assert_ok(self.on("set-config", *arguments))
        return config_of(self.site)[arguments[-2]]

    def test_turns_words_into_numbers_and_booleans(self):
        self.assertEqual(self.value("one", "1"), 1)
        self.assertIs(self.value("yes", "true"), True)
        self.assertEqual(self.value("text", "12"), "12")
        self.assertEqual(self.value("-p", "many", "{'a': [1, 2]}"), {"a": [1, 2]})

    def test_takes_a_key_out_with_none(self):
        self.value("gone", "x")
        self.assert_ok(self.on("set-config", "gone", "None"))
        self.assertNotIn("gone", config_of(self.site))

    def test_refuses_what_python_cannot_read(self):
        self.assert_fails(self.on("set-config", "-p", "bad", "{'a'"), "SyntaxError")

    def test_is_the_benchs_with_g(self):
        self.assert_ok(bench("set-config", "-g", "of_the_bench", "yes"))
        self.assertEqual(python("print(frappe.conf.of_the_bench)", self.site), "yes")
        self.assert_ok(bench("set-config", "-g", "of_the_bench", "None"))

    def test_is_written_in_process_and_known_there_at_once(self):
        lines = (
            "from frappe.installer import update_site_config as put\nput('limit', 5, validate=False); print(frappe.conf.limit)"
        )
        self.assertEqual(python(lines, self.site), "5")
        self.assertEqual(config_of(self.site)["limit"], 5)

    def test_switches_the_scheduler(self):
        self.assertEqual(self.on("scheduler", "status").stdout, f"Scheduler is disabled for site {self.site}\n")
        self.assert_ok(self.on("enable-scheduler"))
        self.assertEqual(self.on("scheduler", "status").stdout, f"Scheduler is enabled for site {self.site}\n")
        self.assert_ok(self.on("scheduler", "pause"))
        self.assertIs(config_of(self.site)["pause_scheduler"], True)
        self.assert_ok(self.on("scheduler", "resume"))
        self.assertIs(config_of(self.site)["pause_scheduler"], False)


class Execute(OnASite):
    def test_prints_json_and_nothing_for_what_is_empty(self):
        self.assertEqual(self.on("execute", "frappe.utils.cint", "--args", "['7']").stdout, "7\n")
        self.assertEqual(self.on("execute", "frappe.utils.cint", "--args", "['0']").stdout, "")
        self.assertEqual(self.on("execute", "frappe.utils.flt", "--kwargs", "{'value': '1.5'}").stdout, "1.5\n")

    def test_fails_with_a_traceback(self):
        self.assert_fails(self.on("execute", "frappe.utils.nothing"), "Traceback")
        self.assert_fails(self.on("execute", "frappe.get_doc", "--args", "['User', 'nobody']"), "DoesNotExistError")


class TheBenchCommand(BenchTest):
    def run_as(self, uid, *arguments):
        """`bench` itself, with an `id` that says who is calling."""
        folder = os.path.join(os.environ["SCRATCH"], f"id-{uid}")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "id"), "w") as file:
            file.write(f"#!/bin/sh\necho {uid}\n")
        os.chmod(file.name, 0o755)
        path = folder + os.pathsep + os.environ["PATH"]
        command = [os.path.join(BENCH, "env", "bin", "bench"), *arguments]
        return subprocess.run(command, cwd=BENCH, env=environment(PATH=path), capture_output=True, text=True, check=False)

    def test_does_nothing_for_root_unless_the_bench_names_a_user(self):
        path = os.path.join(SITES, "common_site_config.json")
        with open(path) as file:
            before = file.read()
        try:
            with open(path, "w") as file:
                json.dump({key: value for key, value in json.loads(before).items() if key != "frappe_user"}, file)
            refused = self.run_as(0, "version")
            self.assertEqual((refused.returncode, refused.stdout), (1, "WARN: You should not run this command as root\n"))
            self.assertIn("frappe 15.72.4", self.run_as(1000, "version").stdout)
        finally:
            with open(path, "w") as file:
                file.write(before)
        self.assertIn("frappe 15.72.4", self.run_as(0, "version").stdout)


class BackupAndRestore(OnASite):
    def files(self, site):
        return sorted(os.path.basename(path) for path in glob.glob(os.path.join(SITES, site, "private/backups/*")))

    def test_makes_four_files_named_by_local_time_and_site(self):
        site = new_site()[0]
        self.assert_ok(bench("--site", site, "backup", "--with-files"))
        slug = re.sub(r"[^A-Za-z0-9]", "_", site)
        names = [re.sub(r"^\d{8}_\d{6}", "TIME", name) for name in self.files(site)]
        endings = ("database.sql.gz", "files.tar", "private-files.tar", "site_config_backup.json")
        self.assertEqual(names, [f"TIME-{slug}-{ending}" for ending in endings])
        for name in self.files(site):
            self.assertEqual(stat.S_IMODE(os.stat(os.path.join(SITES, site, "private/backups", name)).st_mode), 0o644)

    def test_compressed_archives_have_another_ending(self):
        site = new_site()[0]
        self.assert_ok(bench("--site", site, "backup", "--with-files", "--compress"))
        self.assertEqual(len([name for name in self.files(site) if name.endswith("files.tgz")]), 2)

    def test_fails_without_its_database(self):
        self.assert_fails(self.on("backup", FRAPPE_DB_PORT="1"), "Backup failed for Site")

    def test_restore_into_another_site_has_data_files_and_with_the_old_key_the_secrets(self):
        server = Server()
        self.addCleanup(server.stop)
        old, new = new_site()[0], new_site()[0]
        token = put_user(old, "ada@acme.test", "key-1", "secret-1")
        for private in (0, 1):
            doc = {"doctype": "File", "file_name": f"f{private}.txt", "is_private": private, "content": f"text {private}"}
            python(f"frappe.get_doc({doc!r}).insert(); frappe.db.commit()", old)
        folder = os.path.join(os.environ["SCRATCH"], "archive")
        self.assert_ok(bench("--site", old, "backup", "--with-files", "--backup-path", folder))
        endings = ("-database.sql.gz", "_localhost-files.tar", "-private-files.tar")
        dump, public, private = (glob.glob(f"{folder}/*{ending}")[0] for ending in endings)
        with tarfile.open(public) as tar:
            self.assertIn(f"./{old}/public/files/f0.txt", tar.getnames())
        options = ("--with-public-files", public, "--with-private-files", private, "--force")
        self.assert_ok(bench("--site", new, "restore", dump, *options, stdin=ROOT_PASSWORD + "\n"))
        for kind, number in (("public", 0), ("private", 1)):
            with open(os.path.join(SITES, new, kind, "files", f"f{number}.txt")) as file:
                self.assertEqual(file.read(), f"text {number}")
        put = "from frappe.installer import update_site_config as put; put('encryption_key', {!r})"
        python(put.format("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="), new)
        self.assertEqual(server.logged_in(new, token).status, 417)
        python(put.format(config_of(old)["encryption_key"]), new)
        self.assertEqual(server.logged_in(new, token).json["message"], "ada@acme.test")


class DropSite(BenchTest):
    def drop(self, site, *options):
        return bench("drop-site", site, *ROOT, *options)

    def test_drops_database_and_user_and_moves_the_folder_away(self):
        site, database, _done = new_site()
        done = self.assert_ok(self.drop(site, "--no-backup"))
        archive = os.path.join(os.path.realpath(BENCH), "archived", "sites")
        self.assertEqual(done.stdout, f"Dropping site database and user\nMoving site to archive under {archive}\n")
        self.assertFalse(has_database(database))
        self.assertEqual(hosts_of(database), [])
        with open(os.path.join(archive, site, "site_config.json")) as file:
            self.assertEqual(json.load(file)["db_name"], database)
        self.assert_fails(self.drop(site, "--no-backup"), "IncorrectSitePath")

    def test_archives_below_sites_when_told_and_counts_what_is_there(self):
        site, database = fresh()
        for _number in range(3):
            new_site(site=site, database=database)
            self.assert_ok(self.drop(site, "--no-backup", "--archived-sites-path=archived_sites"))
        found = sorted(os.listdir(os.path.join(SITES, "archived_sites")))
        self.assertEqual([name for name in found if name.startswith(site)], [site, f"{site}1", f"{site}2"])

    def test_takes_a_last_backup_unless_told_not_to(self):
        site, _database, _done = new_site()
        self.assert_ok(self.drop(site, "--archived-sites-path=archived_sites"))
        self.assertEqual(len(glob.glob(os.path.join(SITES, "archived_sites", site, "private/backups/*database.sql.gz"))), 1)

    def test_stops_at_a_failed_backup_unless_forced(self):
        site, database, _done = new_site(faults={"new-site:after-db": {"do": "kill"}})
        faults = {"backup:start": {"do": "fail"}}
        self.assert_fails(bench("drop-site", site, *ROOT, faults=faults), "backup")
        self.assertTrue(has_database(database))
        self.assert_ok(bench("drop-site", site, *ROOT, "--force", faults=faults))

    def test_with_a_wrong_root_password_leaves_all_as_it_was(self):
        site, database, _done = new_site()
        self.assert_fails(bench("drop-site", site, "--no-backup", "--db-root-password", "wrong"), "1045")
        self.assertTrue(has_database(database))
        self.assertTrue(os.path.isdir(os.path.join(SITES, site)))

    def test_killed_after_the_database_is_finished_by_a_second_run(self):
        site, database, _done = new_site()
        bench("drop-site", site, "--no-backup", *ROOT, faults={"drop-site:after-db": {"do": "kill"}})
        self.assertFalse(has_database(database))
        self.assertTrue(os.path.isdir(os.path.join(SITES, site)))
        self.assert_ok(self.drop(site, "--no-backup"))


if __name__ == "__main__":
    unittest.main()
