"""The calls around photos that the browser puts into the bucket itself.

`check` lets the page see whether the bucket's CORS rules allow it; `begin` and `go_on` say where
the parts that are missing are to be put; `finish` takes the file in. Each asks anew who is there
and whether he may. Without such a bucket they answer 404, and the page sends by tus.
"""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from fotofinish.errors import InvalidRequest, InvalidValue, NotFound
from fotofinish.photos.direct_uploads import DirectUpload, DirectUploads
from fotofinish.storage.direct import PART_BYTES
from fotofinish.web.bodies import read_body
from fotofinish.web.dashboard.upload_page import find_to_upload, names_of_file
from fotofinish.web.dashboard.visitors import Visitor
from fotofinish.web.services import services

BODY_BYTES = 16 * 1024
FORM = 'The body is {"name": "…", "path": "…", "size": bytes}.'


class DirectUploadCalls:
    """For editors and owners, as all uploads."""

    async def check(self, request: Request, visitor: Visitor) -> Response:
        """POST `/events/{event_id}/direct/check`: where the page may try with one byte."""
        async with services(request).pool.connection() as connection:
            await find_to_upload(connection, request, visitor)
        return JSONResponse({"url": _direct(request).check_link()})

    async def begin(self, request: Request, visitor: Visitor) -> Response:
        """POST `/events/{event_id}/direct`."""
        async with services(request).pool.connection() as connection:
            event = await find_to_upload(connection, request, visitor)
        direct = _direct(request)
        name, folder, size = await _file(request)
        upload = await direct.begin(event.id, visitor.account.id, name, size, folder)
        return JSONResponse(await _state(direct, upload), status_code=201)

    async def go_on(self, request: Request, visitor: Visitor) -> Response:
        """POST `…/direct/{upload_id}`: where it stands."""
        direct, upload = await self._find(request, visitor)
        return JSONResponse(await _state(direct, upload))

    async def finish(self, request: Request, visitor: Visitor) -> Response:
        """POST `…/direct/{upload_id}/finish`; 409 when parts are missing."""
        direct, upload = await self._find(request, visitor)
        return JSONResponse(_result(await direct.finish(upload)))

    async def _find(self, request: Request, visitor: Visitor) -> tuple[DirectUploads, DirectUpload]:
        async with services(request).pool.connection() as connection:
            event = await find_to_upload(connection, request, visitor)
        direct = _direct(request)
        upload_id = request.path_params["upload_id"]
        return direct, await direct.find(event.id, visitor.account.id, upload_id)


def _direct(request: Request) -> DirectUploads:
    direct = services(request).direct_uploads
    if direct is None:
        raise NotFound("Photos go through this server here.")
    return direct


async def _state(direct: DirectUploads, upload: DirectUpload) -> dict[str, object]:
    """What is missing and where to put it, or what became of it."""
    if upload.result is not None:
        return _result(upload)
    missing = await direct.missing(upload)
    return {"id": str(upload.id), "part_bytes": PART_BYTES, "missing": missing}


def _result(upload: DirectUpload) -> dict[str, object]:
    return {"result": upload.result, "reason": upload.reason or ""}


async def _file(request: Request) -> tuple[str, str, int]:
    """Name, folder and size of what is to come."""
    body = await read_body(request, BODY_BYTES)
    try:
        given = orjson.loads(body)
        name, path, size = given["name"], given.get("path", ""), given["size"]
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
        raise InvalidRequest(FORM) from None
    if not (isinstance(name, str) and isinstance(path, str) and type(size) is int):
        raise InvalidRequest(FORM)
    if size <= 0:
        raise InvalidValue("The file is empty.")
    return *names_of_file(name, path), size
