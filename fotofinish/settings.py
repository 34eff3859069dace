"""Every setting of Fotofinish, once: `FOTOFINISH_…` in the environment or a `.env` file.

Read at the edge (command line, application factory) and passed down; nothing else reads the
environment. Cloud credentials are not here: they come from each cloud's standard variables.
"""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from contextlib import suppress
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    SettingsConfigDict,
)

from fotofinish.errors import SettingsError

SHORTEST_SECRET = 32  # characters; 16 bytes in hexadecimal
SHORTEST_TOKEN = 16
KINDS: dict[object, str] = {int: "a whole number", float: "a number", bool: "true or false"}
LONGEST_RETENTION = 36_500  # days
PREFIX = "FOTOFINISH_"
ENV_FILE = ".env"
NO_SETTINGS = ("API_KEY",)  # what else we read: `fotofinish download` does
# what Kubernetes gives every pod beside a service whose name begins with ours ("Service", docs)
SERVICE_VARIABLE = re.compile(r"(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_\w+)?)")


class Settings(BaseSettings):
    """What an operator can change. Times are in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=ENV_FILE, env_ignore_empty=True, extra="ignore"
    )

    database_url: SecretStr | None = Field(
        None, description="PostgreSQL 15+ with pgvector; none: a private server in the data folder"
    )
    storage_url: str | None = Field(
        None,
        description="where originals and previews lie: none (the data folder), file:///path, "
        "s3://bucket?endpoint=…&region=…, gs://bucket, az://container",
    )
    data_dir: Path = Field(Path("data"), description="folder for everything kept on this machine")
    secret_key: SecretStr | None = Field(
        None,
        description="signs local links and passes to galleries; none: made once, kept in the data "
        "folder",
    )
    link_ttl: int = Field(
        3600, ge=60, le=7 * 24 * 3600, description="life of a download link, in seconds"
    )
    preview_ttl: int = Field(
        24 * 3600,
        ge=60,
        le=7 * 24 * 3600,
        description="life of a link to a preview, in seconds; it stays the same for half of that, "
        "for caches",
    )
    public_url: str = Field(
        "http://127.0.0.1:8000", description="the address under which this server is reached"
    )
    trusted_proxies: str = Field(
        "",
        description="addresses or networks of reverse proxies whose X-Forwarded-For and "
        "X-Forwarded-Proto are believed, with commas between; none: nobody's",
    )
    max_upload_bytes: int = Field(
        300 * 1024**2, ge=1, description="largest original accepted, in bytes"
    )
    max_pixels: int = Field(160_000_000, ge=1, description="largest photo accepted, in pixels")
    max_selfie_bytes: int = Field(20 * 1024**2, ge=1, description="largest selfie, in bytes")
    selfie_retention_days: int = Field(
        90,
        ge=1,
        le=LONGEST_RETENTION,
        description="days after which a selfie search is forgotten",
    )
    check_originals: bool = Field(
        True,
        description="ask the store for each original before its link is handed out; "
        "one stat on a folder, parallel HEADs on object storage",
    )
    request_rate: float = Field(
        2000,
        ge=0,
        allow_inf_nan=False,
        description="API requests a second and key, in the long run; 0: no limit",
    )
    request_burst: int = Field(10_000, ge=1, description="API requests a key may make at once")
    search_rate: float = Field(
        50,
        ge=0,
        allow_inf_nan=False,
        description="selfie searches a second and key, in the long run; 0: no limit",
    )
    search_burst: int = Field(500, ge=1, description="selfie searches a key may make at once")
    metrics_token: SecretStr | None = Field(None, description="who may read /metrics; none: nobody")
    face_embedder: Path | None = Field(
        None, description="an ArcFace-style ONNX (112x112) to use instead of the packaged one"
    )

    @field_validator("data_dir", "face_embedder")
    @classmethod
    def _from_home(cls, path: Path | None) -> Path | None:
        try:
            return path and path.expanduser()  # no shell does it in a .env file
        except RuntimeError:
            raise PydanticCustomError("no_home", "there is no such home folder") from None

    @field_validator("secret_key")
    @classmethod
    def _is_long(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret) < SHORTEST_SECRET:
            raise PydanticCustomError(
                "secret_too_short",
                "it signs local links and passes to galleries, so it has to have at least "
                "{shortest} characters that nobody can guess; make one with 'openssl rand -hex 32'",
                {"shortest": SHORTEST_SECRET},
            )
        return secret

    @field_validator("metrics_token")
    @classmethod
    def _is_no_guess(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and len(token) < SHORTEST_TOKEN:
            raise PydanticCustomError(
                "token_too_short",
                "whoever has it may read /metrics, so it has to have at least {shortest} "
                "characters that nobody can guess; make one with 'openssl rand -hex 16'",
                {"shortest": SHORTEST_TOKEN},
            )
        return token

    @field_validator("public_url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        if not re.fullmatch(r"https?://[^/\s?#]+[^\s?#]*", url):
            raise PydanticCustomError(
                "no_address",
                "it has to be an address that begins with https:// or http://, like "
                "https://photos.example.org",
            )
        return url

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, proxies: str) -> str:
        for proxy in filter(None, map(str.strip, proxies.split(","))):
            try:
                ip_network(proxy, strict=False)
            except ValueError:
                if proxy != "*":
                    raise PydanticCustomError(
                        "no_networks",
                        "it has to be a list of addresses and networks with commas between, like "
                        "10.0.0.5, 10.1.0.0/24",
                    ) from None
        return proxies

    @property
    def embedded_database(self) -> bool:
        """Whether this installation runs its own private PostgreSQL."""
        return self.database_url is None

    def signing_key(self) -> bytes:
        """The secret local links and visitors' cookies are signed with; made on first use (0600).

        Raises SettingsError when what is kept is too short to be one.
        """
        if self.secret_key is not None:
            return self.secret_key.get_secret_value().encode()
        path = self.data_dir / "secret.key"
        if not path.exists():
            self.data_dir.mkdir(parents=True, exist_ok=True)
            descriptor, fresh = tempfile.mkstemp(prefix=".secret.", dir=self.data_dir)
            try:
                with os.fdopen(descriptor, "w") as file:
                    file.write(secrets.token_urlsafe(48))
                    file.flush()
                    os.fsync(file.fileno())
                with suppress(FileExistsError):
                    os.link(fresh, path)
            finally:
                Path(fresh).unlink()
        kept = path.read_bytes().strip()
        if len(kept) < SHORTEST_SECRET:
            raise SettingsError(
                f"The file {path} holds no key: put the one of your backup there, or remove it for "
                "a new one, which ends local links and passes to galleries that are out."
            )
        return kept


def load_settings(*, env_file: str | None = ENV_FILE, **overrides: object) -> Settings:
    """The settings in force; `overrides` come from flags and win.

    Raises SettingsError naming each setting that does not fit, never its value.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(_env_file=env_file, **given)  # type: ignore[call-arg, arg-type]
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        faults = ". ".join(map(_told, found))
        which = "This setting does" if len(found) == 1 else "These settings do"
        raise SettingsError(f"{which} not fit: {faults}.") from None
    except (OSError, UnicodeDecodeError):
        raise SettingsError(
            "The settings in the file .env cannot be read: it has to be text in UTF-8 that this "
            "user may read."
        ) from None


