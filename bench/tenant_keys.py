"""The keys, retire and revoke steps' work inside a site. Every function here runs in a child and commits by itself."""

import secrets as random

import tenant_frappe
import tenant_users


class KeyTaken(Exception):
    """Another user has this API key."""


def apply(site, wanted, key, secret):
    """(whether anything had to be changed, whether it reads back, whether Frappe's own check takes it)"""
    email = wanted["user"]
    with tenant_frappe.site(site) as frappe:
        changed = ensure(frappe, email, wanted.get("roles") or [], key, secret)
        if is_enabled(frappe, wanted.get("retired")):
            stop(frappe, wanted["retired"])
            frappe.db.commit()
            changed = True
    # Read back over a connection of its own, from what was committed.
    with tenant_frappe.site(site) as frappe:
        tenant_users.require(frappe, email, wanted.get("roles") or [], only=True)
        holds = frappe.db.get_value("User", email, "api_key") == key and decrypted(email) == secret
        proven = bool(wanted.get("verifyInSite")) and validate(frappe, email, key, secret)
    return changed, holds, proven


def ensure(frappe, email, roles, key, secret):
    """The user, its roles, and the pair; whether anything had to be changed."""
    owner = frappe.db.get_value("User", {"api_key": key}, "name")
    if owner and owner != email:
        raise KeyTaken(owner)
    made = not frappe.db.exists("User", email)
    user = new_user(frappe, email) if made else frappe.get_doc("User", email)
    held = tenant_users.roles_of(user)
    lacking, beyond = [role for role in roles if role not in held], held.difference(roles)
    stale = made or user.api_key != key or decrypted(email) != secret
    if not (stale or lacking or beyond or not user.enabled or tenant_users.profiles_of(user)):
        return False
    tenant_users.drop_profiles(user)
    # These and no others: a role that was taken out of the Bench goes.
    user.set("roles", [row for row in user.get("roles") or [] if row.role in roles])
    for role in lacking:
        user.append("roles", {"role": role})
    user.enabled = 1
    if stale:
        user.api_key, user.api_secret = key, secret
    tenant_users.save(user, made)
    frappe.db.commit()
    return True


def is_enabled(frappe, email):
    return bool(email and frappe.db.get_value("User", email, "enabled"))


def new_user(frappe, email):
    return frappe.get_doc({
        "doctype": "User",
        "email": email,
        "first_name": "Tenant API",
        "user_type": "System User",
        "send_welcome_email": 0,
        "enabled": 1,
    })  # fmt: skip


def decrypted(email):
    """The secret the site has; None if it has none, or none that its encryption key opens."""
    import frappe
    from frappe.utils.password import get_decrypted_password

    if "encryption_key" not in frappe.local.conf:
        return None  # Frappe would make one and write it, only to find that it opens nothing
    try:
        return get_decrypted_password("User", email, "api_secret", raise_exception=False)
    except Exception:  # another key encrypted it: setting it again heals that
        return None


def validate(frappe, email, key, secret):
    """Whether Frappe's own check of a token takes the pair for this user."""
    from frappe.auth import validate_api_key_secret

    # What a request would have brought along.
    frappe.set_user("Guest")
    frappe.local.login_manager = frappe._dict(user="Guest")
    frappe.local.form_dict = frappe._dict()
    try:
        validate_api_key_secret(key, secret)
    except Exception as error:
        print(f"refused: {type(error).__name__}")
        return False
    return frappe.session.user == email


def retire(site, email, other, key, secret):
    """Stops the other user, if this one holds the pair; whether it does."""
    with tenant_frappe.site(site) as frappe:
        found = frappe.db.get_value("User", email, ["api_key", "enabled"])
        if not found or found[0] != key or not found[1] or decrypted(email) != secret:
            return False
        stop(frappe, other)
        frappe.db.commit()
        return True


def revoke(site, emails):
    """Stops all of these users."""
    with tenant_frappe.site(site) as frappe:
        for email in emails:
            stop(frappe, email)
        frappe.db.commit()


def stop(frappe, email):
    """A secret that nobody knows, and the user disabled: Frappe 15 takes a disabled user's token."""
    if not frappe.db.exists("User", email):
        return
    user = frappe.get_doc("User", email)
    user.api_secret = random.token_urlsafe(32)
    user.enabled = 0
    tenant_users.save(user)
