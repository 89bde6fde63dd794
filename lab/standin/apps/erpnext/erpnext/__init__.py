"""A stand-in for ERPNext: companies and accounts, as far as a setup wizard makes them."""

from frappe import standin

__version__ = "16.0.0-dev" if standin.is_16() else "15.71.1"
__branch__ = "develop" if standin.is_16() else "version-15"
