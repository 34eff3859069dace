"""Watches every request: its id, one line in the log, its count and time in the metrics.

What is written is the route's pattern and never the address, which may hold a bib number, a
signature or a selfie's id.
"""

from __future__ import annotations

import logging
import re
import time
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fotofinish.logs import request_id
from fotofinish.web.metrics import Metrics

logger = logging.getLogger("fotofinish.requests")

HEADER = "X-Request-ID"
GOOD_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
NO_ROUTE = "none"
CUT_OFF = 499  # the client went away before an answer began (nginx's number for it)


class Observation:
    """ASGI middleware. A caller's request id is kept when it is a plain one, else one is made."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        given = Headers(scope=scope).get(HEADER, "")
        this = given if GOOD_ID.fullmatch(given) else uuid4().hex
        request_id.set(this)  # for all lines of this request, those of the server after us too
        status = CUT_OFF

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = this
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            status = 500
            raise
        finally:
            self._note(scope, status, time.perf_counter() - begun)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = route_of(scope)
        self._metrics.count_request(scope["method"], route, status, seconds)
        if logger.isEnabledFor(logging.INFO):
            fields = {
                "method": scope["method"][:16],
                "route": route,
                "status": status,
                "ms": round(seconds * 1000, 2),
                "org_id": scope.get("state", {}).get("org_id"),
            }
            logger.info("request", extra={"fields": fields})


def route_of(scope: Scope) -> str:
    """The pattern of the route that a request was led to, for the log and the metrics."""
    pattern: str = getattr(scope.get("route"), "path", NO_ROUTE)
    return pattern
