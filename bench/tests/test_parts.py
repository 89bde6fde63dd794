"""The parts that need no bench: input, report, redaction, dates, the child."""

import base64
import contextlib
import datetime
import io
import json
import os
import sys
import tempfile
import time
import types
import unittest
import unittest.mock
import urllib.parse
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE))

import tenant_archive  # noqa: E402
import tenant_child  # noqa: E402
import tenant_frappe  # noqa: E402
import tenant_settings  # noqa: E402
import tenant_site  # noqa: E402
from tenant_failure import ChildFailed, Failure, outside_failure  # noqa: E402
from tenant_input import Secrets  # noqa: E402
from tenant_report import LIMIT, Report, fit, spellings  # noqa: E402


class Clients(unittest.TestCase):
    """What Frappe runs MariaDB's own client with."""

    def setUp(self):
        database = types.ModuleType("frappe.database")
        database.get_command = lambda host=None, user=None, password=None, dump=False: [host, user, password, dump]
        self.database = database
        self.enterContext(unittest.mock.patch.dict(sys.modules, {"frappe": types.ModuleType("frappe"), "frappe.database": database}))
        self.enterContext(unittest.mock.patch.dict(os.environ))
        os.environ.pop("MYSQL_PWD", None)

    def test_the_password_goes_by_the_environment_however_it_is_given(self):
        for number, call in enumerate((lambda run, word: run("h", "u", word, True), lambda run, word: run(host="h", user="u", password=word, dump=True))):
            tenant_frappe.hide_passwords()
            self.assertEqual(call(self.database.get_command, f"hunter{number}"), ["h", "u", None, True])
            self.assertEqual(os.environ["MYSQL_PWD"], f"hunter{number}")

    def test_without_a_password_nothing_is_set(self):
        tenant_frappe.hide_passwords()
        self.assertEqual(self.database.get_command("h"), ["h", None, None, False])
        self.assertNotIn("MYSQL_PWD", os.environ)


class Reports(unittest.TestCase):
    def setUp(self):
        self.enterContext(contextlib.redirect_stdout(io.StringIO()))

    def test_a_long_result_loses_its_oldest_lines_first_and_stays_json(self):
        result = {"ok": False, "message": "short", "tail": [f"line {number} " + "ä" * 100 for number in range(60)], "done": {}}
        line = fit(result)
        kept = json.loads(line)["tail"]
        self.assertLessEqual(len(line.encode()), LIMIT)
        self.assertTrue(kept[-1].startswith("line 59"))

    def test_a_long_message_and_long_facts_are_cut_too(self):
        apps = [{"name": f"app_{number}", "version": "1.2.3"} for number in range(200)]
        line = fit({"ok": False, "message": "m" * 5000, "tail": ["x" * 240] * 20, "done": {"apps": {"apps": apps, "seconds": 1.0}}})
        self.assertLessEqual(len(line.encode()), LIMIT)
        self.assertEqual(json.loads(line)["done"]["apps"], {"seconds": 1.0, "more": True})

    def test_a_secret_is_hidden_in_every_spelling(self):
        report = Report()
        for secret in ("pa\"ss\\wörd'1", "plain-Secret+/=", "line one\nline two", "with spaces & $x"):
            report.hide([secret])
            raw = secret.encode()
            for spelling in (
                secret, json.dumps(secret), json.dumps(secret, ensure_ascii=False), repr(secret), base64.b64encode(raw).decode(),
                base64.urlsafe_b64encode(raw).decode(), urllib.parse.quote(secret), urllib.parse.quote_plus(secret), urllib.parse.quote(secret, safe=""),
            ):  # fmt: skip
                with self.subTest(spelling):
                    hidden = report.redact(f"before {spelling} after")
                    self.assertIn("***", hidden)
                    self.assertTrue(all(piece not in hidden for piece in spellings(secret)))

    def test_secrets_that_are_not_ours_are_hidden_by_their_names(self):
        report = Report()
        for text in (
            '{"db_password": "hunter2"}',
            "{'encryption_key': 'hunter2'}",
            "mariadb --password=hunter2 x",
            "api_secret: hunter2",
            "token = hunter2",
        ):
            self.assertNotIn("hunter2", report.redact(text))

    def test_no_line_is_cut_through_a_secret(self):
        report = Report()
        secret = "s3cr3t" * 10
        report.hide([secret])
        report.fail(Failure("Unexpected", "x", ["y" * 230 + secret]))
        self.assertNotIn("s3cr3t", report._result()["tail"][0])

    def test_the_exit_code_says_whether_the_steps_succeeded(self):
        with tempfile.TemporaryDirectory() as folder:
            os.environ["TENANT_TERMINATION_LOG"] = os.path.join(folder, "log")
            try:
                self.assertEqual(Report().write(), 0)
                report = Report()
                report.fail(Failure("Locked", "x"))
                self.assertEqual(report.write(), 1)
                self.assertEqual(json.loads(Path(folder, "log").read_text())["class"], "Retryable")
            finally:
                del os.environ["TENANT_TERMINATION_LOG"]


class Inputs(unittest.TestCase):
    def test_secrets_are_taken_out_of_the_environment(self):
        environment = {"TENANT_API_KEY": "k", "TENANT_API_SECRET": "s", "TENANT_SITE_CONFIG_3": "v", "PATH": "/bin"}
        secrets = Secrets.take(environment)
        self.assertEqual(environment, {"PATH": "/bin"})
        self.assertIn("k:s", secrets.all())
        self.assertNotIn("'s'", repr(secrets))


