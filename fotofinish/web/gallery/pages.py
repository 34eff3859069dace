"""The gallery's routes."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from fotofinish.errors import NotFound
from fotofinish.web.gallery.branding import colours, logo
from fotofinish.web.gallery.consent import SELFIE_COST, forget_selfie, read_selfie
from fotofinish.web.gallery.downloads import Downloads
from fotofinish.web.gallery.finding import Finding
from fotofinish.web.gallery.frame import Frame
from fotofinish.web.gallery.opening import OpenGallery
from fotofinish.web.gallery.removing import Removing


def gallery_routes() -> list[Route]:
    """Every route of the gallery, with what they share; `app.state.services` serves them all."""
    frame = Frame()
    finding = Finding(frame)
    downloads, removing = Downloads(frame, finding), Removing(frame)

    async def search_by_selfie(request: Request, gallery: OpenGallery) -> Response:
        """POST `/e/{slug}/selfie`: to the result, or back to the form with what is wrong."""
        await frame.brake(request, gallery, SELFIE_COST)
        answer = await read_selfie(request, gallery)
        if isinstance(answer, str):
            return await finding.ask(request, gallery, fault=answer, status=422)
        return answer

    async def slashed(request: Request) -> Response:
        """GET `/e/{slug}/`: to the gallery, with what is asked for, a key for instance."""
        query = request.url.query
        return RedirectResponse(
            f"/e/{request.path_params['slug']}{'?' if query else ''}{query}", 303
        )

    async def lost(request: Request, gallery: OpenGallery) -> Response:
        """Any other address below a gallery: said in the visitor's language."""
        raise NotFound("There is nothing at this address.")

    return [
        Route("/e/{slug}", frame.page(finding.start), methods=["GET"]),
        Route("/e/{slug}/", slashed, methods=["GET"]),
        Route("/e/{slug}/enter", frame.enter, methods=["POST"]),
        Route("/e/{slug}/logo.png", logo, methods=["GET"]),
        Route("/e/{slug}/brand.css", colours, methods=["GET"]),
        Route("/e/{slug}/find", frame.page(finding.find), methods=["GET"]),
        Route("/e/{slug}/live", frame.page(finding.live), methods=["GET"]),
        Route("/e/{slug}/selfie", frame.page(search_by_selfie), methods=["POST"]),
        Route("/e/{slug}/selfie/delete", forget_selfie, methods=["POST"]),
        Route("/e/{slug}/photo/{photo_id:uuid}", frame.page(finding.photo), methods=["GET"]),
        Route(
            "/e/{slug}/photo/{photo_id:uuid}/download",
            frame.page(downloads.one),
            methods=["GET"],
        ),
        Route(
            "/e/{slug}/photo/{photo_id:uuid}/remove",
            frame.page(removing.ask, often="removals"),
            methods=["POST"],
        ),
        Route("/e/{slug}/photos.zip", frame.page(downloads.archive), methods=["GET"]),
        Route("/e/{slug}/{rest:path}", frame.page(lost), methods=["GET"]),
    ]
