"""Signed, time-limited links to objects of a folder, served by this server.

`PUBLIC_URL/files/<key>?expires=<Unix seconds>&signature=<hex>`, where the signature is the
HMAC-SHA256 of everything between `/files/` and `&signature=`, exactly as it is written. So there
is one spelling of a link, and any other is refused: another encoding of the same path, a leading
zero, upper-case hex, one parameter more. Links to what may be drawn anew carry `version=<number>&`
in front, so that caches know it for another picture; links that save under a name of their own
`disposition=<Content-Disposition header>&`.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote, unquote

from fotofinish.errors import NotAllowed
from fotofinish.storage.keyed_hash import hmac_sha256
from fotofinish.storage.keys import address_path

PURPOSE = b"fotofinish: links to local files, version 1"
QUERY = re.compile(
    rb"((?:version=[1-9][0-9]{0,9}&)?(?:disposition=([A-Za-z0-9_.~%-]+)&)?"
    rb"expires=([1-9][0-9]{0,11}))&signature=([0-9a-f]{64})"
)


NOT_VALID = "This link is not valid."


def is_of_a_link(query: bytes) -> bool:
    """Whether an address with this query may have been one of our links, signed by whomever."""
    return QUERY.fullmatch(query) is not None


class LocalLinks:
    """Signs links to this server and checks them."""

    def __init__(self, signing_key: bytes, public_url: str, ttl: int) -> None:
        """`signing_key` is the installation's secret; `ttl` the life of a link in seconds."""
        self._sign = hmac_sha256(hmac.digest(signing_key, PURPOSE, "sha256"))
        self._base = f"{public_url.rstrip('/')}/files/"
        self._ttl = ttl

    def links(self, keys: Iterable[str], now: float) -> list[str]:
        """A link a key, in their order, valid for the `ttl` from `now` (Unix seconds)."""
        base, sign, end = self._base, self._sign, f"?expires={int(now) + self._ttl}"
        made = []
        for key in keys:
            signed = f"{address_path(key)}{end}"
            made.append(f"{base}{signed}&signature={sign(signed.encode())}")
        return made

    def versioned_links(self, versions: Sequence[tuple[str, int]], now: float) -> list[str]:
        """As `links`, of keys and the versions (above 0) of what lies there."""
        end = f"&expires={int(now) + self._ttl}"
        return [
            self._link(f"{address_path(key)}?version={version}{end}") for key, version in versions
        ]

    def link_saved_as(self, key: str, disposition: str, now: float) -> str:
        """A link that makes this server answer with this Content-Disposition header."""
        asked = f"disposition={quote(disposition, safe='')}&expires={int(now) + self._ttl}"
        return self._link(f"{address_path(key)}?{asked}")

    def check(self, path: bytes, query: bytes, now: float) -> str | None:
        """Raise NotAllowed unless this is a link of ours, letter by letter, and not expired; give
        the Content-Disposition header that it names.

        `path` is what came after `/files/`, still percent-encoded; `query` what came after `?`.
        """
        found = QUERY.fullmatch(query)
        if found is None:
            raise NotAllowed(NOT_VALID)
        signed, disposition, expires, signature = found.groups()
        expected = self._sign(path + b"?" + signed)
        if not hmac.compare_digest(expected.encode(), signature):
            raise NotAllowed(NOT_VALID)
        if now >= int(expires):
            raise NotAllowed("This link has expired.")
        return None if disposition is None else unquote(disposition.decode())

    def _link(self, signed: str) -> str:
        return f"{self._base}{signed}&signature={self._sign(signed.encode())}"
