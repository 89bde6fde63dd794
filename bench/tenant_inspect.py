"""The inspect step's work: facts about a site from its files, then from inside it.

An expectation has the form of the steps' own input: id, marker, site, database.name, apps,
settings (siteConfig, rateLimit, lockdown, admin), keys (user, roles); and `sha256` with any of
apiKey, apiSecret, encryptionKey. A siteConfig entry is compared by `value`, by `sha256`, or, with
neither, by the SHA-256 that the settings step noted in the site itself (a customer's secret may be
weak: its hash must not lie anywhere else). What an expectation does not name is not compared.
"""

import hashlib
import json

import tenant_frappe
import tenant_keys
import tenant_settings
import tenant_suspend
import tenant_users
from tenant_failure import UNREACHABLE


def from_files(site, expected):
    """The folder and its config."""
    if not site.exists():
        return {"site": "Absent"}
    config = site.config() or {}
    if not site.is_own():
        return {"site": "Foreign"}
    if site.state().get("creating"):
        return {"site": "HalfMade"}
    return files_of(site, config, expected)


def files_of(site, config, expected):
    state = site.state()
    facts = {"site": "Present", "database": config.get("db_name") == site.database_name}
    facts["config"] = {name: wanted(config) for name, wanted in config_checks(expected, state.get("sha256") or {})}
    print_of_key = (expected.get("sha256") or {}).get("encryptionKey")
    if print_of_key:
        facts["encryptionKey"] = digest(config.get("encryption_key")) == print_of_key
    if state.get("installing"):
        facts["installing"] = state["installing"]
    if state.get("organization") in ("Complete", "Adopted"):
        facts["setup"] = True  # run once, or not ours to run; an app that asks for a wizard later is the customer's affair
    return facts


def config_checks(expected, noted):
    """(name of the key, a check of the config) for every key we own; `noted` are the hashes of what the site was given as secrets."""
    settings = expected.get("settings") or {}
    checks = [(entry["name"], check_of(entry, noted)) for entry in settings.get("siteConfig") or []]
    rate = settings.get("rateLimit")
    if rate:
        value = {"limit": rate["limitSeconds"], "window": rate["windowSeconds"]}
        checks.append(("rate_limit", check_of({"name": "rate_limit", "value": value})))
    lockdown = settings.get("lockdown") or {}
    if lockdown.get("mode") == "APIOnly" and lockdown.get("oauthProviderURL"):
        checks.append(("oauth_provider_url", check_of({"name": "oauth_provider_url", "value": lockdown["oauthProviderURL"]})))
    checks += tenant_suspend.checks(settings.get("suspend"))
    gone = settings.get("unsetConfig") or []
    return checks + [(name, lambda config, name=name: name not in config) for name in gone]


def check_of(entry, noted=None):
    name = entry["name"]
    if "value" in entry:
        return lambda config: name in config and config[name] == entry["value"]
    wanted = entry.get("sha256") or (noted or {}).get(name)
    return lambda config: name in config and (wanted is None or digest(config[name]) == wanted)


def digest(value):
    return sha256(value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":")))


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def from_sites(expectations):
    """In a child: what each site has inside."""
    return [from_site(expected) for expected in expectations]


def from_site(expected):
    try:
        with tenant_frappe.site(expected["site"]) as frappe:
            return {**general(frappe), **users(frappe, expected)}
    except Exception as error:
        return {"error": type(error).__name__, "outside": outside(error)}


def outside(error):
    """The reason if it is MariaDB or Redis that is down, not this site that is broken."""
    if type(error).__module__.startswith("redis"):
        return "RedisUnreachable"
    unreachable = type(error).__name__ in ("OperationalError", "InterfaceError") and error.args and error.args[0] in UNREACHABLE
    return "DatabaseUnreachable" if unreachable else None


def general(frappe):
    apps = list(frappe.get_installed_apps())
    return {
        "apps": [{"name": app, "version": tenant_frappe.version(app)} for app in apps],
        "locked": not tenant_settings.still_open(frappe),
        "scheduler": tenant_settings.is_set(frappe, tenant_settings.SYSTEM, "enable_scheduler"),
        "setup": tenant_settings.seems_complete(frappe),
    }


def users(frappe, expected):
    facts = {}
    admin = ((expected.get("settings") or {}).get("admin") or {}).get("email")
    if admin:
        facts["admin"] = works(frappe, admin.strip().lower(), tenant_settings.ADMIN_ROLES)
    keys = expected.get("keys") or {}
    prints = expected.get("sha256") or {}
    if keys.get("retired"):
        facts["retired"] = not tenant_keys.is_enabled(frappe, keys["retired"])
    if keys.get("user"):
        email = keys["user"]
        facts["apiUser"] = works(frappe, email, keys.get("roles") or [], only=True)
        if prints.get("apiKey") and prints.get("apiSecret"):
            key, secret = frappe.db.get_value("User", email, "api_key"), tenant_keys.decrypted(email)
            facts["key"] = digest(key or "") == prints["apiKey"] and digest(secret or "") == prints["apiSecret"]
    return facts


def works(frappe, email, roles, only=False):
    """Whether the user is there, as the steps leave it."""
    try:
        return bool(frappe.db.exists("User", email)) and not tenant_users.require(frappe, email, roles, only)
    except tenant_users.NotKept:
        return False


def differences(expected, found):
    """The names of what is not as expected."""
    if found["site"] != "Present":
        return [f"site:{found['site']}"]
    if "error" in found:
        return [f"error:{found['error']}"]
    different = [name for name in ("database", "encryptionKey", "admin", "apiUser", "key", "retired") if found.get(name) is False]
    different += [f"config:{name}" for name, equal in found["config"].items() if not equal]
    installed = {app["name"] for app in found["apps"]}
    different += [f"app:{app}" for app in expected.get("apps") or [] if app not in installed or app == found.get("installing")]
    settings = expected.get("settings") or {}
    if (settings.get("lockdown") or {}).get("mode") == "APIOnly" and not found["locked"]:
        different.append("locked")
    if settings and not found["scheduler"]:
        different.append("scheduler")
    if settings.get("setup") == "Complete" and not found["setup"]:
        different.append("setup")
    return different
