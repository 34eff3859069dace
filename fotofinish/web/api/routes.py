"""Routes of the external API and of its description."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from fotofinish.web.api.docs import docs_page, openapi_document
from fotofinish.web.api.endpoints import ENDPOINTS, Endpoint
from fotofinish.web.api.openapi import BASE

Handler = Callable[[Request], Awaitable[Response]]


def api_routes() -> list[BaseRoute]:
    """Every route of the external API, the busiest first."""
    by_path: dict[str, list[Endpoint]] = {}
    for endpoint in ENDPOINTS:
        by_path.setdefault(endpoint.path, []).append(endpoint)
    return [
        *(_route(path, endpoints) for path, endpoints in by_path.items()),
        Route("/api/v1/openapi.json", openapi_document, methods=["GET"]),
        Route("/api/v1/docs", docs_page, methods=["GET"]),
    ]


def _route(path: str, endpoints: Sequence[Endpoint]) -> Route:
    """One route for all methods of an address, so that a 405 can name them all."""
    handle = _handle(endpoints)
    if "{bib}" in path:
        # a bib may have a slash in it, as those of relay teams do
        handle = _with_slashes_of(BASE + path, handle)
        path = path.replace("{bib}", "{bib:path}")
    path = BASE + path
    route = Route(path, handle, methods=[endpoint.method for endpoint in endpoints])
    # and a line break, as far as addresses are concerned: nobody wears it, but it is no 404
    route.path_regex = re.compile(route.path_regex.pattern, re.DOTALL)
    return route


def _with_slashes_of(path: str, handle: Handler) -> Handler:
    """Answers 404 to an address with more slashes than its path; one of a bib is written `%2F`."""

    async def handle_exact(request: Request) -> Response:
        if request.scope["raw_path"].count(b"/") > path.count("/"):
            raise HTTPException(404)
        return await handle(request)

    return handle_exact


def _handle(endpoints: Sequence[Endpoint]) -> Handler:
    if len(endpoints) == 1:
        return endpoints[0].handle
    handlers = {endpoint.method: endpoint.handle for endpoint in endpoints}
    handlers["HEAD"] = handlers["GET"]

    async def handle(request: Request) -> Response:
        return await handlers[request.method](request)

    return handle
