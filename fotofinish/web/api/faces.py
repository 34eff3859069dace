"""Face Search: by selfie, once; its stored result; and forgetting it."""

from __future__ import annotations

from uuid import UUID, uuid4

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from fotofinish.errors import (
    InvalidRequest,
    InvalidValue,
    NotAllowed,
    NotFound,
    TooLarge,
    UnsupportedFormat,
)
from fotofinish.faces.selfies import SelfieSearch, delete_search
from fotofinish.photos.formats import HEAD_BYTES, sniff
from fotofinish.photos.gallery import images_of_selfie
from fotofinish.web.api.admission import NO_EVENT, admit_to_event, check_rate, require_search
from fotofinish.web.api.answers import image_list, success
from fotofinish.web.api.models import parse_uuid
from fotofinish.web.api.paging import Window, read_window
from fotofinish.web.forms import read_file_form
from fotofinish.web.services import services

FILE_FIELDS = ("file", "selfie", "image")
NO_FACE = "No face was found in the selfie"
FOUND = "Records for selfie"
UNKNOWN = "There is no such selfie search."


async def search_faces(request: Request) -> Response:
    """POST `faces`: search by selfie; a `request_id` that is stored is answered from there."""
    access = await admit_to_event(request)
    require_search(access, "selfie")
    window = _window(request)
    ours = services(request)
    form = await read_file_form(request, ours.settings.max_selfie_bytes)
    access = await admit_to_event(request)  # again: a slow form takes minutes
    require_search(access, "selfie")
    given = form.get("request_id")
    request_id = uuid4() if given is None else _request_id(given)
    search = None if given is None else await ours.selfies.find(access.reached_event, request_id)
    if search is not None:
        await check_rate(request, access)
        return await _result(request, access.reached_event, search, window)
    picture = await _picture(form, ours.settings.max_selfie_bytes)
    await check_rate(request, access)
    await check_rate(request, access, "search")
    try:
        search = await ours.selfies.search(
            access.reached_event,
            request_id,
            picture,
            threshold=access.match_threshold,
            keep_days=access.retention_days,
        )
    except NotFound:
        raise NotAllowed(NO_EVENT) from None
    return await _result(request, access.reached_event, search, window, fresh=True)


async def stored_search(request: Request) -> Response:
    """GET `faces/{request_id}`: the result of a search, without searching again."""
    access = await admit_to_event(request)
    require_search(access, "selfie")
    request_id = _request_id(request.path_params["request_id"])
    window = _window(request)
    await check_rate(request, access)
    search = await services(request).selfies.find(access.reached_event, request_id)
    if search is None:
        raise NotFound(UNKNOWN)
    return await _result(request, access.reached_event, search, window)


async def forget_search(request: Request) -> Response:
    """DELETE `faces/{request_id}`: selfie, template and matches are gone. No switch forbids it."""
    access = await admit_to_event(request)
    request_id = _request_id(request.path_params["request_id"])
    await check_rate(request, access)
    async with services(request).pool.connection() as connection:
        there = await delete_search(connection, access.reached_event, request_id)
    if not there:
        raise NotFound(UNKNOWN)
    return success("The selfie and its matches are deleted", {"request_id": str(request_id)})


def _window(request: Request) -> Window:
    return read_window(request, default=32, most=100)


def _request_id(given: object) -> UUID:
    request_id = parse_uuid(given) if isinstance(given, str) else None
    if request_id is None:
        raise InvalidRequest("request_id is not a UUID.")
    return request_id


async def _picture(form: FormData, most: int) -> bytes:
    """The bytes of the first upload that has any: forms send a part for each untouched field.

    Raises InvalidValue without an upload, InvalidRequest when all are empty or it does not begin as
    a picture, TooLarge.
    """
    given = [part for name in FILE_FIELDS for part in form.getlist(name)]
    if not given:
        raise InvalidValue("body.file: Field required")
    for part in given:
        picture = await part.read() if isinstance(part, UploadFile) else part.encode()
        if picture:
            _check_picture(picture, most)
            return picture
    raise InvalidRequest("The selfie is empty.")


def _check_picture(picture: bytes, most: int) -> None:
    if len(picture) > most:
        raise TooLarge(f"The selfie is larger than {most:,} bytes.")
    try:
        sniff(picture[:HEAD_BYTES])
    except UnsupportedFormat as error:
        raise InvalidRequest(error.message) from None


async def _result(
    request: Request,
    event_id: int,
    search: SelfieSearch,
    window: Window,
    *,
    fresh: bool = False,
) -> Response:
    ours = services(request)
    async with ours.pool.connection() as connection:
        page = await images_of_selfie(
            connection, event_id, search.id, offset=window.offset, limit=window.page_size
        )
    if fresh:
        ours.uses.searched(event_id, "selfie", found=page.total > 0)
    return image_list(
        ours,
        event_id,
        page,
        window,
        FOUND,
        empty=None if search.has_face else NO_FACE,
        request_id=str(search.id),
        confidence_percentage=round(search.threshold * 100, 1),
    )
