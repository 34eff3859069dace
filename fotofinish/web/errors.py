"""Errors as HTTP answers: one body for all of them, whatever raised them, and a page with the same
words for browsers that look for one.

A crash is answered without any detail; its stack goes to the server's log alone.
"""

from __future__ import annotations

import http
import logging
import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import orjson
import psycopg
from psycopg.errors import DiskFull, ForeignKeyViolation
from psycopg_pool import PoolTimeout, TooManyRequests
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from fotofinish.errors import FotofinishError, RateExceeded, StorageFull
from fotofinish.logs import request_id
from fotofinish.storage.local_links import NOT_VALID, is_of_a_link
from fotofinish.web.dashboard.shell import Shell
from fotofinish.web.gallery.failing import Failing, is_of_participants
from fotofinish.web.observation import HEADER, route_of

logger = logging.getLogger(__name__)

CRASHED = "Something went wrong on our side."
DATABASE_DOWN = "The database does not answer just now. Try again in a moment."
GONE = "What this was for has been deleted a moment ago."
DATABASE_FULL = "The database's disk is full. Whoever runs this server has to make room on it."
RETRY_AFTER = {429: "5", 503: "2"}  # seconds
MESSAGES = {
    404: "There is nothing at this address.",
    405: "This address does not take this method.",
}
BACK = "Go back to where this link stands and load that page again."
NEXT = {
    403: BACK,
    404: "Check the address, or go on from the first page.",
    405: "What a form sends goes there. Go back to the form, or go on from the first page.",
    410: BACK,
    429: "Wait a moment and load this page again.",
    507: "Load this page again when there is room.",
}
LATER = "Load this page again in a moment."


def answer(
    request: Request, status: int, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The error as a page for who opened the address in a browser, as the one body for others."""
    path, wanted = request.url.path, request.headers.get("accept", "")
    if path.startswith("/api/") or "text/html" not in wanted:
        return error_response(status, message, headers)
    if is_of_participants(path):
        page = _participants_pages().render(request, status)
    else:
        page = _pages().render(
            "error.html",
            status=status,
            message=message,
            hint=NEXT.get(status, LATER if status >= 500 else None),
            event_id=None,
        )
    page.headers.update(headers or {})
    return page


def error_response(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """The one body of every error; `message` is for people."""
    body = {"responseType": "error", "message": message, "data": None}
    return Response(orjson.dumps(body), status, headers, "application/json")


async def on_our_error(request: Request, error: Exception) -> Response:
    """What our own code raised on purpose."""
    assert isinstance(error, FotofinishError)
    if error.status == 500:
        logger.error("%s %s: %s", request.method, route_of(request.scope), error.message)
        return answer(request, 500, CRASHED)
    if isinstance(error, RateExceeded):
        wait = {"Retry-After": str(max(1, math.ceil(error.wait)))}
        return answer(request, error.status, error.message, wait)
    return answer(request, error.status, error.message, _retry_after(error.status))


async def on_http_error(request: Request, error: Exception) -> Response:
    """What the routing raised: unknown addresses and methods.

    A link that was changed before `/files/` is as wrong as one that was changed behind it.
    """
    assert isinstance(error, HTTPException)
    if error.status_code == 404 and is_of_a_link(request.scope["query_string"]):
        return answer(request, 403, NOT_VALID)
    message = MESSAGES.get(error.status_code) or http.HTTPStatus(error.status_code).phrase
    return answer(request, error.status_code, message, error.headers)


async def on_database_error(request: Request, error: Exception) -> Response:
    """The database is away: say so, and when to come back."""
    logger.error("%s %s: %s", request.method, route_of(request.scope), type(error).__name__)
    return answer(request, 503, DATABASE_DOWN, _retry_after(503))


async def on_gone(request: Request, error: Exception) -> Response:
    """What a row was to belong to (an event, a photo) was deleted at the same moment."""
    logger.warning("%s %s: %s", request.method, route_of(request.scope), type(error).__name__)
    return answer(request, 404, GONE)


async def on_full_database(request: Request, error: Exception) -> Response:
    """The database answers, but has no room to write: trying again does not help."""
    logger.error("%s %s: %s", request.method, route_of(request.scope), type(error).__name__)
    return answer(request, StorageFull.status, DATABASE_FULL)


async def on_disconnect(request: Request, error: Exception) -> Response:
    """The client went away in the middle of its request: nobody reads the answer."""
    return error_response(400, "The request was cut off.")


async def on_crash(request: Request, error: Exception) -> Response:
    """Anything else; the server that runs the application logs the stack."""
    # this one is answered outside of what puts the id on every other answer
    return answer(request, 500, CRASHED, {HEADER: request_id.get() or ""})


@cache
def _pages() -> Shell:
    return Shell()


@cache
def _participants_pages() -> Failing:
    return Failing()


def _retry_after(status: int) -> dict[str, str] | None:
    return {"Retry-After": RETRY_AFTER[status]} if status in RETRY_AFTER else None


ERROR_HANDLERS: Mapping[Any, Any] = {
    FotofinishError: on_our_error,
    HTTPException: on_http_error,
    ClientDisconnect: on_disconnect,
    ForeignKeyViolation: on_gone,
    DiskFull: on_full_database,
    psycopg.OperationalError: on_database_error,
    PoolTimeout: on_database_error,
    TooManyRequests: on_database_error,
    Exception: on_crash,
}
