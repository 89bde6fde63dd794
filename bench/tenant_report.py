"""The one line of result, and everything that is kept out of it.

No secret leaves by the line or by stdout, in clear or in the encodings that tracebacks, SQL errors
and URLs give it; the line is at most 2 KiB, since a termination message holds no more.
"""

import base64
import json
import os
import re
import sys
import time
import urllib.parse

LIMIT = 2048
HIDDEN = "***"
# key = value as configs, tracebacks and command lines write it, for secrets that are not ours to know.
_PAIR = re.compile(r"""(?i)(["']?[\w-]*(?:password|passwd|secret|encryption_key|api_key|token)["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,;}\]]+)""")


class Report:
    def __init__(self):
        self.tenant = ""
        self.bench_seconds = 0.0
        self._started = time.monotonic()
        self._secrets = set()
        self._done = {}
        self._step = None
        self._failure = None

    def hide(self, values):
        for value in values:
            self._secrets.update(spellings(value))

    def redact(self, text):
        # Longest first: a secret that holds another one must go as a whole.
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return _PAIR.sub(lambda found: found.group(1) + HIDDEN, text)

    def say(self, line):
        print(self.redact(line).encode(errors="replace").decode(), flush=True)

    def begin(self, step):
        self._step = step
        self._step_started = time.monotonic()
        self._bench_before = self.bench_seconds
        self.say(f"{step}: started")

    def finish(self, facts):
        seconds = time.monotonic() - self._step_started
        bench = self.bench_seconds - self._bench_before
        self._done[self._step] = {**facts, "seconds": round(seconds, 3), "bench": round(bench, 3)}
        self.say(f"{self._step}: done in {seconds:.1f} s, {bench:.1f} s of it in the bench")
        self._step = None

    def fail(self, failure):
        self._failure = failure
        self.say(f"{self._step or 'start'}: {failure.reason}: {failure.message}")

    def write(self):
        """Writes the line and returns the process's exit code."""
        line = fit(self._result())
        path = os.environ.get("TENANT_TERMINATION_LOG", "/dev/termination-log")
        try:
            with open(path, "w", encoding="utf-8", errors="replace") as log:
                log.write(line)
        except OSError as error:
            print(f"cannot write the result to {path}: {error.strerror}", file=sys.stderr, flush=True)
            return 1
        return 1 if self._failure else 0

    def _result(self):
        times = {"seconds": round(time.monotonic() - self._started, 3), "bench": round(self.bench_seconds, 3)}
        if not self._failure:
            return {"ok": True, "id": self.tenant, "done": self._done, **times}
        failure = self._failure
        return {
            "ok": False,
            "id": self.tenant,
            "step": self._step or "",
            "reason": failure.reason,
            "class": failure.kind,
            "message": self.redact(failure.message),
            # Redacted as a whole: a secret may span lines, and no line may be cut through one.
            "tail": last_lines(self.redact("\n".join(failure.tail)).splitlines()),
            "done": self._done,
            **times,
        }


def spellings(secret):
    """A secret as it is, and as base64, URLs, JSON, Python and SQL would spell it."""
    if len(secret) < 3:
        return set()
    raw = secret.encode()
    found = {secret, urllib.parse.quote(secret, safe=""), urllib.parse.quote(secret), urllib.parse.quote_plus(secret)}
    found |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    found.add(secret.replace("\\", "\\\\").replace("'", "\\'"))
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        found |= {encode(raw).decode(), encode(raw).decode().rstrip("=")}
    return {spelling for spelling in found if len(spelling) >= 3}


def last_lines(lines, most=20, width=240):
    kept = [line.rstrip()[:width] for line in lines if line.strip()]
    return kept[-most:]


def encode(result):
    return json.dumps(result, ensure_ascii=False, separators=(",", ":"))


def fit(result):
    """The result as one line of at most LIMIT bytes: old tail lines go first, then the message, then facts."""
    result = dict(result)
    while size(result) > LIMIT and result.get("tail"):
        result["tail"] = result["tail"][1:]
    if size(result) > LIMIT and "message" in result:
        over = size(result) - LIMIT
        cut = result["message"].encode()[: max(200, len(result["message"].encode()) - over - 8)]
        result["message"] = cut.decode(errors="ignore") + "…"
    if size(result) > LIMIT:
        result["done"] = {step: trimmed(facts) for step, facts in result["done"].items()}
    if size(result) > LIMIT:
        result["done"] = {step: {} for step in result["done"]}
    return encode(result)


def size(result):
    return len(encode(result).encode("utf-8", errors="replace"))


def trimmed(facts):
    """Facts without their long lists, and saying so."""
    short = {name: value for name, value in facts.items() if not isinstance(value, (list, dict))}
    return {**short, "more": True} if len(short) < len(facts) else short
