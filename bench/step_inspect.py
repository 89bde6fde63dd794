"""inspect: what a site has, compared with what it should have. Changes nothing, answers no secret.

For one tenant it says everything; for a whole bench it gets the expectations as a file and answers
only the ids that differ. A secret is compared as itself where it is at hand, else by its SHA-256.
"""

import hashlib
import json

import tenant_inspect
from tenant_failure import ChildFailed, Failure
from tenant_site import Site

MOST = 60
# Sites per child: enough to pay its start only once, few enough to keep its memory small.
AT_ONCE = 25


def run(run):
    path = run.given.section("inspect").get("configMapPath")
    if path:
        return whole_bench(run, path)
    expected = own_expectation(run)
    found = look(run, [expected])[0]
    return {**found, "differs": tenant_inspect.differences(expected, found)}


def whole_bench(run, path):
    expectations = read_expectations(path)
    differ, seen = [], 0
    for start in range(0, len(expectations), AT_ONCE):
        batch = expectations[start : start + AT_ONCE]
        for expected, found in zip(batch, look(run, batch), strict=True):
            if tenant_inspect.differences(expected, found):
                differ.append(expected["id"])
        seen += len(batch)
    return {"seen": seen, "differ": differ[:MOST], "more": len(differ) > MOST}


def read_expectations(path):
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
        return [{**expected, "id": tenant} for tenant, expected in sorted(found.items())]
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise Failure("BadInput", f"The expectations in {path} cannot be read: {error}.") from None


def own_expectation(run):
    """This run's input, with the secrets it came with as their SHA-256."""
    expected = {key: run.given.raw[key] for key in ("id", "marker", "site", "database", "apps", "settings", "keys") if run.given.raw.get(key)}
    hashes = {"apiKey": run.secrets.api_key, "apiSecret": run.secrets.api_secret, "encryptionKey": run.secrets.encryption_key}
    expected["sha256"] = {name: sha256(value) for name, value in hashes.items() if value}
    settings = dict(expected.get("settings") or {})
    settings["siteConfig"] = [hashed(run, entry) for entry in settings.get("siteConfig") or []]
    expected["settings"] = settings
    return expected


def hashed(run, entry):
    value = run.secrets.site_config.get(entry.get("env"))
    return entry if value is None else {"name": entry["name"], "sha256": sha256(value)}


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def look(run, expectations):
    """What each of the sites has. From the files first: a site that is not there is not connected to."""
    found = [tenant_inspect.from_files(Site.of(expected), expected) for expected in expectations]
    there = [index for index, one in enumerate(found) if one["site"] == "Present"]
    try:
        inside = run.inside(tenant_inspect.from_sites, [expectations[index] for index in there]) if there else []
    except ChildFailed as failed:
        raise failed.into("Unexpected", "The sites of the bench cannot be looked at; it is tried again") from None
    for index, facts in zip(there, inside, strict=True):
        found[index] = {**facts, **found[index]}
    refuse_outage(inside)
    return found


def inside(run, expected):
    """The same for one site whose marker need not be ours."""
    site = Site.of(expected)
    facts = tenant_inspect.files_of(site, site.config() or {}, expected)
    try:
        found = run.inside(tenant_inspect.from_sites, [expected])
    except ChildFailed as failed:
        raise failed.into("Unexpected", "The site cannot be looked at; it is tried again") from None
    refuse_outage(found)
    return {**found[0], **facts}


def refuse_outage(inside):
    """With MariaDB or Redis down every site looks broken, and none is."""
    reasons = {facts.get("outside") for facts in inside}
    if len(reasons) == 1 and None not in reasons:
        raise Failure(reasons.pop(), "None of the sites can be looked at, since what they all need does not answer; it is tried again.")
