"""The DocTypes of ERPNext that the stand-in has."""

from frappe.model.standard import doctype

MANAGERS = ("System Manager", "Accounts Manager")

DOCTYPES = [
    doctype(
        "Company",
        "Setup",
        """
        company_name Data reqd unique
        abbr Data reqd
        country Link/Country reqd
        default_currency Link/Currency reqd
        chart_of_accounts Data
        """,
        MANAGERS,
        MANAGERS,
        autoname="field:company_name",
    ),
    doctype("Fiscal Year", "Accounts", "year Data reqd unique\nyear_start_date Date\nyear_end_date Date", autoname="field:year"),
    doctype(
        "Customer", "Selling", "customer_name Data reqd\ncustomer_type Data", MANAGERS, MANAGERS, autoname="field:customer_name"
    ),
    doctype("Global Defaults", "Setup", "default_company Link/Company\ndefault_currency Link/Currency\ncountry Data", issingle=1),
]
