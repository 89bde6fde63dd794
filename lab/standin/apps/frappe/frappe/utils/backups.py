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


class BackupGenerator:
    """The four files of one backup; their names begin with the site's local time."""

    def __init__(self, backup_path=None, compress_files=False, **paths):
        stamp = frappe.utils.now_datetime().strftime("%Y%m%d_%H%M%S")
        site = re.sub(r"[^A-Za-z0-9]", "_", frappe.local.site)
        folder = backup_path or frappe.get_site_path("private", "backups")
        os.makedirs(folder, exist_ok=True)
        ending = "tgz" if compress_files else "tar"

        def path(option, name):
            return paths.get(option) or os.path.join(folder, f"{stamp}-{site}-{name}")

        self.backup_path_db = path("backup_path_db", "database.sql.gz")
        self.backup_path_files = path("backup_path_files", f"files.{ending}")
        self.backup_path_private_files = path("backup_path_private_files", f"private-files.{ending}")
        self.backup_path_conf = path("backup_path_conf", "site_config_backup.json")
        self.mode = "w:gz" if compress_files else "w"

    def take_dump(self):
        with tempfile.TemporaryFile() as plain:
            setup.run_client("--single-transaction", "--quick", "--lock-tables=false", dump=True, stdout=plain)
            plain.seek(0)
            with gzip.open(self.backup_path_db, "wb", compresslevel=6) as packed:
                shutil.copyfileobj(plain, packed)

    def backup_files(self):
        for path, folder in ((self.backup_path_files, "public"), (self.backup_path_private_files, "private")):
            with tarfile.open(path, self.mode) as tar:
                tar.add(frappe.get_site_path(folder, "files"), f"./{frappe.local.site}/{folder}/files")

    def copy_site_config(self):
        shutil.copyfile(frappe.get_site_path("site_config.json"), self.backup_path_conf)

    def print_summary(self):
        print("Backup Summary for", frappe.local.site, "at", frappe.utils.now())
        made = {
            "Config": self.backup_path_conf,
            "Database": self.backup_path_db,
            "Public": self.backup_path_files,
            "Private": self.backup_path_private_files,
        }
        for what, path in made.items():
            if os.path.exists(path):
                print(f"{what:8}: {path} {os.path.getsize(path) / 1024:.1f}KiB")


def scheduled_backup(older_than=6, ignore_files=False, backup_path=None, ignore_conf=False, compress=False, force=False, **paths):
    """Makes a backup now."""
    backup = BackupGenerator(backup_path, compress, **paths)
    standin.point("backup:start")
    backup.take_dump()
    standin.point("backup:after-dump")
    if not ignore_files:
        backup.backup_files()
    if not ignore_conf:
        backup.copy_site_config()
    standin.point("backup:end")
    return backup


new_backup = scheduled_backup
