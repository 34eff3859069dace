"""“Remove this photo of me”: the form under a photo; its answer is the organiser's."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fotofinish.errors import NotAllowed, TooLarge
from fotofinish.photos.removals import ask_removal
from fotofinish.web.forms import FOREIGN_FORM, from_our_own_page, read_form, text
from fotofinish.web.gallery.frame import Frame
from fotofinish.web.gallery.opening import OpenGallery
from fotofinish.web.services import services

MOST_BYTES = 16 * 1024


class Removing:
    """Anybody who sees a photo may ask, without saying who they are."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    async def ask(self, request: Request, gallery: OpenGallery) -> Response:
        """POST `/e/{slug}/photo/{photo_id}/remove` with `message` and `contact`, both optional."""
        if not from_our_own_page(request):
            raise NotAllowed(FOREIGN_FORM)
        length = request.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            raise TooLarge("This text is too long.")
        await self._frame.brake(request, gallery)
        form = await read_form(request)
        photo_id = request.path_params["photo_id"]
        async with services(request).pool.connection() as connection:
            await ask_removal(
                connection, gallery.event.id, photo_id, text(form, "message"), text(form, "contact")
            )
        return RedirectResponse(f"/e/{gallery.event.slug}/photo/{photo_id}?done=asked#remove", 303)
