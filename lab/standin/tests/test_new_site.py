"""new-site: what it makes, what it refuses, what it destroys, what a broken run leaves."""

import glob
import json
import os
import signal
import unittest

from tests.bench import (
    ROOT_PASSWORD,
    SCOPE,
    SITES,
    BenchTest,
    Server,
    await_true,
    bench,
    config_of,
    fresh,
    has_database,
    hosts_of,
    new_site,
    python,
    start,
)


class ANewSite(BenchTest):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.stop)

    def test_is_complete_and_says_that_its_scheduler_is_disabled(self):
        site, database, done = new_site("--install-app", "erpnext")
        self.assert_ok(done)
        self.assertTrue(done.stdout.rstrip().endswith("*** Scheduler is disabled ***"))
        self.assertIn("Installing frappe...", done.stdout)
        self.assertEqual(self.server.ping(site), 200)
        apps = self.assert_ok(bench("--site", site, "execute", "frappe.get_installed_apps"))
        self.assertEqual(apps.stdout.strip(), '["frappe", "erpnext"]')
        self.assertEqual(hosts_of(database), ["%"])
        self.assertEqual(config_of(site)["db_name"], database)

    def test_is_refused_where_a_folder_is_even_an_empty_one(self):
        site, database = fresh()
        os.makedirs(os.path.join(SITES, site))
        self.assert_fails(new_site(site=site, database=database)[2], f"Site {site} already exists\n")
        hint = f"Site {site} already exists, use `--force` to proceed anyway"
        self.assert_fails(new_site(site=site, database=database, release="16")[2], hint)
        self.assertEqual(os.listdir(os.path.join(SITES, site)), [])
        self.assertFalse(has_database(database))

    def test_with_force_keeps_the_configuration_and_ignores_other_names(self):
        site, database, done = new_site()
        before = config_of(site)
        done = new_site("--force", "--db-password", "other", site=site, database="t_other_name")[2]
        self.assert_ok(done)
        self.assertEqual(config_of(site), before)
        self.assertFalse(has_database("t_other_name"))
        self.assertEqual(self.server.ping(site), 200)

    def test_takes_a_configuration_written_before_it_as_it_is(self):
        site, database = fresh()
        os.makedirs(os.path.join(SITES, site))
        path = os.path.join(SITES, site, "site_config.json")
        marker = {"id": "7f3a9c1e5b2d4a60", "namespace": "customers", "name": "acme", "cluster": "lab"}
        text = json.dumps({"db_name": database, "db_password": "pw", "db_type": "mariadb", "tenant_operator": marker})
        with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            file.write(text)
        self.assert_ok(new_site("--force", site=site, database=database)[2])
        with open(path) as file:
            self.assertEqual(file.read(), text)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertEqual(self.server.ping(site), 200)

    def test_writes_a_configuration_that_others_may_read(self):
        site = new_site()[0]
        self.assertEqual(os.stat(os.path.join(SITES, site, "site_config.json")).st_mode & 0o777, 0o644)

    def test_without_a_scope_has_a_user_at_the_address_of_the_client_only(self):
        site, database = fresh()
        made = bench("new-site", site, "--db-name", database, "--db-root-password", ROOT_PASSWORD, "--admin-password", "x")
        self.assert_ok(made)
        self.assertEqual(hosts_of(database), ["127.0.0.1"])

    def test_still_takes_no_mariadb_socket_which_16_calls_deprecated(self):
        site, database = fresh()
        options = ["new-site", site, "--db-name", database, "--db-root-password", ROOT_PASSWORD]
        options += ["--admin-password", "x", "--no-mariadb-socket"]
        self.assertIn("DEPRECATED", self.assert_ok(bench(*options, release="16")).stdout)
        self.assertEqual(hosts_of(database), ["%"])

    def test_names_its_database_by_the_path_in_15_and_at_random_in_16(self):
        names = []
        for release in ("15", "16", "16"):
            site, _database = fresh()
            options = ("--db-root-password", ROOT_PASSWORD, "--admin-password", "x", SCOPE)
            self.assert_ok(bench("new-site", site, *options, release=release))
            names.append(config_of(site)["db_name"])
        self.assertRegex(names[0], r"^_[0-9a-f]{16}$")
        self.assertNotEqual(names[1], names[2])

    def test_has_tens_of_tables_and_as_many_more_as_the_bench_asks_for(self):
        count = "print(len(frappe.db.get_tables()))"
        few = int(python(count, new_site()[0]))
        self.assertLess(few, 50)
        self.assert_ok(bench("set-config", "-gp", "standin_tables", "40"))
        self.addCleanup(bench, "set-config", "-g", "standin_tables", "None")
        self.assertEqual(int(python(count, new_site()[0])), few + 40)

    def test_works_with_redis_down(self):
        down = "redis://127.0.0.1:1"
        self.assert_ok(new_site(FRAPPE_REDIS_CACHE=down, FRAPPE_REDIS_QUEUE=down)[2])

    def test_asks_for_root_and_then_twice_for_the_administrator_on_standard_input(self):
        site, database = fresh()
        stdin = f"{ROOT_PASSWORD}\nadmin-1\nadmin-1\n"
        done = self.assert_ok(bench("new-site", site, "--db-name", database, SCOPE, stdin=stdin))
        self.assertIn("echoed", done.stderr)
        self.assertEqual(self.server.login(site, "Administrator", "admin-1").status, 200)

    def test_from_a_dump_has_its_apps_and_its_users_but_a_new_administrator_password(self):
        template = new_site("--install-app", "erpnext", admin="old-Pass1")[0]
        python(
            "frappe.get_doc({'doctype':'User','email':'left@over.test','first_name':'L'}).insert(); frappe.db.commit()", template
        )
        self.assert_ok(bench("--site", template, "backup"))
        dump = glob.glob(os.path.join(SITES, template, "private/backups/*-database.sql.gz"))[0]
        site, _database, done = new_site("--source-sql", dump, admin="new-Pass1")
        self.assert_ok(done)
        self.assertEqual(python("print(frappe.get_installed_apps())", site), "['frappe', 'erpnext']")
        self.assertEqual(python("print(frappe.db.exists('User', 'left@over.test'))", site), "left@over.test")
        self.assertEqual(self.server.login(site, "Administrator", "old-Pass1").status, 401)
        self.assertEqual(self.server.login(site, "Administrator", "new-Pass1").status, 200)


