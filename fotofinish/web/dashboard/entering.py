"""What an answer carries for who has proven who they are: a session, and a browser's token."""

from __future__ import annotations

from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fotofinish.organisations.attempts import device_fits, device_token
from fotofinish.organisations.sessions import SESSION_DAYS, begin_session
from fotofinish.web.dashboard.visitors import COOKIE
from fotofinish.web.services import services

DEVICE_COOKIE = "fotofinish_device"
DAY = 24 * 3600
DEVICE_DAYS = 400  # the longest that browsers keep a cookie


async def let_in(request: Request, account_id: UUID, to: str) -> Response:
    """Begin a session and lead on."""
    ours = services(request)
    async with ours.pool.connection() as connection:
        token = await begin_session(connection, account_id, request.headers.get("user-agent", ""))
    response = RedirectResponse(to, 303)
    key, known = ours.settings.signing_key(), request.cookies.get(DEVICE_COOKIE, "")
    device = known if device_fits(key, account_id, known) else device_token(key, account_id)
    for name, value, days, path in (
        (COOKIE, token, SESSION_DAYS, "/"),
        (DEVICE_COOKIE, device, DEVICE_DAYS, "/sign-in"),
    ):
        response.set_cookie(
            name,
            value,
            max_age=days * DAY,
            path=path,
            httponly=True,
            samesite="lax",
            secure=ours.settings.public_url.startswith("https://"),
        )
    return response
