"""SELECT statements from the filters, fields and orders that Frappe's callers write."""

import json
import re

import frappe

OPERATORS = {"=", "!=", ">", "<", ">=", "<=", "like", "not like", "in", "not in", "is", "between"}
FIELD = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
COUNT = re.compile(r"^count\((?:\*|`?name`?)\)(?:\s+as\s+`?(\w+)`?)?$", re.I)
ORDER = re.compile(r"^\s*(?:`tab[^`]+`\.)?`?(\w+)`?(?:\s+(asc|desc))?\s*$", re.I)


def select(doctype, fields=None, filters=None, order_by=None, **options):
    """The rows as dicts (or tuples with as_list, or values with pluck)."""
    pluck, as_list = options.get("pluck"), options.get("as_list")
    fields = [pluck] if pluck else _fields(fields)
    if not options.get("internal"):
        _check(doctype, fields, filters)
    conditions, parameters = where(filters, options.get("or_filters"))
    columns = ", ".join(_column(field) for field in fields)
    distinct = "DISTINCT " if options.get("distinct") else ""
    statement = f"SELECT {distinct}{columns} FROM `tab{doctype}`{conditions}"
    statement += _order(order_by) + _limit(options)
    if options.get("for_update"):
        statement += " FOR UPDATE"
    if as_list and not pluck:
        return frappe.db.sql(statement, parameters)
    rows = frappe.db.sql(statement, parameters, as_dict=True)
    return [row[pluck] for row in rows] if pluck else rows


def count(doctype, filters=None):
    conditions, parameters = where(filters)
    return frappe.db.sql(f"SELECT COUNT(*) FROM `tab{doctype}`{conditions}", parameters)[0][0]


def where(filters, or_filters=None):
    """(" WHERE …", parameters) for filters given as a name, a dict or a list of conditions."""
    parts, parameters = _conditions(filters)
    alternatives, more = _conditions(or_filters)
    if alternatives:
        parts.append("(" + " OR ".join(alternatives) + ")")
        parameters += more
    return (" WHERE " + " AND ".join(parts) if parts else ""), tuple(parameters)


def _conditions(filters):
    parts, parameters = [], []
    for field, operator, value in normalised(filters):
        part, values = _condition(field, operator.lower(), value)
        parts.append(part)
        parameters += values
    return parts, parameters


def normalised(filters):
    """Conditions as (field, operator, value), from every form that Frappe takes."""
    if not filters:
        return []
    if isinstance(filters, str):
        if filters[:1] not in "[{":
            return [("name", "=", filters)]
        filters = json.loads(filters)
    if isinstance(filters, dict):
        return [(field, *value) if isinstance(value, (list, tuple)) else (field, "=", value) for field, value in filters.items()]
    if isinstance(filters, (list, tuple)):
        if filters and isinstance(filters[0], str):
            filters = [filters]
        return [_listed(condition) for condition in filters]
    return [("name", "=", filters)]


def _listed(condition):
    if len(condition) == 4:
        return tuple(condition[1:])
    if len(condition) == 2:
        return (condition[0], "=", condition[1])
    return tuple(condition)


def _condition(field, operator, value):
    if operator not in OPERATORS:
        frappe.throw(f"Operator must be one of {', '.join(sorted(OPERATORS))}")
    column = _column(field)
    if operator in ("in", "not in"):
        values = value.split(",") if isinstance(value, str) else list(value)
        marks = ", ".join(["%s"] * len(values)) or "NULL"
        return f"{column} {operator.upper()} ({marks})", values
    if operator == "is":
        empty = f"({column} IS NULL OR {column} = '')"
        return (empty if value == "not set" else f"NOT {empty}"), []
    if operator == "between":
        return f"{column} BETWEEN %s AND %s", list(value)
    if value is None:
        return f"{column} IS {'NOT ' if operator == '!=' else ''}NULL", []
    return f"{column} {operator.upper()} %s", [value]


def _fields(fields):
    if isinstance(fields, str):
        fields = json.loads(fields) if fields.startswith("[") else [part.strip() for part in fields.split(",")]
    return list(fields or ["name"])


def _column(field):
    field = field.strip()
    if field == "*":
        return "*"
    counted = COUNT.match(field)
    if counted:
        return f"COUNT(*) AS `{counted[1] or field}`"
    name = re.sub(r"^`?tab[^`]+`?\.", "", field).strip("`")
    if not FIELD.match(name):
        frappe.throw(f"Illegal SQL Query: {field}", frappe.DataError)
    return f"`{name}`"


def _check(doctype, fields, filters):
    """An unknown field is refused, as Frappe does, before the database can say so."""
    meta = frappe.get_meta(doctype)
    asked = [field for field in fields if field != "*" and not COUNT.match(field)]
    asked += [condition[0] for condition in normalised(filters)]
    for field in asked:
        name = re.sub(r"^`?tab[^`]+`?\.", "", field.strip()).strip("`")
        if FIELD.match(name) and name not in meta.columns():
            frappe.throw(f"Field not permitted in query: {name}", frappe.DataError)


def _order(order_by):
    if not order_by:
        return ""
    parts = []
    for part in order_by.split(","):
        match = ORDER.match(part)
        if not match:
            frappe.throw(f"Invalid Order By: {order_by}", frappe.DataError)
        parts.append(f"`{match[1]}` {(match[2] or 'asc').upper()}")
    return " ORDER BY " + ", ".join(parts)


def _limit(options):
    length = options.get("limit_page_length") or options.get("page_length") or options.get("limit")
    start = options.get("limit_start") or options.get("start") or 0
    return f" LIMIT {int(start)}, {int(length)}" if length else ""