def _told(fault: ErrorDetails) -> str:
    """The setting as it is typed, and what it has to be; never its value."""
    name = str(fault["loc"][0])
    field = Settings.model_fields[name]
    kind = KINDS.get(field.annotation)
    if kind is None:
        return f"{PREFIX}{name.upper()}: {fault['msg']}"
    meaning = (field.description or "").partition(";")[0]
    return f"{PREFIX}{name.upper()}: it has to be {kind}{_limits(field)} ({meaning})"


def _limits(field: FieldInfo) -> str:
    least, most = (
        next((getattr(limit, side) for limit in field.metadata if hasattr(limit, side)), None)
        for side in ("ge", "le")
    )
    if least is None:
        return ""
    return f", {least} or more" if most is None else f" from {least} to {most}"


def misspelt_settings() -> dict[str, str | None]:
    """Variables that are named like settings but are none; each with the nearest setting, if any.

    Of the environment and the `.env` file, in capitals, as their case does not matter.
    """
    given = {**DotEnvSettingsSource(Settings).env_vars, **EnvSettingsSource(Settings).env_vars}
    known = [name.upper() for name in Settings.model_fields]
    names = {
        name.upper().removeprefix(PREFIX) for name in given if name.upper().startswith(PREFIX)
    }.difference(known, NO_SETTINGS)
    if "kubernetes_service_host" in given:
        names = {name for name in names if not SERVICE_VARIABLE.fullmatch(name)}
    nearest = {name: next(iter(get_close_matches(name, known, 1)), None) for name in sorted(names)}
    return {PREFIX + name: near and PREFIX + near for name, near in nearest.items()}
