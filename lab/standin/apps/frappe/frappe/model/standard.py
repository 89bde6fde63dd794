"""The DocTypes that the stand-in brings: the few of the hundreds that an operator of benches touches."""

import importlib

from frappe.types import _dict

APPS_WITH_DOCTYPES = ("frappe", "erpnext", "hrms")


def field(fieldname, fieldtype="Data", options=None, **flags):
    label = flags.pop("label", fieldname.replace("_", " ").title())
    return _dict(fieldname=fieldname, fieldtype=fieldtype, options=options, label=label, **flags)


def fields(text):
    """Fields as lines of `fieldname Type/Options flag flag=value`; underscores in a type stand for spaces."""
    return [_parsed(line.split()) for line in text.strip().splitlines()]


def _parsed(words):
    name, (kind, _slash, options) = words[0], (words[1] if len(words) > 1 else "Data").partition("/")
    flags = {}
    for word in words[2:]:
        key, equals, value = word.partition("=")
        flags[key] = value.replace("_", " ") if equals else 1
    options = options.replace("_", " ").replace("|", "\n")
    return field(name, kind.replace("_", " "), options or None, **flags)


def doctype(name, module, text, readers=("System Manager",), writers=("System Manager",), **row):
    permissions = [_rights(role, write=role in writers) for role in dict.fromkeys((*readers, *writers))]
    return _dict(
        row=_dict(name=name, module=module, custom=0, **row),
        fields=fields(text) if text else [],
        permissions=permissions,
    )


def _rights(role, write):
    return _dict(role=role, read=1, write=int(write), create=int(write), delete=int(write), permlevel=0)


_definitions = {}


def definitions():
    """Every standard DocType of every app of the image, by name."""
    if not _definitions:
        for app in APPS_WITH_DOCTYPES:
            _definitions.update({one.row.name: _dict(one, app=app) for one in of_app(app)})
    return _definitions


def of_app(app):
    """The DocTypes that one app brings."""
    try:
        return importlib.import_module(f"{app}.doctypes").DOCTYPES
    except ModuleNotFoundError:
        return []
