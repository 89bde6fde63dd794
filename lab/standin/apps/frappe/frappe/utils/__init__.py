"""Small helpers: time as the site tells it, paths of the bench, casts."""

import datetime
import os
import re
import zoneinfo

import frappe

DATETIME_FORMAT = "%Y-%m-%d %H:%M:%S.%f"
DEFAULT_TIME_ZONE = "Asia/Kolkata"


def get_system_timezone():
    """The time zone of System Settings; where there is none, the one that Frappe has from its makers."""
    return frappe.db.get_single_value("System Settings", "time_zone") or DEFAULT_TIME_ZONE


def now_datetime():
    """Naive local time of the site. A time zone that does not exist means UTC, without a word."""
    try:
        zone = zoneinfo.ZoneInfo(_time_zone())
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        zone = datetime.timezone.utc
    return datetime.datetime.now(zone).replace(tzinfo=None)


def _time_zone():
    """Read once per request, and never while the tables are being made."""
    if not getattr(frappe.local, "db", None) or frappe.local.flags.in_install_db:
        return DEFAULT_TIME_ZONE
    zone = frappe.local.flags.time_zone
    if zone is None:
        try:
            zone = frappe.local.flags.time_zone = get_system_timezone()
        except frappe.local.db.ProgrammingError:
            zone = DEFAULT_TIME_ZONE
    return zone


def now():
    return now_datetime().strftime(DATETIME_FORMAT)


def nowdate():
    return now_datetime().date().isoformat()


def get_datetime(value=None):
    return now_datetime() if value is None else datetime.datetime.fromisoformat(str(value))


def cint(value, default=0):
    try:
        return int(float(value))
    except (TypeError, ValueError):
        return default


def cstr(value):
    return "" if value is None else str(value)


def flt(value, precision=None):
    try:
        number = float(value or 0)
    except (TypeError, ValueError):
        return 0.0
    return round(number, precision) if precision is not None else number


def get_bench_path():
    """The bench that this package stands in: <bench>/apps/frappe/frappe."""
    above = os.path.join(os.path.dirname(frappe.__file__), "..", "..", "..")
    return os.environ.get("FRAPPE_BENCH_ROOT") or os.path.realpath(above)


def get_bench_id():
    return frappe.conf.bench_id or get_bench_path().strip("/").replace("/", "-")


def get_site_path(*path):
    return frappe.get_site_path(*path)


def get_site_name(hostname):
    return hostname.split(":", 1)[0]


def get_url(uri=None):
    return f"http://{frappe.local.site}{uri or ''}"


def validate_email_address(email, throw=False):
    from frappe.model.checks import EMAIL

    if EMAIL.match(email or ""):
        return email
    if throw:
        frappe.throw(f"{email} is not a valid Email Address", frappe.InvalidEmailAddressError)
    return ""


def random_string(length):
    return frappe.generate_hash(length=length)


def touch_file(path):
    with open(path, "a"):
        os.utime(path, None)
    return path


def is_valid_site_name(name):
    return bool(re.fullmatch(r"[a-zA-Z0-9._-]+", name))


def get_sites(sites_path=None):
    """The sites of the bench: folders with a configuration."""
    path = sites_path or getattr(frappe.local, "sites_path", None) or "."
    return sorted(name for name in os.listdir(path) if os.path.exists(os.path.join(path, name, "site_config.json")))
