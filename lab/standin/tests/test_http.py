"""Over HTTP: who is answered, with what status and what body."""

import base64
import json
import os
import shutil
import unittest

from tests.bench import (
    SITES,
    BenchTest,
    Server,
    bench,
    config_of,
    has_database,
    new_site,
    put_user,
    python,
    root_sql,
)

GUEST_METHOD = "/api/method/frappe.auth.get_logged_user"


class HTTP(BenchTest):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.stop)
        cls.site, cls.database, _done = new_site(admin="admin-Pass1")
        cls.token = put_user(cls.site, "operator@saas.local", "key-1", "secret-1")

    def test_answers_ping_to_anybody(self):
        answer = self.server.call(self.site, "/api/method/ping")
        self.assertEqual((answer.status, answer.text), (200, '{"message":"pong"}'))

    def test_takes_the_site_from_the_header_and_else_from_the_host_without_its_port(self):
        by_host = self.server.call(None, "/api/method/ping", X_Frappe_Site_Name="", Host=f"{self.site}:8080")
        self.assertEqual(by_host.status, 200)
        forged = self.server.call("nosuch.localhost", "/api/method/ping", Host=self.site)
        self.assertEqual(forged.status, 404)

    def test_does_not_know_a_site_that_is_not_there(self):
        answer = self.server.call("nosuch.localhost", "/api/method/ping")
        self.assertEqual((answer.status, answer.text), (404, "<p>nosuch.localhost does not exist</p>"))
        self.assertTrue(answer.headers["Content-Type"].startswith("text/html"))

    def test_does_not_know_a_site_that_was_taken_away_under_it(self):
        site, _database, _done = new_site()
        self.assertEqual(self.server.ping(site), 200)
        shutil.move(os.path.join(SITES, site), os.path.join(SITES, "..", site))
        self.assertEqual(self.server.ping(site), 404)

    def test_takes_a_good_token_in_both_forms(self):
        basic = "Basic " + base64.b64encode(self.token.encode()).decode()
        for token in (self.token, basic):
            answer = self.server.logged_in(self.site, token)
            self.assertEqual((answer.status, answer.json["message"]), (200, "operator@saas.local"))

    def test_refuses_every_other_authorization_with_401(self):
        for token in ("key-1:wrong", "nokey:secret-1", "nocolon", "key-1:secret-1:more", "Bearer junk"):
            with self.subTest(token):
                answer = self.server.logged_in(self.site, token)
                self.assertEqual((answer.status, answer.exc_type), (401, "AuthenticationError"))

    def test_refuses_a_guest_what_is_not_whitelisted_for_guests(self):
        answer = self.server.call(self.site, GUEST_METHOD)
        self.assertEqual((answer.status, answer.exc_type), (403, "PermissionError"))
        self.assertIn("not whitelisted", answer.json["exception"])

    def test_tells_errors_in_four_parts(self):
        body = self.server.call(self.site, GUEST_METHOD).json
        self.assertEqual(set(body), {"exception", "exc_type", "exc", "_server_messages"})
        self.assertTrue(json.loads(body["exc"])[0].startswith("Traceback"))
        self.assertIn("not whitelisted", json.loads(json.loads(body["_server_messages"])[0])["message"])

    def test_logs_in_with_a_password(self):
        answer = self.server.login(self.site, "Administrator", "admin-Pass1")
        expected = {"message": "Logged In", "home_page": "/app", "full_name": "Administrator"}
        self.assertEqual((answer.status, answer.json), (200, expected))
        session = answer.headers["Set-Cookie"].partition(";")[0]
        self.assertEqual(self.server.call(self.site, GUEST_METHOD, Cookie=session).json["message"], "Administrator")

    def test_refuses_a_wrong_password_with_a_message(self):
        for user in ("Administrator", "nobody@nowhere.test"):
            answer = self.server.login(self.site, user, "wrong")
            self.assertEqual((answer.status, answer.json["message"]), (401, "Invalid login credentials"))

    def test_logs_in_by_cmd_on_any_path(self):
        for path in ("/", "/login", "/anything", "/api/method/ping"):
            answer = self.server.login(self.site, "Administrator", "admin-Pass1", path=path, cmd="login")
            self.assertEqual((answer.status, answer.json["message"]), (200, "Logged In"), path)

    def test_fails_with_500_on_a_body_that_is_no_json(self):
        answer = self.server.call(self.site, "/api/method/ping", "POST", data="{no")
        self.assertEqual((answer.status, answer.exc_type), (500, "JSONDecodeError"))

    def test_fails_with_500_where_the_database_user_is_broken(self):
        site, database, _done = new_site()
        root_sql("DROP USER %s@'%%'", (database,))
        self.assertTrue(has_database(database))
        self.assertEqual(self.server.ping(site), 500)

    def test_fails_with_500_on_a_configuration_that_is_no_json(self):
        site, _database, _done = new_site()
        with open(os.path.join(SITES, site, "site_config.json"), "w") as file:
            file.write("{")
        answer = self.server.call(site, "/api/method/ping")
        self.assertEqual(answer.status, 500)
        self.assertIn("Internal Server Error", answer.text)

    def test_takes_an_uploaded_file(self):
        body = '--x\r\nContent-Disposition: form-data; name="file"; filename="up.txt"\r\n\r\nhello\r\n--x--\r\n'
        headers = {"Content_Type": "multipart/form-data; boundary=x"}
        answer = self.server.call(self.site, "/api/method/upload_file", "POST", raw=body, token=self.token, **headers)
        self.assertEqual((answer.status, answer.json["message"]["file_url"]), (200, "/files/up.txt"), answer.text)
        with open(os.path.join(SITES, self.site, "public/files/up.txt")) as file:
            self.assertEqual(file.read(), "hello")

    def test_shows_pages_but_no_files(self):
        self.assertEqual(self.server.call(self.site, "/login").status, 200)
        self.assertEqual(self.server.call(self.site, "/app").status, 302)
        self.assertEqual(self.server.call(self.site, "/no/such/page").status, 404)
        with open(os.path.join(SITES, self.site, "public/files/x.txt"), "w") as file:
            file.write("x")
        self.assertEqual(self.server.call(self.site, "/files/x.txt").status, 404)


