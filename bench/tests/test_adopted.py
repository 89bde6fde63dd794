"""What a site that somebody else made is held to: one encryption key, and the database server that it is really on."""

import base64
import os
import pathlib
import secrets
import subprocess
import tempfile

import pymysql

from tests.tenant import bench, rows
from tests.test_adopt import AdoptCase

SCRATCH = pathlib.Path(__file__).resolve().parents[2] / "lab/standin/scratch"


class OneKey(AdoptCase):
    SECRET = "from frappe.utils.password import set_encrypted_password\nset_encrypted_password('Email Account', 'Sales', 'x', 'password')"

    def test_a_site_that_has_a_key_keeps_it(self):
        tenant = self.stranger()
        tenant.execute(self.SECRET)
        key = tenant.config()["encryption_key"]
        self.assert_ok(tenant.run("adopt"))
        self.assertEqual((tenant.config()["encryption_key"], tenant.state()), (key, {"organization": "Adopted"}))

    def test_one_that_has_none_is_told_so_and_gets_one_that_all_later_steps_use(self):
        tenant = self.stranger()
        self.assertIn("encryption_key", " ".join(self.assert_ok(tenant.run("report"))["report"]["changes"]))
        self.assertNotIn("encryption_key", tenant.config())
        tenant = self.taken_over()
        key = tenant.config()["encryption_key"]
        self.assert_ok(tenant.run("create", "apps", "settings", "keys"))
        self.assertEqual(tenant.config()["encryption_key"], key)
        self.assertEqual(self.assert_ok(tenant.run("keys"))["keys"]["changed"], False)

    def test_a_worker_that_makes_another_meanwhile_is_waited_for_and_its_key_is_the_one(self):
        tenant = self.stranger()
        tenant.input["configCacheSeconds"] = 3
        running = tenant.start("adopt")
        running.await_output("waiting")
        ours = tenant.config()["encryption_key"]
        theirs = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        tenant.write_config(encryption_key=theirs)
        running.await_output("waiting")  # for those who have read ours
        tenant.input["database"]["name"] = self.assert_ok(running.end())["adopt"]["database"]
        self.assertEqual(tenant.config()["encryption_key"], theirs)
        self.assertEqual(tenant.state(), {"organization": "Adopted", "replaced_keys": [ours]})
        self.assert_ok(tenant.run("create", "keys"))
        self.assertEqual(tenant.config()["encryption_key"], theirs)

    def test_a_wait_that_was_cut_short_is_taken_up_again(self):
        tenant = self.stranger()
        tenant.input["configCacheSeconds"] = 5
        running = tenant.start("adopt")
        running.await_output("waiting")
        running.kill()
        key = tenant.config()["encryption_key"]
        result = tenant.run("adopt")
        self.assert_ok(result)
        self.assertIn("waiting", result.output)
        self.assertEqual((tenant.config()["encryption_key"], tenant.state()), (key, {"organization": "Adopted"}))

    def test_a_key_that_was_lost_is_asked_for_and_none_is_put_in_its_place(self):
        tenant = self.stranger()
        tenant.execute(self.SECRET)
        tenant.write_config(encryption_key=None)
        before = tenant.config()
        for step in ("report", "adopt"):
            result = tenant.run(step)
            self.assert_failed(result, "EncryptionKeyLost")
            self.assertIn("get_encryption_key", result.message)
            self.assert_untouched(tenant, before)
        # As the message says, where it is lost for good.
        bench("--site", tenant.site, "execute", "frappe.utils.password.get_encryption_key")
        key = tenant.config()["encryption_key"]
        self.assert_ok(tenant.run("adopt"))
        self.assertEqual(tenant.config()["encryption_key"], key)

    def test_a_key_that_is_lost_later_is_made_again_only_where_it_opened_nothing_but_ours(self):
        tenant = self.taken_over()
        self.assert_ok(tenant.run("create", "settings", "keys"))
        tenant.write_config(encryption_key=None)
        self.assertEqual(self.assert_ok(tenant.run("create"))["create"]["repaired"], ["encryption_key"])
        self.assertEqual(self.assert_ok(tenant.run("keys"))["keys"]["proven"], True)
        tenant.execute(self.SECRET)
        tenant.write_config(encryption_key=None)
        self.assert_failed(tenant.run("create"), "EncryptionKeyLost")


