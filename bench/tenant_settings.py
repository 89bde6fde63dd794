"""The settings step's work inside a site. Every function here runs in a child and commits by itself."""

import datetime

import tenant_frappe
import tenant_users

SYSTEM, WEBSITE = "System Settings", "Website Settings"
# What a locked site has: people sign in with their provider, programs with a key.
LOCKS = {"disable_user_pass_login": SYSTEM, "disable_signup": WEBSITE}
ADMIN_ROLES = ["System Manager"]


def prepare(site, wizard, organization):
    """What is done once: (whether the wizard had to run, whether it runs on in a worker, the locks that are open)"""
    status = ensure_wizard(site, organization) if wizard else None
    if organization and not wizard:
        regional(site, organization)
    # Anew, so that nothing of this is read from what the process still remembers.
    with tenant_frappe.site(site) as frappe:
        return bool(status), status == "registered", still_open(frappe)


def wizard_is_complete(site):
    with tenant_frappe.site(site) as frappe:
        return is_complete(frappe)


def is_complete(frappe):
    if not hasattr(frappe, "is_setup_complete"):
        return is_set(frappe, SYSTEM, "setup_complete")
    listed = set(frappe.get_all("Installed Application", pluck="app_name"))
    if not listed.issuperset(frappe.get_installed_apps()):
        # Where it counts per app, an app that is not listed would pass for complete; and a new site may
        # list none. Migrate fills the list, in this way.
        frappe.get_single("Installed Applications").update_versions()
        frappe.db.commit()
    return bool(frappe.is_setup_complete())


def seems_complete(frappe):
    """The same without filling anything in; for looking only."""
    if not hasattr(frappe, "is_setup_complete"):
        return is_set(frappe, SYSTEM, "setup_complete")
    return bool(frappe.db.count("Installed Application")) and bool(frappe.is_setup_complete())


def ensure_wizard(site, organization):
    """Runs the wizard unless it is complete: None then, else what it says of itself.

    Its word counts, not a second look: an app may ask for a wizard and have no stage in it."""
    with tenant_frappe.site(site) as frappe:
        if is_complete(frappe):
            return None
    with tenant_frappe.site(site) as frappe:
        from frappe.desk.page.setup_wizard.setup_wizard import setup_complete

        # In this process, so that its end and its errors are seen here.
        frappe.local.conf["trigger_site_setup_in_background"] = 0
        said = setup_complete(wizard_arguments(frappe, organization, datetime.date.today())) or {}
        if said.get("status") == "fail":  # earlier releases say so instead of raising
            raise RuntimeError(said.get("fail") or "the wizard gave no reason")
        frappe.db.commit()
        return said.get("status") or "ok"


def wizard_arguments(frappe, organization, today):
    """What the wizard's pages would send. No e-mail and no password: the admin user is made apart."""
    country = country_name(frappe, organization.get("country") or "US")
    # Asked of Frappe only for what the organization leaves open.
    about = {} if organization.get("timeZone") and organization.get("currency") else country_facts(country)
    language = language_name(frappe, organization.get("language") or "en")
    zones = about.get("timezones") or ["UTC"]
    first, last = fiscal_year(organization.get("fiscalYearStart") or "01-01", today)
    return {
        "language": language,
        "lang": language,
        "country": country,
        "timezone": organization.get("timeZone") or zones[0],
        "currency": organization.get("currency") or about.get("currency") or "USD",
        "company_name": organization["name"],
        "company_abbr": organization.get("abbreviation") or abbreviation(organization["name"]),
        "chart_of_accounts": organization.get("chartOfAccounts") or "Standard",
        "fy_start_date": first.isoformat(),
        "fy_end_date": last.isoformat(),
        "setup_demo": 0,
        "enable_telemetry": 0,
    }


def regional(site, organization):
    """With the wizard skipped: what of the organization the system settings hold."""
    with tenant_frappe.site(site) as frappe:
        settings = frappe.get_single(SYSTEM)
        fields = {
            "country": organization.get("country") and country_name(frappe, organization["country"]),
            "currency": organization.get("currency"),
            "language": organization.get("language") and language_code(frappe, organization["language"]),
            "time_zone": organization.get("timeZone"),
        }
        given = {field: value for field, value in fields.items() if value}
        settings.update(given)
        settings.flags.ignore_mandatory = True
        settings.save(ignore_permissions=True)
        frappe.db.commit()


