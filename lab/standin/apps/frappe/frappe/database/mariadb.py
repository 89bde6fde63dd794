"""Connection to MariaDB with the methods of frappe.db."""

import datetime

import pymysql

import frappe
from frappe.database import query
from frappe.types import _dict

MISSING_TABLE, MISSING_COLUMN, DUPLICATE = 1146, 1054, 1062


class MariaDBDatabase:
    OperationalError = pymysql.err.OperationalError
    InternalError = pymysql.err.InternalError
    ProgrammingError = pymysql.err.ProgrammingError
    IntegrityError = pymysql.err.IntegrityError

    def __init__(self, host=None, port=None, user=None, password=None, name=None, socket=None):
        self.host, self.port, self.user, self.password = host, port, user, password
        self.cur_db_name, self.socket = name, socket
        self._conn = None
        self.read_only = False

    def connect(self):
        """Opens the connection; each site sees its own database only."""
        where = {"unix_socket": self.socket} if self.socket else {"host": self.host, "port": int(self.port)}
        # No user given, a client goes by the name of the system's user: the odd message of a half-made site.
        self._conn = pymysql.connect(
            user=self.user or "frappe",
            password=self.password or "",
            database=self.cur_db_name,
            charset="utf8mb4",
            conv=_conversions(),
            **where,
        )

    def close(self):
        if self._conn:
            self._conn.close()
            self._conn = None

    def sql(self, query, values=(), as_dict=0, as_list=0, pluck=False, debug=0, auto_commit=0, **_options):
        """Runs one statement; rows come as tuples, or as dicts with `as_dict`."""
        if not self._conn:
            self.connect()
        with self._conn.cursor() as cursor:
            cursor.execute(query, values or None)
            rows = cursor.fetchall()
            columns = [column[0] for column in cursor.description or ()]
        if auto_commit:
            self.commit()
        if pluck:
            return [row[0] for row in rows]
        if as_dict:
            return [_dict(zip(columns, row)) for row in rows]
        return [list(row) for row in rows] if as_list else rows

    def multisql(self, sql_dict, values=(), **kwargs):
        return self.sql(sql_dict["mariadb"], values, **kwargs)

    def begin(self):
        self.sql("START TRANSACTION")

    def commit(self):
        if self._conn:
            self._conn.commit()

    def rollback(self, *, save_point=None):
        if save_point:
            self.sql(f"ROLLBACK TO SAVEPOINT `{save_point}`")
        elif self._conn:
            self._conn.rollback()

    def savepoint(self, save_point):
        self.sql(f"SAVEPOINT `{save_point}`")

    # Reading

    def get_value(self, doctype, filters=None, fieldname="name", ignore=None, as_dict=False, **kwargs):
        """One value, or several with a list of fields; None where nothing matches."""
        rows = self.get_values(doctype, filters, fieldname, ignore, as_dict, limit=1, **kwargs)
        if not rows:
            return None
        row = rows[0]
        if isinstance(fieldname, str) and fieldname != "*" and not as_dict:
            return row[0]
        return row

    def get_values(self, doctype, filters=None, fieldname="name", ignore=None, as_dict=False, limit=None, **kwargs):
        if filters is None or filters == doctype:
            return self._get_single_values(doctype, fieldname, as_dict)
        fields = [fieldname] if isinstance(fieldname, str) else list(fieldname)
        options = {name: kwargs[name] for name in ("order_by", "for_update") if kwargs.get(name)}
        try:
            if kwargs.get("pluck"):
                return query.select(doctype, fields=fields, filters=filters, pluck=fields[0], limit=limit, **options)
            return query.select(
                doctype, fields=fields, filters=filters, as_list=not as_dict, limit=limit, internal=True, **options
            )
        except self.ProgrammingError as error:
            if ignore and self.is_table_missing(error):
                return None
            raise

    def _get_single_values(self, doctype, fieldname, as_dict):
        values = self.get_singles_dict(doctype)
        if fieldname == "*":
            return [values]
        names = [fieldname] if isinstance(fieldname, str) else list(fieldname)
        if not any(name in values for name in names):
            return []
        if as_dict:
            return [_dict((name, values.get(name)) for name in names)]
        return [tuple(values.get(name) for name in names)]

    def get_singles_dict(self, doctype, debug=False, cast=False):
        rows = self.sql("SELECT field, value FROM `tabSingles` WHERE doctype=%s", (doctype,))
        values = _dict(rows)
        if cast:
            meta = frappe.get_meta(doctype)
            for name in values:
                values[name] = meta.cast(name, values[name])
        return values

    def get_single_value(self, doctype, fieldname, cache=True):
        rows = self.sql("SELECT value FROM `tabSingles` WHERE doctype=%s AND field=%s", (doctype, fieldname))
        field = frappe.get_meta(doctype).get_field(fieldname)
        if field is None:
            frappe.throw(
                f"Field <strong>{fieldname}</strong> does not exist on <strong>{doctype}</strong>",
                frappe.ValidationError,
            )
        return frappe.get_meta(doctype).cast(fieldname, rows[0][0] if rows else None)

    def exists(self, dt, dn=None, cache=False, **_options):
        """The name of the document, or None."""
        if isinstance(dt, dict):
            filters = dict(dt)
            return self.get_value(filters.pop("doctype"), filters, ignore=True)
        if dn is not None and dt == dn:
            return dn
        return self.get_value(dt, dn if dn is not None else {}, ignore=True)

    def count(self, dt, filters=None, **_options):
        return query.count(dt, filters)

    def table_exists(self, doctype, cached=True):
        return f"tab{doctype}" in self.get_tables()

    def get_tables(self, cached=True):
        return self.sql("SHOW TABLES", pluck=True)

    def has_column(self, doctype, column):
        return column in self.get_table_columns(doctype)

    def get_table_columns(self, doctype):
        return [row[0] for row in self.sql(f"DESCRIBE `tab{doctype}`")]

    # Writing

    def set_value(self, dt, dn, field, val=None, modified=None, modified_by=None, update_modified=True, **_options):
        """Writes past the document's checks; a Single is meant where `dn` is None or the DocType itself."""
        values = field if isinstance(field, dict) else {field: val}
        if dn is None or dn == dt:
            self._set_singles(dt, values)
            return
        if update_modified:
            stamp = {"modified": modified or frappe.utils.now(), "modified_by": modified_by or frappe.session.user}
            values = {**stamp, **values}
        filters = dn if isinstance(dn, (dict, list)) else {"name": dn}
        where, parameters = query.where(filters)
        assigned = ", ".join(f"`{name}`=%s" for name in values)
        self.sql(f"UPDATE `tab{dt}` SET {assigned}{where}", (*values.values(), *parameters))

    def set_single_value(self, doctype, fieldname, value=None, *_args, **_options):
        """Writes one field of a Single, past its checks."""
        self._set_singles(doctype, fieldname if isinstance(fieldname, dict) else {fieldname: value})

    def _set_singles(self, doctype, values):
        if doctype == "System Settings":
            frappe.local.flags.time_zone = None
        stamps = {"modified": frappe.utils.now(), "modified_by": frappe.session.user}
        for name, value in {**values, **stamps}.items():
            self.sql("DELETE FROM `tabSingles` WHERE doctype=%s AND field=%s", (doctype, name))
            self.sql("INSERT INTO `tabSingles` (doctype, field, value) VALUES (%s, %s, %s)", (doctype, name, value))

    def insert_row(self, table, values):
        columns = ", ".join(f"`{name}`" for name in values)
        marks = ", ".join(["%s"] * len(values))
        self.sql(f"INSERT INTO `{table}` ({columns}) VALUES ({marks})", tuple(values.values()))

    def delete(self, doctype, filters=None, **_options):
        where, parameters = query.where(filters or {})
        self.sql(f"DELETE FROM `tab{doctype}`{where}", parameters)

    # Defaults

    def get_global(self, key, user="__global"):
        return self.get_default(key, user)

    def set_global(self, key, val, user="__global"):
        self.set_default(key, val, user)

    def get_default(self, key, parent="__default"):
        rows = self.sql("SELECT defvalue FROM `tabDefaultValue` WHERE defkey=%s AND parent=%s", (key, parent))
        return rows[0][0] if rows else None

    def set_default(self, key, val, parent="__default", parenttype=None):
        self.sql("DELETE FROM `tabDefaultValue` WHERE defkey=%s AND parent=%s", (key, parent))
        row = {"name": frappe.generate_hash(length=10), "parent": parent, "parenttype": parenttype or parent}
        stamps = {"creation": frappe.utils.now(), "modified": frappe.utils.now()}
        self.insert_row("tabDefaultValue", {**row, **stamps, "defkey": key, "defvalue": val})

    # Errors

    @staticmethod
    def is_table_missing(error):
        return bool(error.args) and error.args[0] == MISSING_TABLE

    @staticmethod
    def is_missing_column(error):
        return bool(error.args) and error.args[0] == MISSING_COLUMN

    @staticmethod
    def is_duplicate_entry(error):
        return bool(error.args) and error.args[0] == DUPLICATE

    @staticmethod
    def escape(text, percent=True):
        return "'" + pymysql.converters.escape_string(str(text)) + "'"


def _conversions():
    """As Frappe has it: decimals come as floats, and times of day as intervals."""
    conversions = dict(pymysql.converters.conversions)
    conversions[pymysql.FIELD_TYPE.NEWDECIMAL] = float
    conversions[bool] = lambda value, mapping: str(int(value))
    conversions[datetime.timedelta] = pymysql.converters.escape_timedelta
    return conversions
