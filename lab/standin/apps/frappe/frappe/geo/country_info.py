"""Countries: names and codes as the time zone database has them, and the currencies of the larger ones."""

import functools

FOLDER = "/usr/share/zoneinfo"
# Where Frappe calls a country otherwise than the time zone database does.
OTHER_NAMES = {"GB": "United Kingdom", "KR": "Korea, Republic of", "RU": "Russian Federation", "VA": "Holy See", "TZ": "Tanzania"}
EURO = "AT BE CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK".split()
CURRENCIES = {
    **dict.fromkeys(EURO, "EUR"),
    **dict(zip("AE AU BR CA CH CN CZ DK EG GB HU ID IN".split(), "AED AUD BRL CAD CHF CNY CZK DKK EGP GBP HUF IDR INR".split())),
    **dict(
        zip(
            "JP KE MX NG NO NZ PL RO SA SE SG TR US ZA".split(), "JPY KES MXN NGN NOK NZD PLN RON SAR SEK SGD TRY USD ZAR".split()
        )
    ),
}
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "INR": "₹", "JPY": "¥"}
DAY_FIRST = "dd.mm.yyyy"
DATE_FORMATS = {
    "DE": DAY_FIRST,
    "AT": DAY_FIRST,
    "CH": DAY_FIRST,
    "PL": DAY_FIRST,
    "US": "mm-dd-yyyy",
    "FR": "dd/mm/yyyy",
    "CN": "yyyy-mm-dd",
}


@functools.cache
def get_all():
    """Every country by name."""
    zones = {}
    for code, _coordinates, zone in _rows("zone.tab", 3):
        zones.setdefault(code, []).append(zone)
    return {OTHER_NAMES.get(code, name): _country(code, zones.get(code, [])) for code, name in _rows("iso3166.tab", 2)}


def get_country_info(country=None):
    return get_all().get(country, {})


def _country(code, zones):
    about = {"code": code.lower(), "timezones": sorted(zones), "date_format": DATE_FORMATS.get(code, "dd-mm-yyyy")}
    if code in CURRENCIES:
        about.update(currency=CURRENCIES[code], number_format="#.###,##" if CURRENCIES[code] == "EUR" else "#,###.##")
    return about


def _rows(name, columns):
    with open(f"{FOLDER}/{name}") as file:
        return [line.rstrip("\n").split("\t")[:columns] for line in file if not line.startswith("#")]