class AForeignDatabase(BenchTest):
    @classmethod
    def setUpClass(cls):
        cls.server, cls.server_16 = Server(), Server("16")
        cls.addClassCleanup(cls.server.stop)
        cls.addClassCleanup(cls.server_16.stop)

    def test_is_refused_by_15_but_the_folder_stays_and_names_it(self):
        owner, database, _done = new_site()
        thief = fresh()[0]
        self.assert_fails(new_site(site=thief, database=database)[2], f"Exception: Database {database} already exists")
        self.assertEqual(config_of(thief)["db_name"], database)
        self.assertEqual(self.server.ping(owner), 200)
        self.assert_fails(new_site(site=thief, database=database)[2], f"Site {thief} already exists")

    def test_is_lost_when_the_folder_that_names_it_is_dropped(self):
        owner, database, _done = new_site()
        thief = fresh()[0]
        new_site(site=thief, database=database)
        self.assert_ok(bench("drop-site", thief, "--force", "--no-backup", "--db-root-password", ROOT_PASSWORD))
        self.assertFalse(has_database(database))
        self.assertEqual(self.server.ping(owner), 500)

    def test_is_destroyed_by_force(self):
        owner, database, _done = new_site()
        python("frappe.db.set_default('mark', 'mine'); frappe.db.commit()", owner)
        self.assert_ok(new_site("--force", site=fresh()[0], database=database)[2])
        self.assertEqual(self.server.ping(owner), 500)

    def test_is_refused_by_16_only_after_its_user_got_a_new_password(self):
        owner, database, _done = new_site(release="16")
        self.assertEqual(self.server_16.ping(owner), 200)
        words = f"Database {database} already exists, please drop it manually or pass `--force`."
        self.assert_fails(new_site(site=fresh()[0], database=database, release="16")[2], words)
        self.assertTrue(has_database(database))
        broken = self.server_16.call(owner, "/api/method/ping")
        self.assertEqual(broken.status, 500)

    def test_in_16_gets_a_second_user_where_the_scope_is_another(self):
        owner, database, _done = new_site(release="16")
        options = ("--db-name", database, "--db-root-password", ROOT_PASSWORD, "--admin-password", "x")
        self.assert_fails(bench("new-site", fresh()[0], *options, release="16"))
        self.assertEqual(hosts_of(database), ["%", "127.0.0.1"])
        self.assertEqual(self.server_16.ping(owner), 500)


