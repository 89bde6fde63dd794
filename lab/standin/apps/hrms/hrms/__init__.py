"""A stand-in for Frappe HR: a few empty tables."""

from frappe import standin

__version__ = "16.0.0-dev" if standin.is_16() else "15.40.0"
__branch__ = "develop" if standin.is_16() else "version-15"
