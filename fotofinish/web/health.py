"""For those who run the server: `/healthz`, `/readyz`, and Prometheus' `/metrics`.

Health says nothing but "ok", so anybody may ask; the figures need `FOTOFINISH_METRICS_TOKEN`.
"""

from __future__ import annotations

import hmac

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fotofinish.errors import NotAllowed, NotAuthenticated, NotFound
from fotofinish.photos.photos import count_states
from fotofinish.queue import queue_state
from fotofinish.web.services import services

NO_TOKEN = "Set FOTOFINISH_METRICS_TOKEN, and send it as 'Authorization: Bearer …'."


async def healthz(request: Request) -> Response:
    """GET `/healthz`: the process is alive."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """GET `/readyz`: 200 when all that requests need answers, else 503 and which part does not."""
    parts = await services(request).readiness.parts()
    said = {name: "ok" if answers else "does not answer" for name, answers in parts.items()}
    ready = all(parts.values())
    return JSONResponse(
        {"status": "ready" if ready else "not ready", **said},
        200 if ready else 503,
        headers={"Cache-Control": "no-store"},
    )


async def metrics(request: Request) -> Response:
    """GET `/metrics`, for who holds the token."""
    ours = services(request)
    _check_token(request, ours.settings.metrics_token)
    async with ours.pool.connection() as connection:
        queue = await queue_state(connection)
        photos = await count_states(connection)
    return Response(ours.metrics.page(queue, photos), media_type=ours.metrics.content_type)


def _check_token(request: Request, token: SecretStr | None) -> None:
    if token is None:
        raise NotFound(NO_TOKEN)
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not given:
        raise NotAuthenticated(NO_TOKEN)
    expected = token.get_secret_value().encode()
    if not hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), expected):
        raise NotAllowed("This token is not the one in FOTOFINISH_METRICS_TOKEN.")


def health_routes() -> list[Route]:
    """The three addresses."""
    return [
        Route("/healthz", healthz, methods=["GET"]),
        Route("/readyz", readyz, methods=["GET"]),
        Route("/metrics", metrics, methods=["GET"]),
    ]
