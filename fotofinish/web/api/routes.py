"""The addresses of the external API."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from fotofinish.web.api.originals import original_photos

BASE = "/api/v1/ext"
EVENT = BASE + "/{org_id}/event/{event_id}"


def api_routes() -> list[BaseRoute]:
    """Every route of the external API, the busiest first."""
    return [Route(EVENT + "/original-photos", original_photos, methods=["POST"])]
