"""Putting photos in from the browser: the page, and the server's side of tus 1.0.

tus (https://tus.io/protocols/resumable-upload): core, creation and termination; an upload
is kept for a week. What became of a whole file is told in `Upload-Result` and `Upload-Reason` of
the last answer, and of every `HEAD` after it, since a network may lose the last answer.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncIterator
from urllib.parse import quote

import orjson
from psycopg import AsyncConnection
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from fotofinish.errors import InvalidRequest, InvalidValue
from fotofinish.events.events import Event, find_own_event
from fotofinish.events.openness import ARCHIVED, refuse_archived
from fotofinish.photos.formats import ACCEPTED
from fotofinish.photos.photos import known_sha256
from fotofinish.photos.uploads import Upload
from fotofinish.web.bodies import read_body
from fotofinish.web.dashboard.shell import Shell, frame_of
from fotofinish.web.dashboard.visitors import Visitor, may, require
from fotofinish.web.errors import error_response
from fotofinish.web.services import services

VERSION = "1.0.0"
PIECE_TYPE = "application/offset+octet-stream"
PATIENCE = 30.0  # seconds without a byte: the sender is gone, though the connection is not
LONGEST_NAME = 255
MOST_DIGESTS = 1000


class UploadPage:
    """Editors and owners put photos in; everybody may look."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def show(self, request: Request, visitor: Visitor) -> Response:
        """GET `/events/{event_id}/upload`."""
        ours = services(request)
        async with ours.pool.connection() as connection:
            event = await _find(connection, request, visitor)
        current = visitor.organisation(event.org_id)
        direct = ours.direct_uploads
        return self._shell.render(
            "upload.html",
            frame_of(request, visitor, current),
            reached=[direct.origin] if direct else [],
            direct=direct is not None,
            event=event,
            allowed=may(current, "editor") and event.status != "archived",
            archived=ARCHIVED if event.status == "archived" else None,
            accepted=ACCEPTED,
            most_bytes=ours.settings.max_upload_bytes,
        )

    async def known(self, request: Request, visitor: Visitor) -> Response:
        """POST `…/uploads/known` with `{"sha256": [hex, …]}`: those of them that are here."""
        async with services(request).pool.connection() as connection:
            event = await find_to_upload(connection, request, visitor)
        digests = await _digests(request)
        async with services(request).pool.connection() as connection:
            known = await known_sha256(connection, event.id, digests)
        return JSONResponse({"known": [digest.hex() for digest in digests if digest in known]})

    async def begin(self, request: Request, visitor: Visitor) -> Response:
        """POST `…/uploads`: tus creation."""
        async with services(request).pool.connection() as connection:
            event = await find_to_upload(connection, request, visitor)
        if (refusal := _wrong_version(request)) is not None:
            return refusal
        size = _number(request, "upload-length")
        if size == 0:
            raise InvalidValue("The file is empty.")
        name, folder = _file(request.headers.get("upload-metadata", ""))
        upload = await services(request).uploads.begin(
            event.id, visitor.account.id, name, size, folder
        )
        location = f"/events/{event.id}/uploads/{upload.id}"
        return Response(status_code=201, headers={**_headers(upload), "Location": location})

    async def handle(self, request: Request, visitor: Visitor) -> Response:
        """HEAD (where does it stand?), PATCH (more bytes), DELETE (forget it) of an upload."""
        uploads = services(request).uploads
        async with services(request).pool.connection() as connection:
            event = await find_to_upload(connection, request, visitor)
        upload = await uploads.find(event.id, visitor.account.id, request.path_params["upload_id"])
        if (refusal := _wrong_version(request)) is not None:
            return refusal
        if request.method == "DELETE":
            await uploads.cancel(upload)
            return Response(status_code=204, headers={"Tus-Resumable": VERSION})
        if request.method == "PATCH":
            if request.headers.get("content-type") != PIECE_TYPE:
                return error_response(415, f"The body's type is {PIECE_TYPE}.")
            upload = await uploads.receive(
                upload, _number(request, "upload-offset"), _pieces(request)
            )
            return Response(status_code=204, headers=_headers(upload))
        return Response(status_code=200, headers=_headers(await uploads.settle(upload)))


async def _find(connection: AsyncConnection, request: Request, visitor: Visitor) -> Event:
    return await find_own_event(connection, visitor.account.id, request.path_params["event_id"])


async def find_to_upload(connection: AsyncConnection, request: Request, visitor: Visitor) -> Event:
    """The event in the address; raises unless the visitor may put photos in."""
    event = await _find(connection, request, visitor)
    require(visitor.organisation(event.org_id), "editor")
    refuse_archived(event)
    return event


def _headers(upload: Upload) -> dict[str, str]:
    headers = {
        "Tus-Resumable": VERSION,
        "Upload-Offset": str(upload.received),
        "Upload-Length": str(upload.size),
        "Cache-Control": "no-store",
    }
    if upload.result is not None:
        headers["Upload-Result"] = upload.result
        headers["Upload-Reason"] = quote(upload.reason or "")
    return headers


def _wrong_version(request: Request) -> Response | None:
    if request.headers.get("tus-resumable") == VERSION:
        return None
    return error_response(412, f"This server speaks tus {VERSION}.", {"Tus-Version": VERSION})


def _number(request: Request, name: str) -> int:
    given = request.headers.get(name, "")
    if not re.fullmatch(r"\d{1,15}", given):
        raise InvalidRequest(f"The header {name.title()} is a number of bytes.")
    return int(given)


def _file(metadata: str) -> tuple[str, str]:
    """Name and folder from `Upload-Metadata` (`key base64,key base64`): `filename`, and `path`,
    where the file lay among those that were chosen with it."""
    given = {}
    for pair in metadata.split(","):
        key, _, value = pair.strip().partition(" ")
        try:
            text = base64.b64decode(value, validate=True).decode("utf-8", "replace")
        except binascii.Error:
            continue
        given[key] = text
    if "filename" not in given:
        raise InvalidRequest("Upload-Metadata holds no filename.")
    return names_of_file(given["filename"], given.get("path", ""))


def names_of_file(name: str, path: str) -> tuple[str, str]:
    """What a file and its folder are called here, from what a browser calls them."""
    name, path = (
        "".join(sign for sign in text.replace("\\", "/") if sign.isprintable())
        for text in (name, path)
    )
    name = name.rpartition("/")[2].strip(". ")[:LONGEST_NAME]
    folder = path.rpartition("/")[0]
    return name or "photo", "/".join(part for part in folder.split("/") if part)[:LONGEST_NAME]


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    stream = request.stream()
    while True:
        try:
            piece = await asyncio.wait_for(anext(stream), PATIENCE)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise ClientDisconnect from None
        if piece:
            yield piece


async def _digests(request: Request) -> list[bytes]:
    body = await read_body(request, MOST_DIGESTS * 80)
    try:
        given = orjson.loads(body)["sha256"]
        return [bytes.fromhex(digest) for digest in given]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        raise InvalidRequest('The body is {"sha256": ["…", …]}, in hexadecimal.') from None
