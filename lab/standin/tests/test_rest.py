"""REST on a Master site: the DocType of tenants, its rows, and what goes wrong with them."""

import datetime
import json
import os
import unittest
import urllib.parse

from tests.bench import BenchTest, Server, new_site, put_user

EXAMPLE = os.path.join(os.path.dirname(__file__), "..", "..", "..", "examples", "saas-tenant-doctype.json")
ROWS = "/api/resource/SaaS%20Tenant"


def query(**values):
    return "?" + urllib.parse.urlencode(
        {key: value if isinstance(value, (str, int)) else json.dumps(value) for key, value in values.items()}
    )


class Registry(BenchTest):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.stop)
        cls.site, _database, _done = new_site()
        cls.token = put_user(cls.site, "operator@saas.local", "key-1", "secret-1")
        with open(EXAMPLE) as file:
            cls.doctype = json.load(file)
        cls.before = cls.call(ROWS)
        cls.made = cls.call("/api/resource/DocType", "POST", cls.doctype)
        cls.number = 0

    @classmethod
    def call(cls, path, method="GET", data=None, token="", **headers):
        return cls.server.call(cls.site, path, method, data=data, token=cls.token if token == "" else token, **headers)

    def row(self, **values):
        type(self).number += 1
        made = self.call(ROWS, "POST", {"subdomain": f"row{self.number}", **values})
        self.assertEqual(made.status, 200, made.text)
        return made.json["data"]

    def assert_refused(self, answer, status, exc_type, *words):
        self.assertEqual((answer.status, answer.exc_type), (status, exc_type), answer.text)
        for word in words:
            self.assertIn(word, answer.json["exception"])

    def test_does_not_know_the_doctype_before_it_is_made(self):
        self.assert_refused(self.before, 404, "DoesNotExistError", "DocType SaaS Tenant not found")

    def test_makes_the_doctype_once(self):
        self.assertEqual(self.made.status, 200, self.made.text)
        again = self.call("/api/resource/DocType", "POST", self.doctype)
        self.assert_refused(again, 409, "DuplicateEntryError")

    def test_tells_the_fields_of_the_doctype(self):
        fields = self.call("/api/resource/DocType/SaaS%20Tenant").json["data"]["fields"]
        self.assertEqual([field["fieldname"] for field in fields], [field["fieldname"] for field in self.doctype["fields"]])

    def test_makes_a_row_with_200_and_its_defaults_and_without_what_is_empty(self):
        row = self.row(plan_type="Pro")
        own = {"name", "owner", "creation", "modified", "modified_by", "docstatus", "idx", "doctype"}
        self.assertEqual(set(row), own | {"subdomain", "plan_type", "status"})
        self.assertEqual((row["name"], row["status"], row["docstatus"]), (row["subdomain"], "Provisioning", 0))
        self.assertEqual(row["owner"], "operator@saas.local")

    def test_refuses_what_is_wrong_with_a_row(self):
        taken = self.row()["name"]
        cases = [
            ({"subdomain": taken}, 409, "DuplicateEntryError", ""),
            ({"subdomain": "bad", "status": "Nonsense"}, 417, "ValidationError", "Status cannot be"),
            ({"subdomain": "bad", "admin_email": "no address"}, 417, "InvalidEmailAddressError", "no address"),
            ({"subdomain": "bad", "site_url": "x" * 141}, 417, "CharacterLengthExceededError", "Site URL"),
        ]
        for values, status, exc_type, word in cases:
            with self.subTest(exc_type):
                self.assert_refused(self.call(ROWS, "POST", values), status, exc_type, word)
        self.assertEqual(self.call(ROWS + "/bad").status, 404)

    def test_refuses_a_row_without_a_mandatory_field_by_name(self):
        doctype = {
            "name": "Box", "module": "Custom", "custom": 1, "autoname": "field:title", "permissions": self.doctype["permissions"],
            "fields": [{"fieldname": "title", "fieldtype": "Data"}, {"fieldname": "domain", "fieldtype": "Data", "reqd": 1},
                       {"fieldname": "size", "fieldtype": "Int"}],
        }  # fmt: skip
        self.assertEqual(self.call("/api/resource/DocType", "POST", doctype).status, 200)
        refused = self.call("/api/resource/Box", "POST", {"title": "b2"})
        self.assert_refused(refused, 417, "MandatoryError", "[Box, b2]: domain")
        self.assertEqual(self.call("/api/resource/Box", "POST", {"title": "b2", "domain": "d"}).json["data"]["size"], 0)

    def test_drops_an_unknown_field_without_a_word(self):
        row = self.row(nonsense="x")
        self.assertNotIn("nonsense", row)

    def test_updates_and_stamps_even_what_does_not_differ(self):
        row = self.row(status="Active")
        path = f"{ROWS}/{row['name']}"
        again = self.call(path, "PUT", {"status": "Active"})
        self.assertEqual(again.status, 200)
        self.assertGreater(again.json["data"]["modified"], row["modified"])

    def test_does_not_rename_by_the_naming_field(self):
        row = self.row()
        path = f"{ROWS}/{row['name']}"
        self.assertEqual(self.call(path, "PUT", {"subdomain": "other"}).json["data"]["subdomain"], row["subdomain"])

    def test_refuses_an_update_of_what_has_changed_since(self):
        row = self.row()
        path = f"{ROWS}/{row['name']}"
        fresh = self.call(path, "PUT", {"status": "Active", "modified": row["modified"]})
        self.assertEqual(fresh.status, 200)
        stale = self.call(path, "PUT", {"status": "Failed", "modified": row["modified"]})
        self.assert_refused(stale, 417, "TimestampMismatchError")

    def test_answers_404_for_rows_that_are_not_there_and_for_patch(self):
        for method, data in (("GET", None), ("PUT", {"status": "Active"}), ("DELETE", None)):
            missing = self.call(ROWS + "/nope", method, data)
            self.assert_refused(missing, 404, "DoesNotExistError", "SaaS Tenant nope not found")
        patched = self.call(f"{ROWS}/{self.row()['name']}", "PATCH", {"status": "Active"})
        self.assert_refused(patched, 404, "DoesNotExistError")

    def test_deletes_with_202_and_then_404(self):
        path = f"{ROWS}/{self.row(api_secret='s')['name']}"
        gone = self.call(path, "DELETE")
        self.assertEqual((gone.status, gone.text), (202, '{"data":"ok"}'))
        self.assertEqual(self.call(path, "DELETE").exc_type, "DoesNotExistError")

    def test_lists_names_only_and_twenty_of_them(self):
        for _number in range(25):
            self.row()
        listed = self.call(ROWS).json["data"]
        self.assertEqual((len(listed), set(listed[0])), (20, {"name"}))
        everything = self.call(ROWS + query(limit_page_length=0)).json["data"]
        self.assertGreaterEqual(len(everything), 25)
        page = self.call(ROWS + query(limit_start=20, limit_page_length=3, order_by="creation asc")).json["data"]
        self.assertEqual(len(page), 3)
        counted = self.call("/api/method/frappe.client.get_count" + query(doctype="SaaS Tenant")).json["message"]
        self.assertEqual(counted, len(everything))

    def test_lists_by_filters_fields_and_order(self):
        self.row(status="Failed", plan_type="A")
        self.row(status="Failed", plan_type="B")
        filters = [["status", "in", ["Failed"]]]
        asked = query(fields=["name", "plan_type"], filters=filters, order_by="plan_type desc")
        self.assertEqual([row["plan_type"] for row in self.call(ROWS + asked).json["data"]], ["B", "A"])

    def test_refuses_to_list_an_unknown_field(self):
        self.assert_refused(self.call(ROWS + query(fields=["nonsense"])), 417, "DataError")

    def test_shows_stars_for_a_secret_and_the_secret_only_when_asked(self):
        name = self.row(api_secret="s3cret")["name"]
        filters = [["name", "=", name]]
        self.assertEqual(self.call(f"{ROWS}/{name}").json["data"]["api_secret"], "******")
        self.assertEqual(self.call(ROWS + query(fields=["*"], filters=filters)).json["data"][0]["api_secret"], "******")
        asked = query(doctype="SaaS Tenant", name=name, fieldname="api_secret")
        self.assertEqual(self.call("/api/method/frappe.client.get_password" + asked).json, {"message": "s3cret"})

    def test_writes_stars_back_without_losing_the_secret(self):
        row = self.row(api_secret="s3cret")
        self.call(f"{ROWS}/{row['name']}", "PUT", {"api_secret": "******", "status": "Active"})
        asked = query(doctype="SaaS Tenant", name=row["name"], fieldname="api_secret")
        self.assertEqual(self.call("/api/method/frappe.client.get_password" + asked).json, {"message": "s3cret"})

    def test_stamps_in_the_time_zone_of_the_site_which_is_indias_at_first(self):
        stamp = datetime.datetime.fromisoformat(self.row()["creation"])
        ahead = stamp - datetime.datetime.utcnow()
        self.assertAlmostEqual(ahead.total_seconds(), 5.5 * 3600, delta=60)

    def test_refuses_guests_and_bad_tokens(self):
        self.assert_refused(self.call(ROWS, token=None), 403, "PermissionError")
        self.assert_refused(self.call(ROWS, token="key-1:wrong"), 401, "AuthenticationError")

    def test_refuses_a_user_without_the_role(self):
        token = put_user(self.site, "plain@saas.local", "key-2", "secret-2", role="Desk User")
        self.assert_refused(self.call(ROWS, token=token), 403, "PermissionError")

    def test_speaks_the_second_version_too(self):
        name = self.row()["name"]
        path = "/api/v2/document/SaaS%20Tenant/"
        self.assertEqual(self.call(path + name).json["data"]["name"], name)
        errors = self.call(path + "nope")
        self.assertEqual(errors.status, 404)
        self.assertEqual(errors.json["errors"][0]["type"], "DoesNotExistError")
        self.assertEqual(set(errors.json["errors"][0]) - {"exception"}, {"type", "message", "title", "indicator"})


if __name__ == "__main__":
    unittest.main()
