"""The sheet to print and pin up at the finish: the way into the gallery as a QR code."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from fotofinish.events.events import Event
from fotofinish.events.gallery import GalleryChoices
from fotofinish.web.gallery.languages import choose_language, own_name
from fotofinish.web.gallery.templates import load_templates
from fotofinish.web.page_headers import SAFETY, page_policy


class Sheet:
    """Renders the sheet, in the language of the organiser's browser or the one switched to."""

    def __init__(self) -> None:
        self._templates = load_templates()

    def render(
        self, request: Request, event: Event, choices: GalleryChoices, address: str
    ) -> Response:
        """The page; `address` is what the code says."""
        language = choose_language(request, list(self._templates))
        others = {code: own_name(code) for code in self._templates if code != language}
        html = (
            self._templates[language]
            .get_template("gallery/sheet.html")
            .render(event=event, choices=choices, address=address, others=others)
        )
        headers = {**SAFETY, "Content-Security-Policy": page_policy(())}
        return HTMLResponse(html, headers=headers)
