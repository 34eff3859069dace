"""Originals and previews of a local store, served under their signed links.

Only bytes that were stored leave here, unchanged. On object storage links point there instead,
and this route finds nothing.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Sequence
from email.utils import formatdate
from io import FileIO
from stat import S_ISREG

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from fotofinish.delivery.ranges import RangeNotSatisfiable, Span, spans
from fotofinish.errors import NotAllowed, NotFound, ObjectMissing, StorageError
from fotofinish.photos.formats import HEIC, JPEG, PNG, TIFF, WEBP
from fotofinish.photos.keys import UNCHANGING, is_preview
from fotofinish.storage.disposition import attachment
from fotofinish.storage.folder import FolderStore
from fotofinish.storage.keys import address_path
from fotofinish.storage.local_links import NOT_VALID, LocalLinks

CHUNK = 128 * 1024
CONTENT_TYPES = {kind.extension: kind.content_type for kind in (JPEG, PNG, WEBP, HEIC, TIFF)}


async def serve_file(request: Request) -> Response:
    """GET and HEAD `/files/{key:path}?expires=…&signature=…`, with ranges.

    Needs `app.state.store` and `app.state.linker`; `app.state.downloaded` is told the key of each
    file that is sent from its first byte on. Raises NotAllowed (403) for a link that is not ours
    letter by letter or has expired, ObjectMissing (404) when the file is gone.
    """
    store, signer = request.app.state.store, request.app.state.linker.signer
    if not isinstance(store, FolderStore) or not isinstance(signer, LocalLinks):
        raise NotFound("There are no files here: they are on object storage.")
    key: str = request.path_params["key"]
    written = address_path(key).encode()
    if not request.scope["raw_path"].endswith(b"/files/" + written):
        raise NotAllowed(NOT_VALID)
    disposition = signer.check(written, request.scope["query_string"], time.time())
    file, stat = _open(store, key)
    headers = _headers(key, stat)
    if disposition is not None:
        headers["Content-Disposition"] = disposition
    if is_preview(key):
        headers["Cache-Control"] = UNCHANGING
    if _is_held(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    try:
        wanted = spans(_range_header(request, headers), stat.st_size)
    except RangeNotSatisfiable:
        return _not_satisfiable(stat.st_size, headers)
    status, pieces = _lay_out(wanted, stat.st_size, headers)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    if wanted is None or any(span.start == 0 for span in wanted):
        request.app.state.downloaded(key)
    return StreamingResponse(_send(file, pieces), status_code=status, headers=headers)


def _is_held(request: Request, etag: str) -> bool:
    """Whether the client says that it holds this version (If-None-Match, RFC 9110 13.1.2)."""
    held = request.headers.get("if-none-match", "").split(",")
    return any(one.strip().removeprefix("W/") in (etag, "*") for one in held)


def _open(store: FolderStore, key: str) -> tuple[FileIO, os.stat_result]:
    try:
        file = FileIO(store.path(key))
        stat = os.fstat(file.fileno())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise ObjectMissing("This photo is not here any more.") from None
    except OSError as error:
        raise StorageError(f"The storage folder failed: {error.strerror}.") from None
    if not S_ISREG(stat.st_mode):
        raise ObjectMissing("This photo is not here any more.")
    return file, stat


def _headers(key: str, stat: os.stat_result) -> dict[str, str]:
    filename = key.rpartition("/")[2]
    extension = filename.rpartition(".")[2].lower()
    return {
        "Content-Type": CONTENT_TYPES.get(extension, "application/octet-stream"),
        "Content-Disposition": attachment(filename),
        "Accept-Ranges": "bytes",
        "ETag": f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"',
        "Last-Modified": formatdate(stat.st_mtime, usegmt=True),
        "Cache-Control": "private",
        "X-Robots-Tag": "noindex",
        "X-Content-Type-Options": "nosniff",
    }


def _range_header(request: Request, headers: dict[str, str]) -> str | None:
    """The Range header, unless If-Range says that the client holds another version."""
    condition = request.headers.get("if-range")
    if condition is not None and condition not in (headers["ETag"], headers["Last-Modified"]):
        return None
    return request.headers.get("range")


def _lay_out(
    wanted: Sequence[Span] | None, size: int, headers: dict[str, str]
) -> tuple[int, list[bytes | Span]]:
    """The status and the pieces to send; completes the headers."""
    if wanted is None:
        headers["Content-Length"] = str(size)
        return 200, [Span(0, size)]
    if len(wanted) == 1:
        headers["Content-Range"] = f"bytes {wanted[0].start}-{wanted[0].stop - 1}/{size}"
        headers["Content-Length"] = str(wanted[0].length)
        return 206, list(wanted)
    boundary = secrets.token_hex(16)
    pieces: list[bytes | Span] = []
    for span in wanted:
        head = (
            f"\r\n--{boundary}\r\nContent-Type: {headers['Content-Type']}\r\n"
            f"Content-Range: bytes {span.start}-{span.stop - 1}/{size}\r\n\r\n"
        )
        pieces += [head.encode(), span]
    pieces.append(f"\r\n--{boundary}--\r\n".encode())
    length = sum(len(p) if isinstance(p, bytes) else p.length for p in pieces)
    headers["Content-Type"] = f"multipart/byteranges; boundary={boundary}"
    headers["Content-Length"] = str(length)
    return 206, pieces


def _not_satisfiable(size: int, headers: dict[str, str]) -> Response:
    return JSONResponse(
        {
            "responseType": "error",
            "message": f"The file has {size} bytes; none of those asked for is among them.",
            "data": None,
        },
        status_code=416,
        headers={
            "Content-Range": f"bytes */{size}",
            **{name: headers[name] for name in ("Accept-Ranges", "ETag", "Cache-Control")},
        },
    )


async def _send(file: FileIO, pieces: Sequence[bytes | Span]) -> AsyncIterator[bytes]:
    with file:
        for piece in pieces:
            if isinstance(piece, bytes):
                yield piece
                continue
            at = piece.start
            while at < piece.stop:
                length = min(CHUNK, piece.stop - at)
                chunk = _read_cached(file.fileno(), length, at)
                if not chunk:
                    chunk = await asyncio.to_thread(os.pread, file.fileno(), length, at)
                if not chunk:
                    raise StorageError("The file became shorter while it was read.")
                at += len(chunk)
                yield chunk


def _read_cached(descriptor: int, length: int, at: int) -> bytes:
    """What the page cache holds from there on, without ever waiting for the disk; else nothing.

    A hop to a thread for every chunk costs four times the processor time of the chunk.
    """
    if sys.platform != "linux":
        return b""
    buffer = bytearray(length)
    try:
        got = os.preadv(descriptor, [buffer], at, os.RWF_NOWAIT)
    except OSError:
        return b""
    return bytes(memoryview(buffer)[:got])
