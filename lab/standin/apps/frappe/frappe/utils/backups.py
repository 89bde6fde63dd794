"""Backups: a dump, two archives of files and a copy of the configuration, secrets and all."""

import gzip
import os
import re
import shutil
import tarfile
import tempfile

import frappe
from frappe import standin
from frappe.database import setup


class Backup:
    """The four files of one backup; their names begin with the site's local time."""

    def __init__(self, path=None, compress=False, **paths):
        stamp = frappe.utils.now_datetime().strftime("%Y%m%d_%H%M%S")
        site = re.sub(r"[^A-Za-z0-9]", "_", frappe.local.site)
        folder = path or frappe.get_site_path("private", "backups")
        os.makedirs(folder, exist_ok=True)
        ending = "tgz" if compress else "tar"
        names = {
            "database": "database.sql.gz",
            "files": f"files.{ending}",
            "private_files": f"private-files.{ending}",
            "config": "site_config_backup.json",
        }
        self.mode = "w:gz" if compress else "w"
        self.paths = {
            what: paths.get(what) or os.path.join(folder, f"{stamp}-{site}-{name}") for what, name in names.items()
        }
        self.made = []

    def dump(self):
        target = self.paths["database"]
        with tempfile.TemporaryFile() as plain:
            setup.run_client("mariadb-dump", "--single-transaction", "--quick", "--lock-tables=false", stdout=plain)
            plain.seek(0)
            with gzip.open(target, "wb", compresslevel=6) as packed:
                shutil.copyfileobj(plain, packed)
        self.made.append("database")

    def archive_files(self):
        for what, folder in (("files", "public"), ("private_files", "private")):
            with tarfile.open(self.paths[what], self.mode) as tar:
                tar.add(frappe.get_site_path(folder, "files"), f"./{frappe.local.site}/{folder}/files")
            self.made.append(what)

    def copy_config(self):
        shutil.copyfile(frappe.get_site_path("site_config.json"), self.paths["config"])
        self.made.append("config")

    def print_summary(self):
        print("Backup Summary for", frappe.local.site, "at", frappe.utils.now())
        for what in self.made:
            size = os.path.getsize(self.paths[what]) / 1024
            print(f"{what.replace('_', ' ').title():14}: {self.paths[what]} {size:.1f}KiB")


def scheduled_backup(ignore_files=False, path=None, compress=False, **paths):
    """Makes a backup now."""
    backup = Backup(path, compress, **paths)
    standin.point("backup:start")
    backup.dump()
    standin.point("backup:after-dump")
    if not ignore_files:
        backup.archive_files()
    backup.copy_config()
    standin.point("backup:end")
    return backup
