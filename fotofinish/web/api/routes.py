"""Routes of the external API and of its description."""

from __future__ import annotations

import re

from starlette.routing import BaseRoute, Route

from fotofinish.web.api.docs import docs_page, openapi_document
from fotofinish.web.api.endpoints import ENDPOINTS, Endpoint
from fotofinish.web.api.openapi import BASE


def api_routes() -> list[BaseRoute]:
    """Every route of the external API, the busiest first."""
    return [
        *(_route(endpoint) for endpoint in ENDPOINTS),
        Route("/api/v1/openapi.json", openapi_document, methods=["GET"]),
        Route("/api/v1/docs", docs_page, methods=["GET"]),
    ]


def _route(endpoint: Endpoint) -> Route:
    # a bib may have a slash in it, as those of relay teams do
    path = BASE + endpoint.path.replace("{bib}", "{bib:path}")
    route = Route(path, endpoint.handle, methods=[endpoint.method])
    # and a line break, as far as addresses are concerned: nobody wears it, but it is no 404
    route.path_regex = re.compile(route.path_regex.pattern, re.DOTALL)
    return route