class Maintenance(BenchTest):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.stop)
        cls.site, _database, _done = new_site()
        cls.token = put_user(cls.site, "operator@saas.local", "key-1", "secret-1")

    def tearDown(self):
        self.assert_ok(bench("--site", self.site, "set-maintenance-mode", "off"))
        self.assertEqual(self.server.ping(self.site), 200)

    def test_stops_everybody_at_once_in_15(self):
        self.assert_ok(bench("--site", self.site, "set-maintenance-mode", "on"))
        self.assertEqual(config_of(self.site)["maintenance_mode"], 1)
        for token in (None, self.token):
            answer = self.server.call(self.site, "/api/method/ping", token=token)
            self.assertEqual((answer.status, answer.exc_type), (503, "SessionStopped"))
            self.assertNotIn("Retry-After", answer.headers)
        page = self.server.call(self.site, "/")
        self.assertEqual(page.status, 503)
        self.assertIn("Updating", page.text)

    def test_may_let_reads_through(self):
        self.assert_ok(bench("--site", self.site, "set-maintenance-mode", "on"))
        self.assert_ok(bench("--site", self.site, "set-config", "allow_reads_during_maintenance", "1"))
        self.assertEqual(self.server.logged_in(self.site, self.token).status, 200)
        note = self.server.call(self.site, "/api/resource/Note", "POST", data={"title": "x"}, token=self.token)
        self.assertEqual((note.status, note.exc_type), (503, "InReadOnlyMode"))
        self.assert_ok(bench("--site", self.site, "set-config", "allow_reads_during_maintenance", "None"))
        self.assertNotIn("allow_reads_during_maintenance", config_of(self.site))


class LockedForPasswords(BenchTest):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.stop)
        cls.site, _database, _done = new_site(admin="admin-Pass1")
        cls.token = put_user(cls.site, "operator@saas.local", "key-1", "secret-1")
        lock = "frappe.db.set_single_value('System Settings', 'disable_user_pass_login', 1); frappe.db.commit()"
        python(lock, cls.site)

    def test_refuses_the_right_password_on_any_path_and_says_why(self):
        words = "Login with username and password is not allowed."
        for path, more in (("/api/method/login", {}), ("/", {"cmd": "login"})):
            answer = self.server.login(self.site, "Administrator", "admin-Pass1", path=path, **more)
            self.assertEqual(answer.status, 401)
            self.assertIn(words, answer.json["exception"])
            self.assertIn(words, answer.json["_server_messages"])

    def test_still_takes_the_token(self):
        self.assertEqual(self.server.logged_in(self.site, self.token).status, 200)

    def test_is_not_locked_by_a_key_of_the_configuration(self):
        site, _database, _done = new_site(admin="admin-Pass1")
        self.assert_ok(bench("--site", site, "set-config", "disable_user_pass_login", "1"))
        self.assertEqual(self.server.login(site, "Administrator", "admin-Pass1").status, 200)

    def test_save_refuses_to_lock_everybody_out(self):
        site, _database, _done = new_site()
        save = "doc = frappe.get_doc('System Settings'); doc.disable_user_pass_login = 1; doc.save()"
        self.assert_fails(python(save, site, check=False), "Please enable atleast one Social Login Key")


class TenantOAuth(BenchTest):
    def test_refuses_every_authorization_that_is_not_bearer(self):
        server = Server()
        self.addCleanup(server.stop)
        site, _database, done = new_site("--install-app", "tenant_oauth_auth")
        self.assert_ok(done)
        token = put_user(site, "operator@saas.local", "key-1", "secret-1")
        self.assertEqual(server.logged_in(site, token).status, 401)
        self.assertEqual(server.ping(site), 200)


class RateLimit(BenchTest):
    def test_is_the_sites_own_and_answers_429_once_used_up(self):
        server = Server()
        self.addCleanup(server.stop)
        site, _database, _done = new_site()
        limit = "{'limit': 0, 'window': 3600}"
        self.assert_ok(bench("--site", site, "set-config", "-p", "rate_limit", limit))
        first = server.call(site, "/api/method/ping")
        self.assertEqual(first.status, 200)
        self.assertEqual(first.headers["X-RateLimit-Limit"], "0")
        self.assertEqual(server.ping(site), 429)


if __name__ == "__main__":
    unittest.main()