class OtherServer(AdoptCase):
    """A second MariaDB, with a database and a user of the same name and password."""

    def elsewhere(self, tenant):
        folder = tempfile.mkdtemp()
        self.addCleanup(subprocess.run, [SCRATCH, "down", folder], check=True)
        subprocess.run([SCRATCH, "up", folder], check=True, capture_output=True)
        lines = pathlib.Path(folder, "env").read_text().split()
        there = dict(line.split("=", 1) for line in lines if "=" in line)
        connection = pymysql.connect(host="127.0.0.1", port=int(there["DB_PORT"]), user="root", password=there["DB_ROOT_PASSWORD"], autocommit=True)
        with connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE `{tenant.database}`")
            cursor.execute("CREATE USER %s@'%%' IDENTIFIED BY %s", (tenant.database, tenant.config()["db_password"]))
            cursor.execute(f"GRANT ALL ON `{tenant.database}`.* TO %s@'%%'", (tenant.database,))
        return int(there["DB_PORT"])

    def assert_kept(self, tenant):
        self.assertEqual(rows("SHOW DATABASES LIKE %s", tenant.database), [(tenant.database,)])
        self.assertTrue(tenant.folder.exists())

    def test_a_site_on_another_server_is_neither_taken_over_nor_dropped(self):
        tenant = self.stranger()
        port, fresh = self.elsewhere(tenant), tenant.config()
        tenant.write_config(db_port=port)
        before = tenant.config()
        for step in ("report", "adopt"):
            result = tenant.run(step)
            self.assert_failed(result, "OtherDatabaseServer")
            for words in (f"127.0.0.1:{port}", f"127.0.0.1:{os.environ['DB_PORT']}", "db_port", "database.host"):
                self.assertIn(words, result.message)
            self.assert_untouched(tenant, before)
        tenant.write_config(**fresh, db_port=None)
        tenant.input["database"]["name"] = self.assert_ok(tenant.run("adopt"))["adopt"]["database"]
        tenant.input["expectSite"] = True
        tenant.write_config(db_port=port)
        self.assert_failed(tenant.run("drop"), "OtherDatabaseServer")
        # Nor by the name alone, where its user is refused there.
        tenant.write_config(db_password="another")
        result = tenant.run("drop")
        self.assert_failed(result, "DatabaseDenied")
        self.assertIn("deletionPolicy: Retain", result.message)
        self.assert_kept(tenant)
        tenant.write_config(db_port=None)
        self.assertTrue(self.assert_ok(tenant.run("drop"))["drop"]["dropped"], "refused, but at the very address of the Bench")

    def test_the_same_server_by_another_name_is_the_same(self):
        tenant = self.stranger()
        tenant.write_config(db_host="localhost")
        self.assertTrue(self.assert_ok(tenant.run("adopt"))["adopt"]["adopted"])

    def test_a_site_whose_own_user_is_refused_or_whose_server_is_away_is_not_taken_over(self):
        tenant = self.stranger()
        right = tenant.config()
        for changes, reason, words in (({"db_password": "wrong"}, "DatabaseDenied", "db_password"), ({"db_port": 1}, "DatabaseUnreachable", "127.0.0.1:1")):
            tenant.write_config(**changes)
            before = tenant.config()
            result = tenant.run("adopt")
            self.assert_failed(result, reason)
            self.assertIn(words, result.message)
            self.assert_untouched(tenant, before)
            tenant.write_config(**right)

    def test_a_drop_that_was_cut_short_between_database_and_folder_is_finished(self):
        tenant = self.taken_over()
        tenant.write_config(db_host="localhost")
        rows(f"DROP DATABASE `{tenant.database}`")
        for (host,) in rows("SELECT Host FROM mysql.user WHERE User = %s", tenant.database):
            rows("DROP USER %s@%s", tenant.database, host)
        self.assert_ok(tenant.run("drop"))
        self.assertFalse(tenant.folder.exists())
