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
from fotofinish.errors import FotofinishError, InvalidRequest, InvalidValue
from fotofinish.events.access import Access, Claim
from fotofinish.web.api.admission import (
    admit_to_event,
    check_event,
    check_key,
    check_rate,
    identify,
    require_search,
)
from fotofinish.web.api.models import (
    ImageRequest,
    ImagesRequest,
    OriginalsRequest,
    ParticipantRequest,
    parse_uuid,
)
from fotofinish.web.api.paging import Window, read_window
from fotofinish.web.bodies import read_json, validate
from fotofinish.web.services import Services, services

NO_SELFIE_ID = "identifier is not the UUID of a selfie."
NONE_VALID = "None of these photos is in this event."
SMALL = 4096  # bytes of a body that came along with its headers


async def original_photos(request: Request) -> Response:
    """POST `original-photos`: by bib, by selfie, or by image ids."""
    claim = identify(request)
    if not 0 < _announced(request) <= SMALL:
        await admit_to_event(request)  # nobody uploads much before he is known
    method = None
    try:
        body = await read_json(request)
        method = body.get("method") if isinstance(body, dict) else None
        wanted, window = _check(request, body, method)
    except FotofinishError:
        # whether the caller may is decided first: a stranger learns nothing of what is wrong
        access = await admit_to_event(request)
        if method in ("bib", "selfie"):
            require_search(access, method)
        raise
    if isinstance(wanted, ParticipantRequest):
        return await _of_participant(request, claim, wanted, window)
    return await _of_ids(request, wanted, window)


def _announced(request: Request) -> int:
    """The length of the body as announced, 0 when it is not."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() and len(length) < 20 else 0


def _check(request: Request, body: object, method: object) -> tuple[OriginalsRequest, Window]:
    """Body and query as they should be.

    Raises InvalidValue with the faults of both, InvalidRequest for a selfie that is no UUID.
    """
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
    if wanted.method == "selfie" and parse_uuid(wanted.identifier) is None:
        raise InvalidRequest(NO_SELFIE_ID)
    return wanted, window


async def _of_participant(
    request: Request, claim: Claim, wanted: ParticipantRequest, window: Window
) -> Response:
    ours = services(request)
    access, page = await _find(ours, claim, wanted, window)
    access = check_event(request, check_key(request, claim, access))
    require_search(access, wanted.method)
    await check_rate(request, access)
    links, failures = await link_originals(
        ours.store,
        ours.linker,
        access.reached_event,
        page.filenames,
        check=ours.settings.check_originals,
    )
    if wanted.method == "bib" and not window.offset:
        ours.uses.searched(access.reached_event, "bib", found=page.total > 0)
    ours.uses.linked(access.reached_event, len(links))
    message = None
    if not page.total:
        message = f"No images found for {wanted.method} {wanted.identifier}"
    return _answer(request, links, failures, wanted.identifier, message, window, page.total)


async def _find(
    ours: Services, claim: Claim, wanted: ParticipantRequest, window: Window
) -> tuple[Access | None, OriginalsPage]:
    identifier, offset, limit = wanted.identifier, window.offset, window.page_size
    async with ours.pool.connection() as connection:
        if wanted.method == "bib":
            return await find_by_bib(connection, claim, identifier, offset=offset, limit=limit)
        return await find_by_selfie(connection, claim, UUID(identifier), offset=offset, limit=limit)


async def _of_ids(
    request: Request, wanted: ImageRequest | ImagesRequest, window: Window
) -> Response:
    ours = services(request)
    access = await admit_to_event(request)
    await check_rate(request, access)
    event_id = access.reached_event
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
    ours.uses.linked(event_id, len(links))
    failures += [
        Failure(image_id=str(id), error=UNKNOWN, path=None) for id in page if id not in found
    ]
    identifier = wanted.identifier if isinstance(wanted, ImageRequest) else None
    return _answer(request, links, failures, identifier, None, window, len(asked))


def _answer(
    request: Request,
    links: list[Link],
    failures: list[Failure],
    identifier: str | None,
    message: str | None,
    window: Window,
    total: int,
) -> Response:
    services(request).metrics.count_links(made=len(links), failed=len(failures))
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
