"""report: what taking over a site would change. Changes nothing, and answers no secret."""

import step_inspect
import tenant_adopt
import tenant_inspect

# The result has room for so much (tenant_report).
MOST_LINES, LONGEST_LINE, MOST_BYTES = 40, 100, 1500

WORDS = {
    "locked": "lockdown: nobody signs in with a password any more",
    "scheduler": "scheduler: it is turned on",
    "setup": "setup: the setup wizard runs",
    "apiUser": "user: an API user is added",
    "admin": "user: the admin is added, or made System Manager",
}


def run(run):
    config = tenant_adopt.examine(run)
    expected = step_inspect.own_expectation(run)
    found = step_inspect.inside(run, expected)
    key = [] if config.get("encryption_key") else ["config: encryption_key is made, since there is none"]
    return {"changes": fit(key + changes(run, expected, found))}


def changes(run, expected, found):
    lines = [] if run.site.is_own() else ["marker: the site becomes this tenant's"]
    for name in tenant_inspect.differences(expected, found):
        kind, _, what = name.partition(":")
        if kind == "app":
            lines.append(f"app: {what} is installed")
        elif kind == "config":
            lines.append(f"config: {what} is set")
        elif kind != "database":
            lines.append(WORDS.get(name, name))
    return lines


def fit(lines):
    kept, room = [], MOST_BYTES
    for line in lines[:MOST_LINES]:
        line = line[:LONGEST_LINE]
        room -= len(line.encode()) + 3
        if room < 0:
            break
        kept.append(line)
    left = len(lines) - len(kept)
    return kept + ([f"and {left} more"] if left else [])
