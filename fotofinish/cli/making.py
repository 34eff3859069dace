"""Commands that make organisations, events, keys and accounts."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated

import typer

from fotofinish.cli.opening import with_connection
from fotofinish.cli.printing import Json, print_
from fotofinish.errors import Conflict

Id = Annotated[int | None, typer.Option("--id", help="The id to give it; else the next free one.")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(microsecond=0)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date; write one like 2026-05-17T09:00.") from None


def org_create(
    name: Annotated[str, typer.Argument(help="Its name, as people read it.")],
    id: Id = None,
    json_output: Json = False,
) -> None:
    """Make an organisation and print its id."""
    from fotofinish.organisations.organisations import create_organisation

    made = with_connection(lambda c: create_organisation(c, name, id=id))
    print_(
        {"org_id": made.id, "name": made.name},
        f"Organisation {made.id} ({made.name}). Next: fotofinish event create {made.id} NAME",
        json_output,
    )


def event_create(
    org_id: Annotated[int, typer.Argument(help="The organisation it belongs to.")],
    name: Annotated[str, typer.Argument(help="Its name, as people read it.")],
    id: Id = None,
    date: Annotated[
        datetime | None,
        typer.Option(
            help="When it starts, like 2026-05-17T09:00 (ISO 8601; local time of --time-zone, "
            "unless it says its offset). Default: now.",
            metavar="DATE",
            parser=_moment,
        ),
    ] = None,
    time_zone: Annotated[
        str, typer.Option(help="Where it is, like Europe/Berlin: cameras keep local time.")
    ] = "UTC",
    no_bibs: Annotated[bool, typer.Option("--no-bibs", help="Switch bib search off.")] = False,
    no_selfies: Annotated[
        bool, typer.Option("--no-selfies", help="Switch selfie search off.")
    ] = False,
    json_output: Json = False,
) -> None:
    """Make an event of an organisation and print its id."""
    from fotofinish.events.events import create_event

    made = with_connection(
        lambda c: create_event(
            c,
            org_id,
            name,
            id=id,
            starts_at=date,
            time_zone=time_zone,
            bib_search=not no_bibs,
            selfie_search=not no_selfies,
        )
    )
    print_(
        {"event_id": made.id, "org_id": made.org_id, "name": made.name, "slug": made.slug},
        f"Event {made.id} ({made.name}). Next: fotofinish import {made.id} FOLDER --wait",
        json_output,
    )


def key_create(
    org_id: Annotated[int, typer.Argument(help="The organisation it acts for.")],
    json_output: Json = False,
) -> None:
    """Make an API key and print it. It is shown this once: keep it safe."""
    from fotofinish.organisations.keys import create_key

    key, _ = with_connection(lambda c: create_key(c, org_id))
    print_(
        {"api_key": key, "org_id": org_id},
        f"API key of organisation {org_id}, shown this once:\n{key}",
        json_output,
    )


def user_create(
    email: Annotated[str, typer.Argument(help="The address to sign in with.")],
    org: Annotated[int, typer.Option(help="The organisation to work for.")],
    role: Annotated[str, typer.Option(help="owner, editor or viewer.")] = "owner",
    password_stdin: PasswordStdin = False,
    json_output: Json = False,
) -> None:
    """Make an account for the dashboard. Prints its password, if one was made for it."""
    from fotofinish.organisations.accounts import create_account

    given = _given_password(stdin=password_stdin)
    try:
        account, password = with_connection(
            lambda c: create_account(c, email, org, password=given, role=role)
        )
    except Conflict as error:
        hint = "'fotofinish user password EMAIL' gives it a new password."
        raise Conflict(f"{error.message} {hint}") from None
    shown = {} if given else {"password": password}
    print_(
        {"user_id": str(account.id), "email": account.email, "org_id": org, **shown},
        f"{account.email} may sign in" + ("." if given else f" with the password: {password}"),
        json_output,
    )


def user_password(
    email: Annotated[str, typer.Argument(help="The address that signs in.")],
    password_stdin: PasswordStdin = False,
    json_output: Json = False,
) -> None:
    """Give an account a new password, and end its sessions. Prints it, if one was made."""
    from fotofinish.organisations.accounts import set_password

    given = _given_password(stdin=password_stdin)
    account, password = with_connection(lambda c: set_password(c, email, given))
    shown = {} if given else {"password": password}
    print_(
        {"user_id": str(account.id), "email": account.email, **shown},
        f"{account.email} signs in with "
        + ("the new password from now on." if given else f"this password from now on: {password}"),
        json_output,
    )


def _given_password(*, stdin: bool) -> str | None:
    return sys.stdin.readline().rstrip("\n") if stdin else None
