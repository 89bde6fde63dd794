"""What the image adds: nginx as frappe_docker sets it up, the frontend, the Master site."""

import http.client
import json
import os
import signal
import socket
import subprocess
import unittest

from tests.bench import (
    BENCH, ROOT_PASSWORD, SITES, BenchTest, Server, await_true, environment, free_port, fresh, new_site, put_user, python,
)  # fmt: skip

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Program:
    """One program of the image, on a port of its own."""

    def __init__(self, name, port, **variables):
        self.port = port
        command = [os.path.join(HERE, "image", name)]
        self.process = subprocess.Popen(command, env=environment(**variables), stderr=subprocess.DEVNULL)
        await_true(self._answers)

    def _answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)

    def get(self, path, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            return response.status, response.read().decode(), response.headers
        finally:
            connection.close()


class Nginx(BenchTest):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.stop)
        port, folder = free_port(), os.path.join(os.environ["SCRATCH"], "nginx")
        where = {"TEMPORARY": folder, "LISTEN": f"127.0.0.1:{port}", "BACKEND": f"127.0.0.1:{cls.server.port}", "SITES": SITES}
        cls.nginx = Program("nginx-entrypoint", port, **where)
        cls.addClassCleanup(cls.nginx.stop)
        cls.site, cls.other = new_site()[0], new_site()[0]
        for number, name in enumerate((cls.site, cls.other)):
            cls.token = put_user(name, "operator@saas.local", f"key-{number}", "secret")
            for private in (0, 1):
                doc = {"doctype": "File", "file_name": "f.txt", "is_private": private, "content": f"of {name}"}
                python(f"frappe.get_doc({doc!r}).insert(); frappe.db.commit()", name)

    def test_chooses_the_site_by_the_host_whatever_the_client_says(self):
        ping = "/api/method/ping"
        self.assertEqual(self.nginx.get(ping, Host=self.site)[0], 200)
        self.assertEqual(self.nginx.get(ping, Host="nosuch.localhost", X_Frappe_Site_Name=self.site)[0], 404)

    def test_serves_each_sites_own_files(self):
        self.assertEqual(self.nginx.get("/files/f.txt", Host=self.site)[:2], (200, f"of {self.site}"))
        self.assertEqual(self.nginx.get("/files/f.txt", Host=self.other)[:2], (200, f"of {self.other}"))
        self.assertEqual(self.nginx.get("/files/none.txt", Host=self.site)[0], 404)

    def test_serves_private_files_to_those_who_are_logged_in(self):
        self.assertEqual(self.nginx.get("/private/files/f.txt", Host=self.site)[0], 403)
        shown = self.nginx.get("/private/files/f.txt", Host=self.other, Authorization=f"token {self.token}")
        self.assertEqual(shown[:2], (200, f"of {self.other}"))
        self.assertEqual(self.nginx.get(f"/protected/{self.site}/private/files/f.txt", Host=self.site)[0], 404)

    def test_keeps_the_sites_configuration_to_itself(self):
        for path in (f"/{self.site}/site_config.json", "/common_site_config.json", "/files/../../site_config.json"):
            self.assertNotEqual(self.nginx.get(path, Host=self.site)[0], 200)


class Frontend(BenchTest):
    def test_tells_what_it_was_asked(self):
        port = free_port()
        web = Program("nexus-web", port, PORT=str(port))
        self.addCleanup(web.stop)
        status, body, _headers = web.get("/some/path?q=1", Host="acme.example.com", X_Test="yes")
        told = json.loads(body)
        self.assertEqual((status, told["method"], told["path"]), (200, "GET", "/some/path?q=1"))
        self.assertEqual((told["headers"]["Host"], told["headers"]["X-Test"]), ("acme.example.com", "yes"))


class MasterSite(BenchTest):
    def test_is_made_once_with_user_key_and_doctype(self):
        server = Server()
        self.addCleanup(server.stop)
        site = fresh("master")[0]
        example = os.path.join(HERE, "..", "..", "examples", "saas-tenant-doctype.json")
        variables = {
            "MASTER_SITE": site, "DB_ROOT_PASSWORD": ROOT_PASSWORD, "MASTER_API_KEY": "master-key",
            "MASTER_API_SECRET": "master-secret",
            "WEB": f"http://127.0.0.1:{server.port}", "DOCTYPE": example, "SITES": SITES,
        }  # fmt: skip
        command = [os.path.join(BENCH, "env/bin/python"), os.path.join(HERE, "image", "make-master")]
        for _run in range(2):
            done = subprocess.run(command, env=environment(**variables), capture_output=True, text=True, check=False)
            self.assert_ok(done)
            self.assertNotIn("master-secret", done.stdout + done.stderr)
        rows = server.call(site, "/api/resource/SaaS%20Tenant", token="master-key:master-secret")
        self.assertEqual((rows.status, rows.json), (200, {"data": []}))


if __name__ == "__main__":
    unittest.main()
