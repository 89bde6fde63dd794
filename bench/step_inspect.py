"""inspect: what a site has, compared with what it should have. Changes nothing, answers no secret.

For one tenant it says everything; for a whole bench it gets the expectations as a file, or a folder of
files, and answers only the ids that differ, each with what does. A secret is compared as itself where
it is at hand, else by its SHA-256.
"""

import json
import os

import tenant_inspect
from step_expire import count_archives
from tenant_failure import ChildFailed, Failure
from tenant_inspect import sha256
from tenant_report import LIMIT
from tenant_site import Site

MOST = 60
# What is said of one site: more than anything that breaks by itself.
MOST_OF_ONE = 12
# For all that the result's line holds besides the differences.
ROOM = LIMIT - 256
# Sites per child: enough to pay its start only once, few enough to keep its memory small.
AT_ONCE = 25


def run(run):
    path = run.given.section("inspect").get("configMapPath")
    if path:
        return whole_bench(run, path)
    expected = own_expectation(run)
    (found,), inside = look(run, [expected])
    refuse_outage(inside)
    return {**found, "differs": tenant_inspect.differences(expected, found)}


def whole_bench(run, path):
    expectations = read_expectations(path)
    differ, inside, seen = {}, [], 0
    for start in range(0, len(expectations), AT_ONCE):
        batch = expectations[start : start + AT_ONCE]
        found, looked_into = look(run, batch)
        if len(batch) == AT_ONCE:
            refuse_outage(looked_into)
        inside += looked_into
        seen += len(batch)
        for expected, facts in zip(batch, found, strict=True):
            different = tenant_inspect.differences(expected, facts)
            if different:
                differ[expected["id"]] = different
    # Of a few sites at the end only together with the others: one that is broken is no outage.
    refuse_outage(inside)
    kept = short(differ)
    return {"seen": seen, "differ": kept, "more": len(kept) < len(differ), "archives": count_archives()}


def short(differ):
    """As much of it as the result's line holds: at most so many sites, then only the kinds of what differs, then fewer sites."""
    kept = {tenant: different[:MOST_OF_ONE] for tenant, different in list(differ.items())[:MOST]}
    if size(kept) > ROOM:
        kept = {tenant: list(dict.fromkeys(name.split(":")[0] for name in different)) for tenant, different in kept.items()}
    while size(kept) > ROOM:
        kept.popitem()
    return kept


def size(found):
    return len(json.dumps(found, separators=(",", ":")).encode())


def read_expectations(path):
    try:
        found = {}
        for name in files_of(path):
            with open(name, encoding="utf-8") as file:
                found.update(json.load(file))
        return [{**expected, "id": tenant} for tenant, expected in sorted(found.items())]
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise Failure("BadInput", f"The expectations in {path} cannot be read: {error}.") from None


def files_of(path):
    if not os.path.isdir(path):
        return [path]
    # A mounted ConfigMap keeps its versions beside its files, in names with a leading dot.
    return [os.path.join(path, name) for name in sorted(os.listdir(path)) if name.endswith(".json") and not name.startswith(".")]


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


def look(run, expectations):
    """What each of the sites has, and what was seen inside those that were looked into. From the files
    first: a site that is not there is not connected to."""
    found = [tenant_inspect.from_files(Site.of(expected), expected) for expected in expectations]
    there = [index for index, one in enumerate(found) if one["site"] == "Present"]
    try:
        inside = run.inside(tenant_inspect.from_sites, [expectations[index] for index in there]) if there else []
    except ChildFailed as failed:
        raise failed.into("Unexpected", "The sites of the bench cannot be looked at; it is tried again") from None
    for index, facts in zip(there, inside, strict=True):
        found[index] = {**facts, **found[index]}
    return found, inside


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