def country_name(frappe, code):
    """Frappe names countries in English and knows their codes in lower case."""
    found = frappe.db.get_value("Country", {"code": code.lower()}, "name")
    if not found:
        from frappe.geo.country_info import get_all

        found = next((name for name, about in get_all().items() if (about.get("code") or "").lower() == code.lower()), None)
    if not found:
        raise ValueError(f"Frappe knows no country with the code {code}")
    return found


def country_facts(country):
    from frappe.geo.country_info import get_country_info

    return get_country_info(country) or {}


def language_code(frappe, wanted):
    """The language itself, else without its region, else English."""
    for code in (wanted, wanted.split("-")[0], "en"):
        if frappe.db.exists("Language", code):
            return code
    return "en"


def language_name(frappe, wanted):
    return frappe.db.get_value("Language", language_code(frappe, wanted), "language_name") or "English"


def abbreviation(name):
    """The initials, as ERPNext's wizard proposes them."""
    return "".join(word[0] for word in name.split() if word[0].isalnum()).upper()[:10] or name[:3].upper()


def fiscal_year(start, today):
    """The fiscal year that `today` is in, for one that starts on MM-DD."""
    month, day = (int(part) for part in start.split("-"))
    first = on(today.year, month, day)
    if first > today:
        first = on(today.year - 1, month, day)
    return first, on(first.year + 1, month, day) - datetime.timedelta(days=1)


def on(year, month, day):
    try:
        return datetime.date(year, month, day)
    except ValueError:  # 29 February, in a year that has none
        return datetime.date(year, month, 28)


def enforce(site, admin, password, locked, ours, earlier):
    """Scheduler, admin user, lockdown; the names of what had to be changed, and who of `earlier` can still sign in."""
    with tenant_frappe.site(site) as frappe:
        changed = enable_scheduler(frappe)
        if admin:
            changed += ensure_admin(frappe, admin, password)
        fields = turn(frappe, still_open(frappe), 1) if locked else turn(frappe, closed_by_us(frappe, ours), 0)
        still = [email for email in earlier if frappe.db.get_value("User", email, "enabled")]
        return changed + [f"lockdown:{field}" for field in fields], still


def address(admin):
    return (admin.get("email") or "").strip().lower()


def enable_scheduler(frappe):
    from frappe.utils.scheduler import enable_scheduler

    if is_set(frappe, SYSTEM, "enable_scheduler"):
        return []
    enable_scheduler()
    frappe.db.commit()
    return ["scheduler"]


def ensure_admin(frappe, admin, password):
    """The user the customer starts with. Password and names only at creation: they are theirs afterwards."""
    email = address(admin)
    if frappe.db.exists("User", email):
        return restore(frappe, email)
    user = frappe.get_doc({
        "doctype": "User",
        "email": email,
        "first_name": admin.get("firstName") or email.split("@")[0],
        "last_name": admin.get("lastName") or "",
        "user_type": "System User",
        "send_welcome_email": 0,
        "enabled": 1,
        "roles": [{"role": role} for role in ADMIN_ROLES],
        **({"new_password": password} if password else {}),
    })  # fmt: skip
    tenant_users.save(user, made=True)
    frappe.db.commit()
    tenant_users.require(frappe, email, ADMIN_ROLES)
    return ["admin"]


def restore(frappe, email):
    """The admin whom the spec names works: enabled, with the role; what had to be changed. Whoever is to be kept out is taken out of the spec."""
    user = frappe.get_doc("User", email)
    changed = [] if user.enabled else ["admin:enabled"]
    if not tenant_users.roles_of(user).issuperset(ADMIN_ROLES):
        changed.append("admin:roles")
    if changed:
        user.enabled = 1
        user.append_roles(*ADMIN_ROLES)
        tenant_users.save(user)
        frappe.db.commit()
        tenant_users.require(frappe, email, ADMIN_ROLES)
    return changed


def still_open(frappe):
    return [field for field, doctype in LOCKS.items() if not is_set(frappe, doctype, field)]


def closed_by_us(frappe, ours):
    return [field for field in ours if field in LOCKS and is_set(frappe, LOCKS[field], field)]


def is_set(frappe, doctype, field):
    return bool(frappe.utils.cint(frappe.db.get_single_value(doctype, field)))


def turn(frappe, fields, value):
    """Set as single values: saving System Settings would ask for another way to sign in, which lies
    outside this site."""
    for field in fields:
        frappe.db.set_single_value(LOCKS[field], field, value)
    frappe.db.commit()
    return fields
