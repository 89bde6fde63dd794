"""A template: the dump of a freshly installed site, and a manifest of what it holds.

It lies on the sites volume, in a folder of the Bench that keeps it, and is named by its content. Whoever
reads one proves it first: a template is only ever a quicker way to what an installation would make.
"""

import gzip
import hashlib
import json
import os
import re
import zlib

from tenant_input import require
from tenant_site import read_json

TEMPLATES = ".tenant-templates"
DUMP, MANIFEST = "database.sql.gz", "manifest.json"
VERSION = 1
# Frappe's own, which every site has.
USERS = ("Administrator", "Guest")

_NAME = re.compile(r"[0-9a-f]{16}\Z")
_TABLE = b"CREATE TABLE "


class Unfit(Exception):
    """Why a template cannot be used: a word for the operator, and some for people."""

    def __init__(self, why, words):
        super().__init__(words)
        self.why = why


def is_name(text):
    return isinstance(text, str) and bool(_NAME.match(text))


def folder_of(owner, name=None):
    """The folder of a Bench's templates, or of one of them."""
    require(is_name(owner), "a template's owner must be 16 hexadecimal digits")
    require(name is None or is_name(name), "a template's name must be 16 hexadecimal digits")
    return os.path.join(TEMPLATES, owner, *([name] if name else []))


def name_of(recipe, image, apps):
    """Templates of the same name hold the same; `apps` as the bench has them, in the order of installation."""
    held = json.dumps([recipe, image, [[app["name"], app["version"]] for app in apps]])
    return hashlib.sha256(held.encode()).hexdigest()[:16]


def manifest_of(folder):
    """The manifest of a template that is there, or Unfit."""
    if not os.path.isdir(folder):
        raise Unfit("Missing", "is not there")
    manifest = read_json(os.path.join(folder, MANIFEST))
    if manifest is None or not is_whole(manifest):
        raise Unfit("Broken", "has no manifest that can be read")
    return manifest


def is_whole(manifest):
    apps, tables, dump = manifest.get("apps"), manifest.get("tables"), (manifest.get("files") or {}).get(DUMP)
    named = isinstance(apps, list) and all(isinstance(app, dict) and isinstance(app.get("name"), str) for app in apps)
    return named and type(tables) is int and isinstance(dump, dict) and isinstance(manifest.get("config"), dict)


def check_current(manifest, recipe, versions):
    """Unfit where it was made otherwise than now, or of other versions than the bench has now."""
    if manifest.get("version") != VERSION or manifest.get("recipe") != recipe:
        raise Unfit("Stale", "was made by another version of the operator")
    for app in manifest["apps"]:
        if versions.get(app["name"]) != app.get("version"):
            raise Unfit("Stale", f"holds {app['name']} {app.get('version')}, the bench has {versions.get(app['name']) or 'none'}")


def unpack(folder, manifest, target=None):
    """Proves the dump, and writes it to `target` as plain SQL. In a child; what is wrong with it, or None.

    What is proven is what was read: the file may be taken away or replaced meanwhile.
    """
    try:
        with open(os.path.join(folder, DUMP), "rb") as file:
            packed = file.read()
        wanted = manifest["files"][DUMP]
        if len(packed) != wanted.get("bytes") or hashlib.sha256(packed).hexdigest() != wanted.get("sha256"):
            return "does not hold its dump as it was written"
        plain = gzip.decompress(packed)
    except (OSError, EOFError, zlib.error) as error:
        return f"cannot be read ({error})"
    tables = plain.startswith(_TABLE) + plain.count(b"\n" + _TABLE)
    if tables != manifest["tables"]:
        return f"has {tables} tables instead of {manifest['tables']}"
    if target:
        with open(target, "wb") as file:
            file.write(plain)
    return None


def purify(source, target, needles):
    """Rewrites a dump without its comments (they name host and database). In a child.

    Answers how many tables it has and the digest of what was written, or which line holds a needle.
    """
    tables, needles = 0, [needle.encode() for needle in needles]
    pack = {"mode": "wb", "compresslevel": 6, "filename": "", "mtime": 0}
    with gzip.open(source) as dump, open(target, "wb") as file, gzip.GzipFile(fileobj=file, **pack) as packed:
        for number, line in enumerate(dump, 1):
            if line.startswith(b"-- ") or line in (b"--\n", b"\n"):
                continue
            if any(needle in line for needle in needles):
                return {"problem": f"line {number} holds a name or a secret of the site that it was made from"}
            tables += line.startswith(_TABLE)
            packed.write(line)
    with open(target, "rb") as file:
        written = file.read()
    return {"tables": tables, "bytes": len(written), "sha256": hashlib.sha256(written).hexdigest()}
