"""Presigned requests for S3 and its kin: AWS Signature Version 4 in the query string.

Source: "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)", Amazon S3 API
reference. Path style only. The result is what botocore makes, byte for byte, many times
faster: what stays the same for a second, or for a day, is computed once.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote, urlsplit

from fotofinish.storage.keyed_hash import hmac_sha256
from fotofinish.storage.keys import address_path
from fotofinish.storage.s3_place import S3Place

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class _Second:
    """What all links of one second have in common."""

    at: int
    day: str
    sign: Callable[[bytes], str]
    query: str
    sorted_query: str
    to_sign: str


class S3Presigner:
    """Signs links to one bucket. Safe to share: it keeps the last second's parts and no more."""

    def __init__(self, place: S3Place, ttl: int, *, endpoint: str | None = None) -> None:
        """`ttl` is the life of a link in seconds, at most a week. The place must have keys.

        `endpoint` is where the links lead, the place's public one unless given.
        """
        if place.keys is None:
            raise ValueError("a link cannot be signed without an access key")
        parts = urlsplit(endpoint or place.public_endpoint)
        self._keys = place.keys
        self._region = place.region
        self._ttl = ttl
        self._path = f"{quote(parts.path)}/{place.bucket}/"
        self._base = f"{parts.scheme}://{parts.netloc}{self._path}"
        self._host = parts.netloc
        self._rest = f"\nhost:{parts.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
        self._second: _Second | None = None

    def links(self, keys: Iterable[str], now: float) -> list[str]:
        """A link a key, in their order, valid from `now` (Unix seconds, rounded down)."""
        second = self._at(int(now))
        start, end = f"GET\n{self._path}", f"\n{second.sorted_query}{self._rest}"
        base, query = self._base, f"?{second.query}&X-Amz-Signature="
        sign, to_sign = second.sign, second.to_sign
        made = []
        for key in keys:
            path = address_path(key)
            digest = sha256(f"{start}{path}{end}".encode()).hexdigest()
            made.append(f"{base}{path}{query}{sign(f'{to_sign}{digest}'.encode())}")
        return made

    def versioned_links(self, versions: Sequence[tuple[str, int]], now: float) -> list[str]:
        """As `links`, of keys and the versions of what lies there: a parameter `x-version` that
        stores ignore ("Logging custom information in access logs", Amazon S3 user guide)."""
        second = self._at(int(now))
        return [self._asking(second, key, f"x-version={version}") for key, version in versions]

    def link_saved_as(self, key: str, disposition: str, now: float) -> str:
        """A link that makes the store answer with this Content-Disposition header."""
        asked = f"response-content-disposition={quote(disposition, safe='')}"
        return self._asking(self._at(int(now)), key, asked)

    def request(
        self,
        method: str,
        key: str,
        now: float,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """Where any other request for an object is to be sent, `headers` with it, as they are.

        Names of headers and of the query (`partNumber`, `uploadId`, …) are in lower case at the
        beginning, so that they sort behind those of the signature.
        """
        second = self._at(int(now))
        path = address_path(key)
        sent = {"host": self._host, **(headers or {})}
        names = ";".join(sorted(sent))
        extra = "".join(
            f"&{name}={quote(value, safe='')}" for name, value in sorted((query or {}).items())
        )
        asked = second.sorted_query.removesuffix("host") + quote(names, safe="") + extra
        canonical = "".join(f"{name}:{sent[name]}\n" for name in sorted(sent))
        request = f"{method}\n{self._path}{path}\n{asked}\n{canonical}\n{names}\nUNSIGNED-PAYLOAD"
        to_sign = f"{second.to_sign}{sha256(request.encode()).hexdigest()}"
        return f"{self._base}{path}?{asked}&X-Amz-Signature={second.sign(to_sign.encode())}"

    def _asking(self, second: _Second, key: str, asked: str) -> str:
        """A link with one parameter more, which sorts behind those of the signature."""
        path = address_path(key)
        request = f"GET\n{self._path}{path}\n{second.sorted_query}&{asked}{self._rest}"
        to_sign = f"{second.to_sign}{sha256(request.encode()).hexdigest()}"
        signature = second.sign(to_sign.encode())
        return f"{self._base}{path}?{asked}&{second.query}&X-Amz-Signature={signature}"

    def _at(self, at: int) -> _Second:
        last = self._second
        if last is not None and last.at == at:
            return last
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
        day = stamp[:8]
        scope = f"{day}/{self._region}/s3/aws4_request"
        credential = quote(f"{self._keys.access_key_id}/{scope}", safe="")
        head = (
            f"X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={credential}&X-Amz-Date={stamp}"
            f"&X-Amz-Expires={self._ttl}"
        )
        token = ""
        if self._keys.session_token is not None:
            token = f"&X-Amz-Security-Token={quote(self._keys.session_token, safe='')}"
        self._second = second = _Second(
            at=at,
            day=day,
            sign=last.sign if last is not None and last.day == day else self._day_signer(day),
            query=f"{head}&X-Amz-SignedHeaders=host{token}",
            sorted_query=f"{head}{token}&X-Amz-SignedHeaders=host",
            to_sign=f"{ALGORITHM}\n{stamp}\n{scope}\n",
        )
        return second

    def _day_signer(self, day: str) -> Callable[[bytes], str]:
        key = f"AWS4{self._keys.secret_access_key}".encode()
        for part in (day, self._region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac_sha256(key)
