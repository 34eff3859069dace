"""`original-photos`: time-limited links to the originals of one participant."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response

from fotofinish.delivery.originals import (
    UNKNOWN,
    Failure,
    Link,
    OriginalsPage,
    find_by_bib,
    find_by_ids,
    find_by_selfie,
    link_originals,
)
from fotofinish.errors import InvalidRequest, InvalidValue
from fotofinish.web.api.admission import admit_to_event, require_search
from fotofinish.web.api.bodies import read_json, validate
from fotofinish.web.api.models import (
    ImageRequest,
    ImagesRequest,
    OriginalsRequest,
    ParticipantRequest,
    parse_uuid,
)
from fotofinish.web.api.paging import Window, read_window
from fotofinish.web.services import Services, services

NO_SELFIE_ID = "identifier is not the UUID of a selfie."
NONE_VALID = "None of these photos is in this event."


async def original_photos(request: Request) -> Response:
    """POST `original-photos`: by bib, by selfie, or by image ids."""
    access = await admit_to_event(request)
    event_id = access.reached_event
    body = await read_json(request)
    method = body.get("method") if isinstance(body, dict) else None
    if method in ("bib", "selfie"):
        require_search(access, method)
    wanted, window = _check(request, body, method)
    ours = services(request)
    if isinstance(wanted, ParticipantRequest):
        return await _of_participant(ours, event_id, wanted, window)
    return await _of_ids(ours, event_id, wanted, window)


def _check(request: Request, body: object, method: object) -> tuple[OriginalsRequest, Window]:
    """Body and query as they should be; raises InvalidValue with the faults of both."""
    model: type[OriginalsRequest] = ParticipantRequest
    if method == "image_id":
        model = ImageRequest
    elif method == "image_ids":
        model = ImagesRequest
    faults = []
    try:
        window = read_window(request, default=30, most=60)
    except InvalidValue as error:
        faults.append(error.message)
    try:
        wanted = validate(model, body)
    except InvalidValue as error:
        faults.append(error.message)
    if faults:
        raise InvalidValue("; ".join(faults))
    return wanted, window


async def _of_participant(
    ours: Services, event_id: int, wanted: ParticipantRequest, window: Window
) -> Response:
    page = await _find(ours, event_id, wanted, window)
    links, failures = await link_originals(
        ours.store, ours.linker, event_id, page.filenames, check=ours.settings.check_originals
    )
    message = None
    if not page.total:
        message = f"No images found for {wanted.method} {wanted.identifier}"
    return _answer(links, failures, wanted.identifier, message, window, page.total)


async def _find(
    ours: Services, event_id: int, wanted: ParticipantRequest, window: Window
) -> OriginalsPage:
    identifier, offset, limit = wanted.identifier, window.offset, window.page_size
    if wanted.method == "bib":
        async with ours.pool.connection() as connection:
            return await find_by_bib(connection, event_id, identifier, offset=offset, limit=limit)
    selfie_id = parse_uuid(identifier)
    if selfie_id is None:
        raise InvalidRequest(NO_SELFIE_ID)
    async with ours.pool.connection() as connection:
        return await find_by_selfie(connection, event_id, selfie_id, offset=offset, limit=limit)


async def _of_ids(
    ours: Services, event_id: int, wanted: ImageRequest | ImagesRequest, window: Window
) -> Response:
    ids = [wanted.identifier] if isinstance(wanted, ImageRequest) else wanted.identifier
    asked = list(dict.fromkeys(map(UUID, ids)))
    async with ours.pool.connection() as connection:
        found = await find_by_ids(connection, event_id, asked)
    if not found:
        raise InvalidRequest(NONE_VALID)
    page = asked[window.offset : window.offset + window.page_size]
    links, failures = await link_originals(
        ours.store,
        ours.linker,
        event_id,
        [found[id] for id in page if id in found],
        check=ours.settings.check_originals,
    )
    failures += [Failure(str(id), UNKNOWN, None) for id in page if id not in found]
    identifier = wanted.identifier if isinstance(wanted, ImageRequest) else None
    return _answer(links, failures, identifier, None, window, len(asked))


def _answer(
    links: list[Link],
    failures: list[Failure],
    identifier: str | None,
    message: str | None,
    window: Window,
    total: int,
) -> Response:
    body: dict[str, Any] = {
        "presigned_urls": links,
        "failed_urls": failures,
        "total_images": len(links) + len(failures),
        "successful_count": len(links),
        "failed_count": len(failures),
        "identifier": identifier,
        "message": message,
        "pagination": window.pagination(total),
    }
    return Response(orjson.dumps(body), media_type="application/json")
