"""The page on which the first owner settles in. It is there until there is an account."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from fotofinish.errors import InvalidValue, NotFound
from fotofinish.organisations.first_owner import GONE, has_accounts, set_up, set_up_secret_fits
from fotofinish.web.dashboard.entering import let_in
from fotofinish.web.dashboard.shell import Shell
from fotofinish.web.dashboard.visitors import Visitor
from fotofinish.web.forms import text
from fotofinish.web.services import services


class SettingUp:
    """Its address carries a secret that `fotofinish serve` prints."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def ask(self, request: Request, visitor: Visitor | None) -> Response:
        """GET `/set-up?secret=…`."""
        secret = request.query_params.get("secret", "")
        await _check(request, secret)
        return self._form(secret)

    async def settle(self, request: Request, visitor: Visitor | None, form: FormData) -> Response:
        """POST `/set-up`: make organisation and owner, and let them in."""
        secret, organisation, email = (text(form, name) for name in ("secret", "name", "email"))
        await _check(request, secret)
        try:
            async with services(request).pool.connection() as connection:
                account = await set_up(connection, organisation, email, text(form, "password"))
        except InvalidValue as error:
            return self._form(secret, organisation, email, error.message)
        return await let_in(request, account.id, "/")

    def _form(
        self, secret: str, organisation: str = "", email: str = "", fault: str | None = None
    ) -> Response:
        return self._shell.render(
            "set-up.html",
            status=422 if fault else 200,
            secret=secret,
            organisation=organisation,
            email=email,
            fault=fault,
        )


async def _check(request: Request, secret: str) -> None:
    """Raise NotFound for who does not know the secret, and for everybody once it is of no use."""
    ours = services(request)
    async with ours.pool.connection() as connection:
        over = await has_accounts(connection)
    if over or not set_up_secret_fits(ours.settings.signing_key(), secret):
        raise NotFound(GONE)
