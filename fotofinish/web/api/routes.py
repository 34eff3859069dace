"""The addresses of the external API."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from fotofinish.web.api.events import details, events, ping
from fotofinish.web.api.faces import forget_search, search_faces, stored_search
from fotofinish.web.api.images import (
    all_images,
    images_with_bib,
    timeline_days,
    timeline_images,
)
from fotofinish.web.api.originals import original_photos

BASE = "/api/v1/ext"
EVENT = BASE + "/{org_id}/event/{event_id}"


def api_routes() -> list[BaseRoute]:
    """Every route of the external API, the busiest first."""
    return [
        Route(EVENT + "/original-photos", original_photos, methods=["POST"]),
        Route(EVENT + "/bibs/{bib:path}", images_with_bib, methods=["GET"]),
        Route(EVENT + "/images", all_images, methods=["GET"]),
        Route(EVENT + "/faces", search_faces, methods=["POST"]),
        Route(EVENT + "/faces/{request_id}", stored_search, methods=["GET"]),
        Route(EVENT + "/faces/{request_id}", forget_search, methods=["DELETE"]),
        Route(EVENT + "/timeline/days", timeline_days, methods=["GET"]),
        Route(EVENT + "/timeline/images", timeline_images, methods=["GET"]),
        Route(EVENT + "/ping", ping, methods=["GET"]),
        Route(EVENT + "/details", details, methods=["GET"]),
        Route(BASE + "/{org_id}/events", events, methods=["GET"]),
    ]
