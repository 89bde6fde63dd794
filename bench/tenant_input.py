"""What the operator asks for: TENANT_STEP_INPUT, checked, and the secrets, taken out of the environment."""

import base64
import json
import os
import re
from dataclasses import dataclass, field

from tenant_failure import Failure

_ID = re.compile(r"[0-9a-f]{16}\Z")
# A site's name becomes a folder below sites/ : no slash, and no leading dot.
_SITE = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,252}\Z")
_DATABASE = re.compile(r"[A-Za-z0-9_]{1,64}\Z")
_APP = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_STAMP = re.compile(r"[0-9A-Za-z.:_-]+\Z")


def is_database_name(name):
    return isinstance(name, str) and bool(_DATABASE.match(name))


@dataclass(frozen=True)
class Input:
    """The checked input. `raw` keeps the sections that only one step reads."""

    id: str
    marker: dict
    bench_path: str
    site: str
    protected: tuple
    database: dict
    expect_site: bool
    adopted: bool
    issued: int
    apps: tuple
    raw: dict = field(repr=False)

    @classmethod
    def read(cls, environment):
        try:
            raw = json.loads(environment["TENANT_STEP_INPUT"])
        except KeyError:
            raise Failure("BadInput", "TENANT_STEP_INPUT is not set; the operator sets it.") from None
        except ValueError as error:
            raise Failure("BadInput", f"TENANT_STEP_INPUT is not JSON: {error}.") from None
        if not isinstance(raw, dict):
            raise Failure("BadInput", "TENANT_STEP_INPUT must be a JSON object.")
        return cls._checked(raw)

    @classmethod
    def _checked(cls, raw):
        whole_bench = "configMapPath" in (raw.get("inspect") or {}) or "expire" in raw
        database = raw.get("database") or {}
        given = cls(
            id=raw.get("id") or "",
            marker=raw.get("marker") or {},
            bench_path=raw.get("benchPath") or "",
            site=raw.get("site") or "",
            protected=tuple(raw.get("protectedSites") or ()),
            database=database,
            expect_site=bool(raw.get("expectSite")),
            adopted=bool(raw.get("adopted")),
            issued=raw.get("issued") or 0,
            apps=tuple(raw.get("apps") or ()),
            raw=raw,
        )
        require(os.path.isabs(given.bench_path), "benchPath must be an absolute path")
        if not whole_bench:
            given._check_tenant()
        return given

    def _check_tenant(self):
        require(_ID.match(self.id), "id must be 16 hexadecimal digits")
        require(_SITE.match(self.site), "site must be a plain host name")
        # Only the site that is to be adopted knows its database before it was looked at.
        named = self.adopted and not self.database.get("name")
        require(named or is_database_name(self.database.get("name")), "database.name may hold letters, digits and _")
        require(self.marker.get("id") == self.id, "marker.id must equal id")
        require(isinstance(self.issued, int), "issued must be milliseconds since 1970")
        require(all(_APP.match(app) for app in self.apps), "apps must be names of Python packages")

    def section(self, name):
        return self.raw.get(name) or {}

    def archive_directory(self, value):
        """A directory relative to sites/ that can only be this tenant's own."""
        parts = (value or "").split("/")
        fine = len(parts) == 3 and parts[:2] == ["archived_sites", self.id] and _STAMP.match(parts[2])
        require(fine and ".." not in parts[2], f"the archive's directory must be archived_sites/{self.id}/<time>")
        return value


@dataclass(frozen=True)
class Secrets:
    """The secrets of this run. Never printed; their values are what the report hides."""

    root_password: str = field(default="", repr=False)
    database_password: str = field(default="", repr=False)
    encryption_key: str = field(default="", repr=False)
    api_key: str = field(default="", repr=False)
    api_secret: str = field(default="", repr=False)
    admin_password: str = field(default="", repr=False)
    site_config: dict = field(default_factory=dict, repr=False)

    @classmethod
    def take(cls, environment):
        """Reads the secrets and removes them, so that no command run later inherits them."""
        site_config = {name: environment.pop(name) for name in list(environment) if name.startswith("TENANT_SITE_CONFIG_")}
        return cls(
            root_password=environment.pop("TENANT_DB_ROOT_PASSWORD", ""),
            database_password=environment.pop("TENANT_DB_PASSWORD", ""),
            encryption_key=environment.pop("TENANT_ENCRYPTION_KEY", ""),
            api_key=environment.pop("TENANT_API_KEY", ""),
            api_secret=environment.pop("TENANT_API_SECRET", ""),
            admin_password=environment.pop("TENANT_ADMIN_PASSWORD", ""),
            site_config=site_config,
        )

    def all(self):
        plain = [self.root_password, self.database_password, self.encryption_key, self.api_key, self.api_secret]
        pair = f"{self.api_key}:{self.api_secret}" if self.api_secret else ""
        return [secret for secret in [*plain, pair, self.admin_password, *self.site_config.values()] if secret]

    def need(self, **names):
        """Refuses to start a step that would find a secret missing half-way."""
        for attribute, variable in names.items():
            require(getattr(self, attribute), f"{variable} is not set")

    def need_encryption_key(self):
        self.need(encryption_key="TENANT_ENCRYPTION_KEY")
        try:
            fine = len(base64.urlsafe_b64decode(self.encryption_key)) == 32
        except ValueError:
            fine = False
        require(fine, "TENANT_ENCRYPTION_KEY must be 32 bytes in URL-safe base64, as Frappe's Fernet wants it")


def require(condition, what):
    if not condition:
        raise Failure("BadInput", f"Bad input to the step: {what}.")
