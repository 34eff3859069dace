"""Routes of the external API and of its description."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from fotofinish.web.api.docs import docs_page, openapi_document
from fotofinish.web.api.endpoints import ENDPOINTS
from fotofinish.web.api.openapi import BASE


def api_routes() -> list[BaseRoute]:
    """Every route of the external API, the busiest first."""
    return [
        *(
            # a bib may have a slash in it, as those of relay teams do
            Route(
                BASE + endpoint.path.replace("{bib}", "{bib:path}"),
                endpoint.handle,
                methods=[endpoint.method],
            )
            for endpoint in ENDPOINTS
        ),
        Route("/api/v1/openapi.json", openapi_document, methods=["GET"]),
        Route("/api/v1/docs", docs_page, methods=["GET"]),
    ]