class ABrokenRun(BenchTest):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.stop)

    def test_with_a_wrong_root_password_leaves_a_folder_with_a_configuration(self):
        site, database = fresh()
        done = bench("new-site", site, "--db-name", database, "--db-root-password", "wrong", "--admin-password", "x", SCOPE)
        self.assert_fails(done, "pymysql.err.OperationalError: (1045")
        self.assertEqual(config_of(site)["db_name"], database)

    def test_with_the_database_down_leaves_the_same(self):
        site, database, done = new_site(FRAPPE_DB_PORT="1")
        self.assert_fails(done, "2003")
        self.assertEqual(config_of(site)["db_name"], database)

    def test_with_nobody_to_ask_is_aborted(self):
        site, database = fresh()
        self.assert_fails(bench("new-site", site, "--db-name", database, SCOPE), "Aborted!")
        self.assertTrue(os.path.isdir(os.path.join(SITES, site)))

    def test_without_an_administrator_password_looks_whole_and_answers_nobody(self):
        site, database = fresh()
        self.assert_fails(bench("new-site", site, "--db-name", database, SCOPE, stdin=ROOT_PASSWORD + "\n"), "Aborted!")
        self.assertIn("frappe", self.assert_ok(bench("--site", site, "list-apps")).stdout)
        self.assert_ok(bench("--site", site, "migrate"))
        self.assertEqual(python("print(frappe.db.sql('SELECT COUNT(*) FROM `__Auth`')[0][0])", site), "0")
        answer = self.server.call(site, "/api/method/ping")
        self.assertEqual(answer.status, 417)
        self.assertIn("User Guest is disabled", answer.text)

    def test_killed_on_the_way_leaves_a_half_made_site(self):
        site, _database, done = new_site(faults={"new-site:after-schema": {"do": "kill"}})
        self.assertEqual(done.returncode, -signal.SIGKILL)
        self.assertEqual(self.server.ping(site), 417)
        self.assertEqual(self.server.login(site, "Administrator", "x").status, 404)
        listed = self.assert_ok(bench("--site", site, "execute", "frappe.get_installed_apps"))
        self.assertEqual(listed.stdout, "")

    def test_killed_before_the_tables_makes_list_apps_fail(self):
        site, _database, _done = new_site(faults={"new-site:after-db": {"do": "kill"}})
        self.assert_fails(bench("--site", site, "list-apps", "--format", "json"), "doesn't exist")

    def test_is_healed_by_force_or_taken_away_by_drop_site(self):
        for point in ("new-site:after-config", "new-site:after-user", "new-site:after-db", "install-app:tables:frappe"):
            with self.subTest(point):
                site, database, _done = new_site(faults={point: {"do": "kill"}})
                self.assert_ok(new_site("--force", site=site, database=database)[2])
                self.assertEqual(self.server.ping(site), 200)
                site, database, _done = new_site(faults={point: {"do": "kill"}})
                self.assert_ok(bench("drop-site", site, "--no-backup", "--force", "--db-root-password", ROOT_PASSWORD))
                self.assertFalse(has_database(database))

    def test_in_an_app_leaves_a_complete_site_with_the_framework(self):
        site, _database, done = new_site("--install-app", "erpnext", faults={"install-app:before:erpnext": {"do": "fail"}})
        self.assert_fails(done)
        self.assertEqual(self.server.ping(site), 200)
        self.assertEqual(python("print(frappe.get_installed_apps())", site), "['frappe']")


class TwoAtOnce(BenchTest):
    def test_for_one_site_end_with_one_that_already_exists(self):
        site, database = fresh()
        options = ("--db-name", database, "--db-root-password", ROOT_PASSWORD, "--admin-password", "x", SCOPE)
        first = start("new-site", site, *options, faults={"new-site:after-schema": {"do": "slow", "seconds": 2}})
        await_true(lambda: os.path.exists(os.path.join(SITES, site, "locks", "bench_new_site.lock")))
        self.assert_fails(bench("new-site", site, *options), "already exists")
        said, _nothing = first.communicate(timeout=30)
        self.assertEqual(first.returncode, 0, said)

    def test_for_one_site_by_force_end_in_a_misleading_crash_of_the_second(self):
        site, database = fresh()
        options = ("--force", "--db-name", database, "--db-root-password", ROOT_PASSWORD, "--admin-password", "x", SCOPE)
        first = start("new-site", site, *options, faults={"new-site:after-db": {"do": "slow", "seconds": 3}})
        await_true(lambda: has_database(database))
        # However slow the second is.
        os.killpg(first.pid, signal.SIGSTOP)
        second = bench("new-site", site, *options)
        os.killpg(first.pid, signal.SIGCONT)
        self.assert_fails(second)
        self.assertRegex(second.stderr, "Access denied for user|DocType Error Log not found")
        said, _nothing = first.communicate(timeout=30)
        self.assertEqual(first.returncode, 0, said)

    def test_for_two_sites_both_succeed(self):
        runs = []
        for _number in range(2):
            site, database = fresh()
            options = ("--db-name", database, "--db-root-password", ROOT_PASSWORD, "--admin-password", "x", SCOPE)
            runs.append(start("new-site", site, *options))
        for run in runs:
            said, _nothing = run.communicate(timeout=30)
            self.assertEqual(run.returncode, 0, said)


class TheName(BenchTest):
    def test_is_not_checked_in_15_44(self):
        site, _database, done = new_site(site=f"Bad Name {os.getpid()}", release="15.44")
        self.assert_ok(done)
        self.assertTrue(os.path.isdir(os.path.join(SITES, site)))

    def test_is_checked_by_a_pattern_later(self):
        self.assert_fails(new_site(site="Bad Name")[2], "ValueError")
        self.assert_fails(new_site(site="x/../y")[2], "ValueError")

    def test_of_an_app_is_refused_by_16(self):
        self.assert_fails(new_site(site="erpnext", release="16")[2])


if __name__ == "__main__":
    unittest.main()
