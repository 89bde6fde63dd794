"""What installing the framework itself leaves in a site."""

import frappe
from frappe.geo import country_info
from frappe.model import standard
from frappe.model.meta import Meta

ROLES = ("Administrator", "System Manager", "Guest", "All", "Desk User", "Website Manager", "Script Manager")
MODULES = ("Core", "Custom", "Desk", "Email", "Geo", "Integrations", "Website")
LANGUAGES = {
    "en": "English", "de": "Deutsch", "es": "Español", "fr": "Français", "hi": "हिंदी", "it": "Italiano", "nl": "Nederlands",
    "pl": "Polski", "pt": "Português", "tr": "Türkçe", "zh": "简体中文",
}  # fmt: skip
BASE_TABLES = (
    "CREATE TABLE `__Auth` (`doctype` varchar(140) NOT NULL, `name` varchar(255) NOT NULL,"
    " `fieldname` varchar(140) NOT NULL, `password` text NOT NULL, `encrypted` int(1) NOT NULL DEFAULT 0,"
    " PRIMARY KEY (`doctype`, `name`, `fieldname`)) ENGINE=InnoDB CHARACTER SET=utf8mb4",
    "CREATE TABLE `tabSingles` (`doctype` varchar(255), `field` varchar(255), `value` longtext,"
    " KEY `singles_doctype_field` (`doctype`, `field`)) ENGINE=InnoDB CHARACTER SET=utf8mb4",
    "CREATE TABLE `tabDefaultValue` (`name` varchar(255) NOT NULL PRIMARY KEY, `creation` datetime(6),"
    " `modified` datetime(6), `parent` varchar(255), `parenttype` varchar(255), `defkey` varchar(255),"
    " `defvalue` text, KEY `parent` (`parent`, `defkey`)) ENGINE=InnoDB CHARACTER SET=utf8mb4",
    "CREATE TABLE `tabSessions` (`sid` varchar(255) PRIMARY KEY, `user` varchar(255), `sessiondata` longtext,"
    " `ipaddress` varchar(16), `lastupdate` datetime(6), `status` varchar(20))"
    " ENGINE=InnoDB CHARACTER SET=utf8mb4",
)


def framework_sql():
    """What a new database gets before anything is installed: as with Frappe, fed to MariaDB's own client."""
    return ";\n".join((*BASE_TABLES, *_tables("frappe"), *_fillers())) + ";\n"


def _fillers():
    """A real site has hundreds of tables; `standin_tables` in the bench's configuration asks for that many empty ones."""
    for number in range(int(frappe.conf.standin_tables or 0)):
        yield f"CREATE TABLE `tabStand-in Filler {number}` (`name` varchar(140) PRIMARY KEY) ENGINE=InnoDB"


def _tables(app):
    for one in standard.of_app(app):
        if not one.row.issingle:
            yield Meta(one.row, one.fields, one.permissions).create_table()


def make_tables():
    """The framework's tables came with the new database; here they are told to the site."""
    register_doctypes("frappe")
    for name in MODULES:
        put({"doctype": "Module Def", "name": name, "module_name": name, "app_name": "frappe"})


def make_app_tables(app):
    for statement in _tables(app):
        frappe.db.sql(statement.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1))
    register_doctypes(app)


def register_doctypes(app):
    for one in standard.of_app(app):
        row = one.row
        values = {key: row.get(key) or 0 for key in ("custom", "istable", "issingle")}
        put({"doctype": "DocType", "name": row.name, "module": row.module, "autoname": row.autoname, **values})


def put(values):
    """A row straight into its table, once."""
    row = dict(values)
    doctype, now = row.pop("doctype"), frappe.utils.now()
    if frappe.db.exists(doctype, row["name"]):
        return
    stamps = {"creation": now, "modified": now, "owner": "Administrator", "modified_by": "Administrator"}
    frappe.db.insert_row(f"tab{doctype}", {**stamps, **row})


def after_install():
    """The users, roles and lists that each site begins with, and the Administrator's password."""
    from frappe.utils.password import update_password

    _users_and_roles()
    _lists()
    frappe.db.set_default("desktop:home_page", "setup-wizard")
    settings = {
        "setup_complete": 0, "enable_scheduler": 0, "time_zone": frappe.utils.DEFAULT_TIME_ZONE, "language": "en",
        "enable_password_policy": 1, "minimum_password_score": "2", "disable_user_pass_login": 0, "session_expiry": "170:00",
    }  # fmt: skip
    for name, value in settings.items():
        frappe.db.set_single_value("System Settings", name, value)
    update_password("Administrator", admin_password())
    if frappe.conf.skip_setup_wizard:
        frappe.db.set_single_value("System Settings", "setup_complete", 1)
        frappe.db.set_default("desktop:home_page", "workspace")


def admin_password():
    """The configuration's wins; nobody having given one, it is asked for, twice."""
    from frappe.database.setup import ask

    if frappe.conf.admin_password:
        return frappe.conf.admin_password
    password = ask("Set Administrator password")
    if password != ask("Re-enter Administrator password"):
        print("\nPasswords do not match")
        raise SystemExit(1)
    return password


def _users_and_roles():
    for role in ROLES:
        put({"doctype": "Role", "name": role, "role_name": role, "desk_access": int(role not in ("Guest", "All"))})
    for name, email in (("Administrator", "admin@example.com"), ("Guest", "guest@example.com")):
        put({"doctype": "User", "name": name, "email": email, "first_name": name, "full_name": name, "enabled": 1})
    for index, role in enumerate(("Administrator", "System Manager"), 1):
        parent = {"parent": "Administrator", "parenttype": "User", "parentfield": "roles", "idx": index}
        put({"doctype": "Has Role", "name": frappe.generate_hash(length=10), "role": role, **parent})


def _lists():
    """Countries, currencies and languages; in one statement each, for there are many."""
    countries = country_info.get_all()
    rows = [(name, name, about["code"], "\n".join(about["timezones"]), about["date_format"]) for name, about in countries.items()]
    put_all("Country", ("name", "country_name", "code", "time_zones", "date_format"), rows)
    currencies = sorted({about["currency"] for about in countries.values() if "currency" in about})
    rows = [(name, name, country_info.SYMBOLS.get(name, name), 1) for name in currencies]
    put_all("Currency", ("name", "currency_name", "symbol", "enabled"), rows)
    rows = [(code, code, language, 1) for code, language in LANGUAGES.items()]
    put_all("Language", ("name", "language_code", "language_name", "enabled"), rows)


def put_all(doctype, columns, rows):
    now = frappe.utils.now()
    names = ", ".join(f"`{column}`" for column in (*columns, "creation", "modified", "owner", "modified_by"))
    marks = "(" + ", ".join(["%s"] * (len(columns) + 4)) + ")"
    values = [value for row in rows for value in (*row, now, now, "Administrator", "Administrator")]
    statement = f"INSERT IGNORE INTO `tab{doctype}` ({names}) VALUES " + ", ".join([marks] * len(rows))
    frappe.db.sql(statement, tuple(values))
