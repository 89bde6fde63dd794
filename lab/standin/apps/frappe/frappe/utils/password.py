"""Secrets in `__Auth`: login passwords as hashes, others encrypted with the site's own key."""

import base64
import hashlib
import os
import secrets

from cryptography.fernet import Fernet, InvalidToken

import frappe

ROUNDS = 29000


def get_decrypted_password(doctype, name, fieldname="password", raise_exception=True):
    """The secret in clear; None (or an error) where there is none."""
    rows = frappe.db.sql(
        "SELECT password FROM `__Auth` WHERE doctype=%s AND name=%s AND fieldname=%s AND encrypted=1",
        (doctype, name, fieldname),
    )
    if rows and rows[0][0]:
        return decrypt(rows[0][0], key=f"{doctype}.{name}.{fieldname}")
    if raise_exception:
        frappe.throw(f"Password not found for {doctype} {name} {fieldname}", frappe.AuthenticationError)
    return None


def set_encrypted_password(doctype, name, pwd, fieldname="password"):
    _put(doctype, name, fieldname, encrypt(pwd), encrypted=1)


def remove_encrypted_password(doctype, name, fieldname="password"):
    remove_passwords(doctype, name, fieldname)


def remove_passwords(doctype, name, fieldname=None):
    condition = " AND fieldname=%s" if fieldname else ""
    values = (doctype, name, fieldname) if fieldname else (doctype, name)
    frappe.db.sql(f"DELETE FROM `__Auth` WHERE doctype=%s AND name=%s{condition}", values)


def update_password(user, pwd, doctype="User", fieldname="password", logout_all_sessions=False):
    """Sets a login password, as a hash."""
    _put(doctype, user, fieldname, hashed(pwd), encrypted=0)
    if logout_all_sessions:
        frappe.db.sql("DELETE FROM `tabSessions` WHERE user=%s", (user,))


def check_password(user, pwd, doctype="User", fieldname="password", delete_tracker_cache=True):
    """The user's name if the password is right, else AuthenticationError."""
    rows = frappe.db.sql(
        "SELECT name, password FROM `__Auth` WHERE doctype=%s AND name=%s AND fieldname=%s AND encrypted=0",
        (doctype, user, fieldname),
    )
    if not rows or not matches(pwd, rows[0][1]):
        raise frappe.AuthenticationError("Incorrect User or Password")
    return rows[0][0]


def _put(doctype, name, fieldname, value, encrypted):
    frappe.db.sql(
        "INSERT INTO `__Auth` (doctype, name, fieldname, `password`, encrypted) VALUES (%s, %s, %s, %s, %s)"
        " ON DUPLICATE KEY UPDATE `password`=VALUES(`password`), encrypted=VALUES(encrypted)",
        (doctype, name, fieldname, value, encrypted),
    )


# Hashes, in the notation of passlib's pbkdf2_sha256


def hashed(password, salt=None, rounds=ROUNDS):
    salt = salt or secrets.token_bytes(16)
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    return f"$pbkdf2-sha256${rounds}${_adapted(salt)}${_adapted(digest)}"


def matches(password, stored):
    _empty, _name, rounds, salt, _digest = stored.split("$")
    padded = salt.replace(".", "+") + "=" * (-len(salt) % 4)
    return secrets.compare_digest(hashed(password, base64.b64decode(padded), int(rounds)), stored)


def _adapted(raw):
    return base64.b64encode(raw).decode().rstrip("=").replace("+", ".")


# Encryption


def encrypt(txt, encryption_key=None):
    return Fernet(encryption_key or get_encryption_key()).encrypt(txt.encode()).decode()


def decrypt(txt, encryption_key=None, key=None):
    try:
        return Fernet(encryption_key or get_encryption_key()).decrypt(txt.encode()).decode()
    except (InvalidToken, ValueError):
        what = f" key {key}" if key else ""
        frappe.throw(f"Failed to decrypt{what}. Encryption key is invalid! Please check site_config.json", frappe.ValidationError)


def get_encryption_key():
    """The key of the site's configuration as this process knows it.

    Where it knows none it makes one and writes it, over what another process may have written since.
    """
    from frappe.installer import update_site_config

    if "encryption_key" not in frappe.local.conf:
        update_site_config("encryption_key", base64.urlsafe_b64encode(os.urandom(32)).decode())
    return frappe.local.conf["encryption_key"]
