"""What fails where no gallery is at hand, said to participants: links to files, and whole galleries
while the server has no database.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse

from fotofinish.web.gallery.languages import choose_language
from fotofinish.web.gallery.templates import load_templates
from fotofinish.web.page_headers import SAFETY, page_policy

FILES = "/files/"
GALLERIES = "/e/"


class Failing:
    """Renders the page, in the visitor's language."""

    def __init__(self) -> None:
        self._templates = load_templates()

    def render(self, request: Request, status: int) -> HTMLResponse:
        """The page of an address below `/files/` or `/e/` that is answered with this status."""
        language = choose_language(request, list(self._templates))
        path = request.url.path
        html = (
            self._templates[language]
            .get_template("gallery/failing.html")
            .render(
                status=status,
                of_file=path.startswith(FILES),
                base="" if path.startswith(FILES) else "/".join(path.split("/")[:3]),
                brand=None,
                indexed=False,
            )
        )
        headers = {
            **SAFETY,
            "Content-Language": language,
            "Content-Security-Policy": page_policy(()),
            "Vary": "Accept, Accept-Language, Cookie",
        }
        return HTMLResponse(html, status, headers=headers)


def is_of_participants(path: str) -> bool:
    """Whether participants, who have nothing on the dashboard's pages, go to this address."""
    return path.startswith((FILES, GALLERIES))
