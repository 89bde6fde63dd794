"""expire: what is too old goes, and whatever else lies beside it stays."""

import contextlib
import json
import os
import sys
import tempfile
import time
import types
import unittest
import unittest.mock
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import step_expire  # noqa: E402
from tenant_failure import Failure  # noqa: E402
from tenant_input import Input  # noqa: E402
from tests.tenant import SITES, Tenant  # noqa: E402
from tests.test_archive import ArchiveCase  # noqa: E402

ID = "7f3a9c1e5b2d4a60"
DAY = 24 * 3600
NAMES = ("database.sql.gz", "files.tar", "private-files.tar", "site_config_backup.json")


def expire(keep):
    said = []
    given = Input.read({"TENANT_STEP_INPUT": json.dumps({"benchPath": "/bench", "expire": {"keepSeconds": keep}})})
    return step_expire.run(types.SimpleNamespace(given=given, report=types.SimpleNamespace(say=said.append))), said


def aged(path, seconds):
    """The path and all in it, as if nobody had touched it for so long."""
    then = time.time() - seconds
    for each in [*path.rglob("*"), path]:
        os.utime(each, (then, then), follow_symlinks=False)
    return path


class Expiry(unittest.TestCase):
    def setUp(self):
        self.enterContext(contextlib.chdir(self.enterContext(tempfile.TemporaryDirectory())))
        self.root = Path("archived_sites")
        self.root.mkdir()

    def archive(self, age, tenant=ID, name="20261121T080041Z", **changes):
        """An archive of some seconds ago, all of ten bytes a file."""
        folder = self.root / tenant / name
        folder.mkdir(parents=True)
        for file in NAMES:
            (folder / file).write_text("0123456789")
        manifest = {"version": 1, "id": tenant, "site": "api.acme.test", "marker": {"id": tenant, "cluster": "prod"}, "apps": []}
        manifest["files"] = {file: {"bytes": 10, "sha256": "0" * 64} for file in NAMES}
        manifest["createdAt"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - age))
        manifest = {key: value for key, value in {**manifest, **changes}.items() if value is not None}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        return folder

    def test_an_old_archive_goes_and_a_young_one_stays(self):
        old = self.archive(31 * DAY, name="20261001T080041Z")
        young = self.archive(29 * DAY)
        size = sum(file.stat().st_size for file in old.iterdir())
        facts, _ = expire(30 * DAY)
        self.assertEqual(facts, {"expired": 1, "kept": 1, "bytes": size})
        self.assertEqual(list(self.root.rglob("*Z")), [young])
        self.assertEqual(len(list(young.iterdir())), 5)

    def test_the_manifest_tells_the_age_not_the_files(self):
        young = aged(self.archive(60), 400 * DAY)
        old = self.archive(60 * DAY, tenant="0" * 16)
        self.assertEqual(expire(30 * DAY)[0]["expired"], 1)
        self.assertEqual((young.exists(), old.exists()), (True, False))

    def test_a_folder_that_has_become_empty_goes_with_its_last_archive(self):
        self.archive(2 * DAY)
        (self.root / ("0" * 16)).mkdir()
        expire(DAY)
        self.assertEqual(os.listdir(self.root), [])

    def test_what_has_no_valid_manifest_stays_however_old(self):
        broken = {
            "no manifest": lambda folder: (folder / "manifest.json").unlink(),
            "no JSON": lambda folder: (folder / "manifest.json").write_text("{"),
            "not an object": lambda folder: (folder / "manifest.json").write_text("[]"),
            "a link": lambda folder: (folder / "manifest.json").rename("elsewhere") and (folder / "manifest.json").symlink_to(Path("elsewhere").resolve()),
        }
        for what, damage in broken.items():
            with self.subTest(what):
                self.assert_stays(self.archive(60 * DAY, name="20260101T000000Z"), damage)
        for change in (
            {"id": "0" * 16}, {"version": 2}, {"files": None}, {"files": {"database.sql.gz": {}}}, {"createdAt": None},
            {"createdAt": "yesterday"}, {"createdAt": 1}, {"site": None}, {"marker": "x"},
        ):  # fmt: skip
            with self.subTest(change):
                self.assert_stays(self.archive(60 * DAY, name="20260101T000000Z", **change))

    def assert_stays(self, folder, damage=lambda _: None):
        damage(folder)
        facts, said = expire(DAY)
        self.assertEqual(facts, {"expired": 0, "kept": 0, "bytes": 0})
        self.assertIn("no valid manifest", said[0])
        self.assertTrue((folder / "database.sql.gz").exists())
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()

    def test_other_tools_folders_and_other_names_are_not_touched(self):
        whole = self.archive(60 * DAY)
        strangers = ["old.example.com/private", "7F3A9C1E5B2D4A60/x", f"{ID}x/20260101T000000Z", f"{ID}/kept-for-court", f"{ID}/.snapshot"]
        for name in strangers:
            (self.root / name).mkdir(parents=True)
        renamed = self.archive(60 * DAY, tenant="1" * 16)
        renamed = renamed.rename(renamed.with_name("for-the-auditor"))
        (self.root / "notes.txt").write_text("x")
        (self.root / ID / "README").write_text("x")
        aged(self.root, 400 * DAY)
        self.assertEqual(expire(DAY)[0]["expired"], 1)
        self.assertFalse(whole.exists())
        for path in [*(self.root / name for name in strangers), renamed, self.root / "notes.txt", self.root / ID / "README"]:
            self.assertTrue(path.exists(), path)

    def test_links_are_not_followed_and_what_they_lead_to_stays(self):
        outside = Path("outside")
        self.archive(60 * DAY).rename(outside)
        (self.root / ID / "20260101T000000Z").symlink_to(outside.resolve())
        (self.root / ("0" * 16)).symlink_to((self.root / ID).resolve())
        old = self.archive(60 * DAY, tenant="1" * 16)
        (old / "link").symlink_to(outside.resolve())
        self.assertEqual(expire(DAY)[0]["expired"], 1)
        self.assertFalse(old.exists())
        self.assertEqual(len(list(outside.iterdir())), 5)
        self.assertTrue((self.root / ID / "20260101T000000Z").is_symlink())

    def test_a_linked_archive_folder_is_not_entered(self):
        old = self.archive(60 * DAY)
        self.root.rename("elsewhere")
        self.root.symlink_to("elsewhere")
        self.assertEqual(expire(DAY)[0], {"expired": 0, "kept": 0, "bytes": 0})
        self.assertTrue(old.exists())

    def test_half_a_backup_goes_when_it_is_older_than_that_and_than_a_day(self):
        def part(age):
            folder = self.root / ID / ".20261121T080041Z.part"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "database.sql.gz").write_text("half")
            return aged(folder, age)

        for keep, age, stays in ((3600, 7200, True), (3600, 25 * 3600, False), (30 * DAY, 2 * DAY, True), (30 * DAY, 31 * DAY, False)):
            with self.subTest(keep=keep, age=age):
                folder = part(age)
                self.assertEqual(expire(keep)[0]["expired"], 0)
                self.assertEqual(folder.exists(), stays)
        under_way = part(31 * DAY)
        (under_way / "files.tar").write_text("just now")
        expire(30 * DAY)
        self.assertTrue(under_way.exists())

    def test_what_an_interrupted_run_began_to_delete_is_deleted(self):
        going = self.root / ID / ".20261121T080041Z.expired"
        going.mkdir(parents=True)
        (going / "files.tar").write_text("x" * 7)
        self.assertEqual(expire(30 * DAY)[0], {"expired": 0, "kept": 0, "bytes": 7})
        self.assertEqual(os.listdir(self.root), [])

    def test_an_archive_whose_site_is_still_there_is_needed(self):
        folder = self.archive(60 * DAY)
        site = Path("api.acme.test")
        site.mkdir()
        (site / "site_config.json").write_text(json.dumps({"tenant_operator": {"id": ID, "cluster": "prod"}}))
        self.assertEqual(expire(DAY)[0], {"expired": 0, "kept": 1, "bytes": 0})
        (site / "site_config.json").write_text(json.dumps({"tenant_operator": {"id": "0" * 16, "cluster": "prod"}}))
        self.assertEqual(expire(DAY)[0]["expired"], 1)
        self.assertFalse(folder.exists())

    def test_one_that_cannot_be_taken_away_is_reported_and_holds_up_no_other(self):
        stuck, other = self.archive(60 * DAY), self.archive(60 * DAY, tenant="f" * 16)
        remove = step_expire.shutil.rmtree

        def refuse(path):
            if ID in path:
                raise PermissionError("not yours")
            remove(path)

        with unittest.mock.patch.object(step_expire.shutil, "rmtree", refuse), self.assertRaises(Failure) as caught:
            expire(DAY)
        self.assertEqual((caught.exception.reason, caught.exception.kind), ("ExpireFailed", "Retryable"))
        self.assertIn(ID, caught.exception.message)
        self.assertFalse(other.exists())
        # Its name is no archive's any more, and the next run goes on with it.
        self.assertFalse(stuck.exists())
        self.assertEqual(expire(DAY)[0]["expired"], 0)
        self.assertEqual(os.listdir(self.root), [])

    def test_without_archives_there_is_nothing_to_do(self):
        self.root.rmdir()
        self.assertEqual(expire(DAY)[0], {"expired": 0, "kept": 0, "bytes": 0})

    def test_a_time_that_is_no_number_of_seconds_is_bad_input(self):
        for keep in (None, 0, -1, "3600", 1.5, True):
            with self.subTest(keep), self.assertRaises(Failure) as caught:
                expire(keep)
            self.assertEqual(caught.exception.reason, "BadInput")


class ExpiryOnABench(ArchiveCase):
    def test_it_needs_neither_secrets_nor_a_tenant_and_takes_what_archive_made(self):
        tenant = self.made()
        self.assert_ok(tenant.run("archive", "drop"))
        upkeep = Tenant()
        upkeep.input = {"benchPath": upkeep.input["benchPath"], "expire": {"keepSeconds": 3600}}
        upkeep.environment = {}
        found = self.assert_ok(upkeep.run("expire"))["expire"]
        self.assertEqual((found["expired"], self.archive_of(tenant).exists()), (0, True))
        manifest = self.archive_of(tenant) / "manifest.json"
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "createdAt": "2026-01-01T00:00:00Z"}))
        found = self.assert_ok(upkeep.run("expire"))["expire"]
        self.assertEqual((found["expired"], tenant.leftovers()), (1, []))
        self.assertFalse((SITES / "archived_sites" / tenant.id).exists())
