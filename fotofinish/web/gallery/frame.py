"""What the public pages share: templates in each language, headers, errors as pages, visitors."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from fotofinish.errors import FotofinishError, RateExceeded
from fotofinish.web.compressing import accepts_gzip, compress
from fotofinish.web.gallery.branding import Brand, brand_of, find_brand
from fotofinish.web.gallery.consent import just_deleted, kept_search
from fotofinish.web.gallery.cookies import keep_cookie
from fotofinish.web.gallery.door import enter, give_pass, wanted_page
from fotofinish.web.gallery.languages import COOKIE, choose_language, choose_locale, own_name
from fotofinish.web.gallery.opening import GalleryClosed, OpenGallery, open_gallery
from fotofinish.web.gallery.slowing import VISITOR, new_visitor, sign, slow, visitor_of
from fotofinish.web.gallery.templates import load_templates
from fotofinish.web.page_headers import page_policy
from fotofinish.web.services import services

YEAR = 365 * 24 * 3600
SAFETY = {
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cache-Control": "private, no-cache",
    "Vary": "Accept-Encoding, Accept-Language, Cookie",
}

Handler = Callable[[Request, OpenGallery], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


class Frame:
    """Renders public pages, and turns handlers into endpoints that ask the door first."""

    def __init__(self) -> None:
        self._templates = load_templates()

    def page(self, handler: Handler, *, often: int | str = 429) -> Endpoint:
        """A page or call of an open gallery; anything else is said in a page of its own. `often`
        is what that page says was done too often: by itself, searches."""

        @functools.wraps(handler)
        async def endpoint(request: Request) -> Response:
            try:
                gallery = await open_gallery(request)
                answer = await handler(request, gallery)
                if gallery.fresh_pass is not None:
                    give_pass(request, answer, gallery.event, gallery.fresh_pass)
            except GalleryClosed as closed:
                status = 410 if closed.reason == "archived" else 403
                answer = self.render(
                    request,
                    "gallery/code.html" if closed.reason == "code" else "gallery/closed.html",
                    None,
                    status=status,
                    brand=brand_of(closed.event, closed.choices),
                    event=closed.event,
                    reason=closed.reason,
                    wanted=wanted_page(request),
                    wrong=request.query_params.get("wrong"),
                    mine=await kept_search(request, closed.event),
                    deleted=just_deleted(request),
                )
            except FotofinishError as error:
                if error.status >= 500:
                    raise
                trouble = often if isinstance(error, RateExceeded) else error.status
                answer = await self._trouble(request, error, trouble)
            return self._know_again(request, answer)

        return endpoint

    def render(
        self,
        request: Request,
        template: str,
        gallery: OpenGallery | None,
        *,
        status: int = 200,
        brand: Brand | None = None,
        pictures: Iterable[str] = (),
        **values: Any,
    ) -> Response:
        """A page in the visitor's language, under the gallery's brand or `brand`; `pictures` are
        addresses that it loads images from."""
        language = choose_language(request, list(self._templates))
        indexed = gallery is not None and gallery.choices.indexed and not request.query_params
        path = request.url.path if request.method == "GET" else f"/e/{request.path_params['slug']}"
        switches = {
            other: (
                own_name(other),
                f"{path}?" + urlencode({**request.query_params, COOKIE: other}),
            )
            for other in self._templates
            if other != language
        }
        html = (
            self._templates[language]
            .get_template(template)
            .render(
                locale=choose_locale(request, language),
                gallery=gallery,
                brand=brand_of(gallery.event, gallery.choices) if gallery else brand,
                indexed=indexed,
                switches=switches,
                base=f"/e/{request.path_params['slug']}",
                shared_key=_shared_key(gallery),
                public_url=services(request).settings.public_url.rstrip("/"),
                **values,
            )
        )
        headers = {**SAFETY, "Content-Language": language}
        headers["Content-Security-Policy"] = page_policy(pictures)
        if not indexed:
            headers["X-Robots-Tag"] = "noindex, nofollow"
        if not accepts_gzip(request):
            return HTMLResponse(html, status, headers=headers)
        headers["Content-Encoding"] = "gzip"
        return HTMLResponse(compress(html.encode()), status, headers=headers)

    def text(self, request: Request, template: str, **values: Any) -> str:
        """A text without a page around it, in the visitor's language."""
        language = choose_language(request, list(self._templates))
        return self._templates[language].get_template(template).render(**values)

    async def enter(self, request: Request) -> Response:
        """POST `/e/{slug}/enter`: with the access code, by whoever has no pass yet."""
        try:
            answer = await enter(request)
        except FotofinishError as error:
            if error.status >= 500:
                raise
            trouble = "codes" if isinstance(error, RateExceeded) else error.status
            answer = await self._trouble(request, error, trouble)
        return self._know_again(request, answer)

    async def brake(self, request: Request, gallery: OpenGallery, cost: int = 1) -> None:
        """Slow a client that searches too much; raises RateExceeded."""
        await slow(request, gallery.event.id, cost)

    async def _trouble(
        self, request: Request, error: FotofinishError, trouble: int | str
    ) -> Response:
        answer = self.render(
            request,
            "gallery/trouble.html",
            None,
            status=error.status,
            brand=await find_brand(request),
            trouble=trouble,
        )
        if isinstance(error, RateExceeded):
            answer.headers["Retry-After"] = str(max(1, round(error.wait)))
        return answer

    def _know_again(self, request: Request, answer: Response) -> Response:
        """Cookies: a random name for the browser, and the language that was switched to."""
        if visitor_of(request) is None:
            signed = sign(services(request).settings.signing_key(), new_visitor())
            keep_cookie(request, answer, VISITOR, signed, YEAR)
        wanted = request.query_params.get(COOKIE)
        if wanted in self._templates:
            keep_cookie(request, answer, COOKIE, wanted, YEAR)
        return answer


def _shared_key(gallery: OpenGallery | None) -> str:
    """What an address that is shared carries so that it opens this gallery for others too."""
    if gallery is None or gallery.choices.access != "link":
        return ""
    return urlencode({"key": gallery.choices.link_token})
