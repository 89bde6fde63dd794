"""What no template may hold is taken out, or makes no template."""

import contextlib
import sys
import types
from pathlib import Path

from tests.template import TemplateCase, tearDownModule  # noqa: F401
from tests.tenant import SITES, rows

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


class Sanitising(TemplateCase):
    """On a site that holds what no template may: as if its apps had left it."""

    def setUp(self):
        super().setUp()
        import tenant_sanitise
        from tenant_failure import Failure
        from tenant_site import Site

        self.enterContext(contextlib.chdir(SITES))
        self.sanitise, self.failure = tenant_sanitise, Failure
        self.site = self.tenant(apps=[])
        self.assert_ok(self.site.run("create"))
        database = types.SimpleNamespace(rows=lambda query, *values: rows(query, *values))
        self.run_ = types.SimpleNamespace(site=Site.of(self.site.input), database=database)

    def refused(self, reason, work):
        with self.assertRaises(self.failure) as caught:
            work(self.run_)
        self.assertEqual(caught.exception.reason, reason)
        return caught.exception

    def test_passwords_sessions_logs_and_ids_are_taken_out(self):
        query = self.site.query
        query("INSERT INTO tabSessions (sid, user) VALUES ('s1', 'Administrator')")
        query("INSERT INTO `tabError Log` (name, error) VALUES ('e1', 'at /home/somebody')")
        query("INSERT INTO tabSingles (doctype, field, value) VALUES ('Website Settings', 'telemetry_id', 'abc'), ('X Settings', 'site_uuid', 'abc')")
        query("INSERT INTO tabSingles (doctype, field, value) VALUES ('X Settings', 'website_id', 'kept')")
        query("UPDATE tabUser SET last_ip = '10.0.0.1', api_key = 'k', last_login = NOW() WHERE name = 'Administrator'")
        self.sanitise.clean(self.run_)
        for table in ("__Auth", "tabSessions", "`tabError Log`"):
            self.assertEqual(query(f"SELECT 1 FROM {table}"), [], table)
        left = query("SELECT field FROM tabSingles WHERE field LIKE '%%id'")
        self.assertEqual(left, [("website_id",)])
        self.assertEqual(query("SELECT DISTINCT last_ip, api_key, last_login FROM tabUser"), [(None, None, None)])

    def test_a_user_too_many_a_file_or_a_secret_in_the_config_makes_no_template(self):
        self.site.query("INSERT INTO tabUser (name, email) VALUES ('agent@app.test', 'agent@app.test')")
        self.assertIn("agent@app.test", self.refused("TemplateNotClean", self.sanitise.clean).message)
        self.site.query("DELETE FROM tabUser WHERE name = 'agent@app.test'")
        self.sanitise.clean(self.run_)
        (self.site.folder / "private/files/logo.png").write_text("x")
        self.refused("TemplateNotClean", self.sanitise.prove)
        (self.site.folder / "private/files/logo.png").unlink()
        self.assertEqual(self.sanitise.config_of(self.run_), {})
        self.site.write_config(limit=5)
        self.assertEqual(self.sanitise.config_of(self.run_), {"limit": 5})
        self.site.write_config(push_private_key="x")
        self.refused("TemplateNotClean", self.sanitise.config_of)

    def test_an_app_that_lets_other_programs_in_makes_no_template(self):
        self.site.query("CREATE TABLE `tabOAuth Client` (name VARCHAR(140), client_secret TEXT)")
        self.sanitise.clean(self.run_)
        self.site.query("INSERT INTO `tabOAuth Client` VALUES ('one', 'secret')")
        self.assertIn("OAuth Client", self.refused("TemplateNotClean", self.sanitise.clean).message)

    def test_a_session_that_comes_meanwhile_is_seen(self):
        self.sanitise.clean(self.run_)
        self.site.query("INSERT INTO tabSessions (sid, user) VALUES ('s1', 'Guest')")
        self.refused("TemplateFailed", self.sanitise.prove)
