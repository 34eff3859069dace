"""The pages of the gallery: the way in, what a search finds, one photo, and how results grow."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from fotofinish.delivery.selections import originals_by_id
from fotofinish.errors import NotFound
from fotofinish.events.published import PublishedEvent
from fotofinish.events.uses import Method
from fotofinish.photos.gallery import (
    Image,
    days_of_event,
    first_images,
    more_are_coming,
)
from fotofinish.web.gallery.consent import (
    CONSENT_VERSION,
    just_deleted,
    kept_days,
    kept_search,
    own_search,
)
from fotofinish.web.gallery.cookies import keep_cookie
from fotofinish.web.gallery.frame import Frame
from fotofinish.web.gallery.opening import OpenGallery
from fotofinish.web.gallery.searches import (
    MOST_IN_ARCHIVE,
    NothingAsked,
    Search,
    busiest_day,
    check_search,
    find_images,
    find_set,
    hours_of,
    read_search,
)
from fotofinish.web.gallery.tiles import FEW, make_tiles
from fotofinish.web.services import services

PAGE_SIZE = 60
MOST_PAGES = 4000
PURPOSE = b"fotofinish: searches of galleries, version 1"
# A search that a browser makes again, by a reload or in another language, is counted once: for a
# while it keeps a keyed hash of the search. The server keeps nothing of what was looked for.
COUNTED, COUNTED_FOR = "counted", 30 * 60
NO_PHOTO = "There is no such photo."


class Finding:
    """Everybody who may open the gallery may look."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    async def start(self, request: Request, gallery: OpenGallery) -> Response:
        """GET `/e/{slug}`: the ways to one's photos."""
        return await self.ask(request, gallery)

    async def ask(
        self, request: Request, gallery: OpenGallery, *, fault: str = "", status: int = 200
    ) -> Response:
        """The page with the forms; `fault` is what was wrong with what was sent."""
        ours = services(request)
        async with ours.pool.connection() as connection:
            hours = hours_of(gallery.event, await days_of_event(connection, gallery.event.id))
            # photos without a capture time are in no hour
            empty = not hours and not await first_images(connection, [gallery.event.id])
        return self._frame.render(
            request,
            "gallery/start.html",
            gallery,
            status=status,
            days=hours,
            busiest=busiest_day(hours),
            empty=empty,
            consent_version=CONSENT_VERSION,
            kept_days=kept_days(ours.settings, gallery.event),
            mine=await kept_search(request, gallery.event),
            deleted=just_deleted(request),
            fault=fault,
        )

    async def find(self, request: Request, gallery: OpenGallery) -> Response:
        """GET `/e/{slug}/find`: a page of what a search finds."""
        ours = services(request)
        try:
            search = await self.admit(request, gallery)
        except NothingAsked:
            by_bib = gallery.event.bib_search and "day" not in request.query_params
            fault = "no-bib" if by_bib else "nothing-asked"
            return await self.ask(request, gallery, fault=fault, status=422)
        page = _page_number(request)
        before = (page - 1) * PAGE_SIZE
        async with ours.pool.connection() as connection:
            found = await find_images(
                connection, gallery.event, search, offset=before, limit=PAGE_SIZE
            )
            coming = not found.total and await more_are_coming(connection, gallery.event.id)
        mark = seal(request, gallery.event, search, COUNTED)
        again = (
            page > 1 or request.cookies.get(COUNTED) == mark or not (search.bib or search.selfie)
        )
        if not again:
            method: Method = "bib" if search.bib else "selfie"
            ours.uses.searched(gallery.event.id, method, found=found.total > 0)
        tiles = make_tiles(ours, gallery.event.id, found.images)
        answer = self._frame.render(
            request,
            "gallery/results.html",
            gallery,
            pictures=[tile.small for tile in tiles[:1]],
            search=search,
            sealed=f"{search.query}&s={seal(request, gallery.event, search)}",
            total=found.total,
            coming=coming,
            most=MOST_IN_ARCHIVE,
            tiles=tiles,
            few=found.total <= FEW,
            page=page,
            before=before,
            earlier=min(page - 1, -(-found.total // PAGE_SIZE)),
            more=before + PAGE_SIZE < found.total,
            valid_for=ours.linker.lasting_for,
            mine=search.selfie is not None and own_search(request, gallery.event) == search.selfie,
        )
        if not again:
            keep_cookie(request, answer, COUNTED, mark, COUNTED_FOR, event=gallery.event)
        return answer

    async def live(self, request: Request, gallery: OpenGallery) -> Response:
        """GET `/e/{slug}/live`: which photos a search finds by now; 304 while they are the same."""
        search = await self.admit(request, gallery)
        async with services(request).pool.connection() as connection:
            found = await find_set(connection, gallery.event, search)
        headers = {"ETag": f'"{found.total}.{found.mark}"', "Cache-Control": "private, no-cache"}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return JSONResponse({"total": found.total, "mark": found.mark}, headers=headers)

    async def photo(self, request: Request, gallery: OpenGallery) -> Response:
        """GET `/e/{slug}/photo/{photo_id}`: one photo, as it is shared."""
        ours = services(request)
        photo_id: UUID = request.path_params["photo_id"]
        async with ours.pool.connection() as connection:
            found = await originals_by_id(connection, gallery.event.id, [photo_id])
        if not found:
            raise NotFound(NO_PHOTO)
        (tile,) = make_tiles(
            ours,
            gallery.event.id,
            [Image(photo_id, found[0].width, found[0].height, found[0].drawn)],
        )
        asked = request.query_params.get("done") == "asked"
        return self._frame.render(
            request,
            "gallery/photo.html",
            gallery,
            pictures=[tile.medium],
            tile=tile,
            valid_for=ours.linker.lasting_for,
            asked=asked,
            removing=asked or "remove" in request.query_params,
        )

    async def admit(self, request: Request, gallery: OpenGallery) -> Search:
        """The search in the address, if it may be made.

        A new bib costs a token; a link of ours that goes on with a search is sealed and does not.
        """
        search = read_search(request.query_params)
        given = request.query_params.get("s", "")
        expected = seal(request, gallery.event, search)
        if search.bib and not hmac.compare_digest(given.encode(), expected.encode()):
            await self._frame.brake(request, gallery)
        async with services(request).pool.connection() as connection:
            await check_search(connection, gallery.event, search)
        return search


def seal(request: Request, event: PublishedEvent, search: Search, purpose: str = "") -> str:
    """What says that this search was let through before, or of another `purpose`."""
    key = services(request).settings.signing_key()
    text = f"{purpose}{event.id}?{search.query}".encode()
    return hmac.digest(hashlib.sha256(PURPOSE + key).digest(), text, "sha256").hex()[:32]


def _page_number(request: Request) -> int:
    given = request.query_params.get("page", "1")
    return min(max(int(given), 1), MOST_PAGES) if given.isdecimal() and len(given) < 6 else 1
