"""What an `s3://` setting says: bucket, endpoint, region; and the keys from AWS's own variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, urlsplit

from fotofinish.errors import SettingsError

FORM = "s3://bucket?endpoint=https://host&region=name"
PARAMETERS = ("endpoint", "region", "public_endpoint")
BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}")
REGION = re.compile(r"[A-Za-z0-9-]{1,40}")
DEFAULT_REGION = "us-east-1"
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class S3Keys:
    """An access key; `token` comes with temporary ones."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class S3Place:
    """A bucket. `keys` is None where the machine's role has to serve (AWS alone).

    `public_endpoint` is where participants reach the same bucket, when that is another address
    than the one this server uses.
    """

    bucket: str
    endpoint: str
    public_endpoint: str
    region: str
    keys: S3Keys | None

    @property
    def name(self) -> str:
        """The bucket, for messages."""
        return f"s3://{self.bucket}"


def s3_place(url: str, environment: Mapping[str, str]) -> S3Place:
    """Read an `s3://` setting; raises SettingsError that says how to mend it."""
    parts = urlsplit(url)
    if not BUCKET.fullmatch(parts.netloc) or parts.path.strip("/") or parts.fragment:
        raise _unfit(f"expected {FORM}, with nothing but a bucket before the question mark")
    given = parse_qsl(parts.query, keep_blank_values=True)
    names = [name for name, _ in given]
    if unknown := [name for name in names if name not in PARAMETERS]:
        raise _unfit(f"unknown parameter {unknown[0]!r}; known are {', '.join(PARAMETERS)}")
    if len(set(names)) < len(names):
        raise _unfit("a parameter is given twice")
    values = dict(given)
    region = (
        values.get("region")
        or environment.get("AWS_REGION")
        or environment.get("AWS_DEFAULT_REGION")
        or DEFAULT_REGION
    )
    if not REGION.fullmatch(region):
        raise _unfit("the region is a name such as eu-central-1, or auto")
    own = (
        values.get("endpoint")
        or environment.get("AWS_ENDPOINT_URL_S3")
        or environment.get("AWS_ENDPOINT_URL")
    )
    endpoint = _endpoint(own or f"https://s3.{region}.amazonaws.com")
    public = values.get("public_endpoint")
    keys = _keys(environment)
    if keys is None and own:
        raise SettingsError(
            "The storage needs credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
            "in the environment (not in .env)."
        )
    return S3Place(parts.netloc, endpoint, _endpoint(public) if public else endpoint, region, keys)


def _keys(environment: Mapping[str, str]) -> S3Keys | None:
    key_id = environment.get("AWS_ACCESS_KEY_ID", "").strip()
    secret = environment.get("AWS_SECRET_ACCESS_KEY", "").strip()
    if bool(key_id) != bool(secret):
        missing = "AWS_SECRET_ACCESS_KEY" if key_id else "AWS_ACCESS_KEY_ID"
        raise SettingsError(f"The storage's credentials are half set: {missing} is missing.")
    if not key_id:
        return None
    return S3Keys(key_id, secret, environment.get("AWS_SESSION_TOKEN", "").strip() or None)


def _endpoint(text: str) -> str:
    """The endpoint as its own host header spells it: no default port, no slash at the end."""
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if (
        parts.scheme not in DEFAULT_PORTS
        or not parts.hostname
        or port == -1
        or "@" in parts.netloc
        or parts.query
        or parts.fragment
    ):
        raise _unfit("an endpoint is an address such as https://s3.example.org or http://host:9000")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if port is not None and port != DEFAULT_PORTS[parts.scheme]:
        host = f"{host}:{port}"
    return SplitResult(parts.scheme, host, parts.path.rstrip("/"), "", "").geturl()


def _unfit(why: str) -> SettingsError:
    return SettingsError(f"FOTOFINISH_STORAGE_URL: {why}.")
