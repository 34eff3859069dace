"""Objects that browsers put into a bucket of S3 or its kin themselves.

Here are the addresses they send to, and the few requests around them that obstore cannot make:
uploads in parts that somebody else sends, and copies that are made of one version alone. Source:
"Uploading and copying objects using multipart upload", Amazon S3 user guide.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import httpx

from fotofinish.errors import Conflict, ObjectMissing, StorageError
from fotofinish.storage.cloud import SERVICE_CODE, CloudStore
from fotofinish.storage.disposition import attachment
from fotofinish.storage.s3_place import S3Place
from fotofinish.storage.sigv4 import S3Presigner
from fotofinish.storage.stores import Store

PART_BYTES = 8 * 1024 * 1024  # S3 wants at least 5 MiB of all parts but the last
LINK_SECONDS = 3600
PATIENCE = httpx.Timeout(60, connect=5)
LOOK_SECONDS = 5
XMLNS = re.compile(r' xmlns="[^"]*"')


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an upload that the store has, as its list of parts says."""

    number: int
    size: int
    etag: str


class DirectBucket:
    """A bucket that browsers may be sent to. `client` is closed by whoever opened it."""

    def __init__(self, place: S3Place, client: httpx.AsyncClient) -> None:
        """The place must have keys: a machine's role cannot sign for others."""
        self.origin = "{0.scheme}://{0.netloc}".format(urlsplit(place.public_endpoint))
        self._place = place
        self._client = client
        self._browsers = S3Presigner(place, LINK_SECONDS)
        self._ours = S3Presigner(place, LINK_SECONDS, endpoint=place.endpoint)

    def whole_link(self, key: str, size: int) -> str:
        """Where exactly `size` bytes may be put as one object."""
        return self._link(key, size, {})

    def part_links(
        self, key: str, upload: str, sizes: Mapping[int, int], wanted: Iterable[int]
    ) -> dict[int, str]:
        """Where the `wanted` parts may be put, each with exactly its size."""
        return {
            number: self._link(key, sizes[number], {"partNumber": str(number), "uploadId": upload})
            for number in wanted
        }

    async def begin(self, key: str) -> str:
        """Begin an upload in parts; its name, which only the server needs to know."""
        answer = await self._ask("POST", key, {"uploads": ""})
        return _text(answer, "UploadId")

    async def parts(self, key: str, upload: str) -> list[Part]:
        """The parts that are there, by number; ObjectMissing when there is no such upload (any
        more)."""
        found: list[Part] = []
        marker = "0"
        while True:
            query = {"part-number-marker": marker, "uploadId": upload}
            listed = _parsed(await self._ask("GET", key, query))
            found += [
                Part(
                    int(part.findtext("PartNumber", "0")),
                    int(part.findtext("Size", "0")),
                    part.findtext("ETag", ""),
                )
                for part in listed.iter("Part")
            ]
            following = listed.findtext("NextPartNumberMarker", "0")
            if listed.findtext("IsTruncated") != "true" or following == marker:
                return found
            marker = following

    async def complete(self, key: str, upload: str, parts: Sequence[Part]) -> None:
        """Make one object of the parts."""
        listed = "".join(
            f"<Part><PartNumber>{part.number}</PartNumber><ETag>{escape(part.etag)}</ETag></Part>"
            for part in parts
        )
        body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>"
        await self._ask("POST", key, {"uploadId": upload}, body=body)

    async def abort(self, key: str, upload: str) -> None:
        """Forget an upload and its parts; one that is not there is no error."""
        try:
            await self._ask("DELETE", key, {"uploadId": upload})
        except ObjectMissing:
            return

    async def copy(
        self, source: str, etag: str, target: str, *, content_type: str, filename: str
    ) -> None:
        """Copy an object inside the store; Conflict unless it is still the version `etag`."""
        headers = {
            "content-disposition": attachment(filename),
            "content-type": content_type,
            "x-amz-copy-source": quote(f"/{self._place.bucket}/{source}"),
            "x-amz-copy-source-if-match": etag if etag.startswith('"') else f'"{etag}"',
            "x-amz-metadata-directive": "REPLACE",
        }
        await self._ask("PUT", target, {}, headers=headers)

    async def lets_browsers_send(self, key: str, origin: str) -> bool:
        """Whether the bucket's CORS rules let pages of `origin` put an object there.

        Raises StorageError when the public endpoint does not answer.
        """
        link = self.whole_link(key, 1).partition("?")[0]
        asked = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
        try:
            answer = await self._client.options(link, headers=asked, timeout=LOOK_SECONDS)
        except httpx.HTTPError:
            raise StorageError(f"{self.origin} cannot be reached.") from None
        methods = answer.headers.get("access-control-allow-methods", "")
        return (
            answer.is_success
            and answer.headers.get("access-control-allow-origin") in ("*", origin)
            and "PUT" in [method.strip() for method in methods.split(",")]
        )

    def _link(self, key: str, size: int, query: Mapping[str, str]) -> str:
        length = {"content-length": str(size)}
        return self._browsers.request("PUT", key, time.time(), query=query, headers=length)

    async def _ask(
        self,
        method: str,
        key: str,
        query: Mapping[str, str],
        *,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
    ) -> str:
        """One request of our own; its answer. S3 says 200 to some that fail while they run."""
        link = self._ours.request(method, key, time.time(), query=query, headers=headers)
        try:
            answer = await self._client.request(
                method, link, headers=headers, content=body, timeout=PATIENCE
            )
        except httpx.HTTPError:
            raise StorageError(f"{self._place.name} cannot be reached.") from None
        if answer.is_success and "<Error>" not in answer.text:
            return answer.text
        code = SERVICE_CODE.search(answer.text)
        said = code[1] if code else f"HTTP {answer.status_code}"
        if said in ("NoSuchUpload", "NoSuchKey") or answer.status_code == 404:
            raise ObjectMissing(f"There is no object {key} in {self._place.name}.")
        if said == "PreconditionFailed" or answer.status_code == 412:
            raise Conflict("The file was sent again while it was looked at. Send it once more.")
        if said in ("InvalidPart", "InvalidPartOrder", "EntityTooSmall"):
            raise Conflict("Parts of the file are missing. Send it once more.")
        raise StorageError(f"{self._place.name} answered with an error ({said}).")


@asynccontextmanager
async def open_direct_bucket(store: Store) -> AsyncIterator[DirectBucket | None]:
    """The bucket of this store for browsers; None for a folder, for other clouds than S3's kin,
    and where a machine's role, not a key, opens it."""
    place = store.place if isinstance(store, CloudStore) else None
    if place is None or place.keys is None:
        yield None
        return
    async with httpx.AsyncClient() as client:
        yield DirectBucket(place, client)


def sizes_of_parts(size: int) -> dict[int, int]:
    """The parts of a file by number, each with its size; one of them for a small file."""
    whole, rest = divmod(size, PART_BYTES)
    sizes = [PART_BYTES] * whole + ([rest] if rest else [])
    return dict(enumerate(sizes, 1))


def _parsed(answer: str) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(XMLNS.sub("", answer))  # our own store's
    except ElementTree.ParseError:
        raise StorageError("The store gave an answer that is not S3's.") from None


def _text(answer: str, name: str) -> str:
    found = _parsed(answer).findtext(name)
    if not found:
        raise StorageError("The store gave an answer that is not S3's.")
    return found
