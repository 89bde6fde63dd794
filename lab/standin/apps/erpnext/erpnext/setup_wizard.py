"""ERPNext's stage of the setup wizard: the company and its fiscal year."""

import datetime

import frappe


def set_up(args):
    name = args.company_name
    if not name:
        frappe.throw("Company name is mandatory", frappe.MandatoryError)
    company = {"company_name": name, "abbr": args.company_abbr or name[:3].upper(), "country": args.country}
    company.update(default_currency=args.currency, chart_of_accounts=args.chart_of_accounts or "Standard")
    frappe.get_doc({"doctype": "Company", **company}).insert(ignore_permissions=True)
    _fiscal_year(args.fy_start_date, args.fy_end_date)
    values = {"default_company": name, "default_currency": args.currency, "country": args.country}
    frappe.db.set_single_value("Global Defaults", values)
    frappe.db.set_default("company", name)


def _fiscal_year(start, end):
    """Named by its year, or by both where it ends in the next one."""
    begins, ends = (datetime.date.fromisoformat(str(day)) for day in (start, end))
    year = str(begins.year) if begins.year == ends.year else f"{begins.year}-{ends.year}"
    if not frappe.db.exists("Fiscal Year", year):
        row = {"doctype": "Fiscal Year", "year": year, "year_start_date": start, "year_end_date": end}
        frappe.get_doc(row).insert(ignore_permissions=True)