class Organizations(unittest.TestCase):
    def test_the_fiscal_year_is_the_one_that_today_is_in(self):
        day = datetime.date
        for start, today, first, last in (
            ("01-01", day(2026, 11, 21), day(2026, 1, 1), day(2026, 12, 31)),
            ("04-01", day(2026, 3, 31), day(2025, 4, 1), day(2026, 3, 31)),
            ("04-01", day(2026, 4, 1), day(2026, 4, 1), day(2027, 3, 31)),
            ("02-29", day(2026, 6, 1), day(2026, 2, 28), day(2027, 2, 27)),
            ("02-29", day(2028, 2, 29), day(2028, 2, 29), day(2029, 2, 27)),
        ):
            with self.subTest(start=start, today=today):
                self.assertEqual(tenant_settings.fiscal_year(start, today), (first, last))

    def test_an_abbreviation_is_the_initials(self):
        self.assertEqual(tenant_settings.abbreviation("Acme Trading GmbH"), "ATG")
        self.assertEqual(tenant_settings.abbreviation("(x)"), "(X)")


class Failures(unittest.TestCase):
    def test_what_is_down_is_told_from_what_is_wrong(self):
        down = 'pymysql.err.OperationalError: (2003, "Can\'t connect to MySQL server")'
        self.assertEqual(outside_failure(down).reason, "DatabaseUnreachable")
        self.assertEqual(outside_failure("redis.exceptions.ConnectionError: Error 111").reason, "RedisUnreachable")
        self.assertIsNone(outside_failure("pymysql.err.OperationalError: (1045, 'Access denied')"))

    def test_every_failure_of_a_child_becomes_one_with_a_reason(self):
        failure = ChildFailed("Exit", "exit code 1", ["last words"]).into("CreateFailed", "new-site failed")
        self.assertEqual((failure.reason, failure.kind, failure.tail), ("CreateFailed", "Retryable", ["last words"]))


def is_running(pid):
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


class Children(unittest.TestCase):
    def test_a_child_answers_and_its_output_is_kept(self):
        result, lines = tenant_child.run(lambda a, b: print("hello") or {"sum": a + b}, (1, 2))
        self.assertEqual((result, lines), ({"sum": 3}, ["hello"]))

    def test_exceptions_exit_codes_and_signals_are_told_apart(self):
        def fails():
            raise ValueError("no")

        for work, kind in (
            (fails, "builtins.ValueError"),
            (lambda: sys.exit(3), "Exit"),
            (lambda: os.kill(os.getpid(), 9), "SIGKILL"),
            (lambda: os._exit(0), "NoAnswer"),
        ):
            with self.assertRaises(ChildFailed) as caught:
                tenant_child.run(work)
            self.assertEqual(caught.exception.kind, kind)
        self.assertIsNone(tenant_child.run(lambda: sys.exit(0))[0])

    def test_much_output_does_not_stop_a_child_and_progress_bars_are_left_out(self):
        def talks():
            for number in range(20000):
                print(f"line {number} " + "x" * 80)
            print("Updating [====    ] 50%\rUpdating [========] 100%\rend")

        _, lines = tenant_child.run(talks)
        self.assertEqual((lines[-1], len(lines)), ("end", tenant_child.TAIL_LINES))

    def test_a_failing_pulse_ends_the_child_and_what_it_started(self):
        def pulse():
            raise Failure("Locked", "lost")

        with tempfile.TemporaryDirectory() as folder:
            note = Path(folder, "pid")

            def work():
                import subprocess

                note.write_text(str(subprocess.Popen(["sleep", "60"]).pid))
                time.sleep(60)

            with self.assertRaises(Failure):
                tenant_child.run(work, pulse=pulse)
            deadline = time.monotonic() + 10
            while is_running(note.read_text()) and time.monotonic() < deadline:
                time.sleep(0.02)
            self.assertFalse(is_running(note.read_text()))

    def test_a_process_left_in_the_background_does_not_hold_the_run_up(self):
        def work():
            import subprocess

            return subprocess.Popen(["sleep", "30"]).pid

        started = time.monotonic()
        pid, _ = tenant_child.run(work)
        os.kill(pid, 9)
        self.assertLess(time.monotonic() - started, 20)

    def test_a_child_has_nothing_to_read_and_no_terminal(self):
        self.assertEqual(tenant_child.run(lambda: sys.stdin.read())[0], "")
        self.assertNotEqual(tenant_child.run(os.getsid, (0,))[0], os.getsid(0))


class Files(unittest.TestCase):
    def test_parts_of_an_archive_are_known_by_name(self):
        names = ("database.sql.gz", "database-enc.sql.gz", "files.tar", "private-files-enc.tgz", "site_config_backup.json")
        self.assertEqual({tenant_archive.part_of(name) for name in names}, set(tenant_archive.PARTS))

    def test_a_config_is_written_whole_or_not_at_all(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "site_config.json")
            tenant_site.write_json(path, {"a": 1}, 0o600)
            with self.assertRaises(TypeError):
                tenant_site.write_json(path, {"a": object()}, 0o600)
            self.assertEqual(tenant_site.read_json(path), {"a": 1})

    def test_the_programs_files_are_few_small_and_flat(self):
        files = list(HERE.glob("*.py"))
        self.assertLess(sum(file.stat().st_size for file in files), 200_000)
        for file in files:
            self.assertLess(len(file.read_text().splitlines()), 300, file.name)
            self.assertTrue(file.name == "main.py" or file.name.startswith(("step_", "tenant_")), file.name)


if __name__ == "__main__":
    unittest.main()
