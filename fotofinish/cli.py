"""The command line: parse, call, print. What is done stands in the features."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar
from urllib.parse import urlsplit

import typer
from psycopg import AsyncConnection, OperationalError
from rich.console import Console

from fotofinish import __version__
from fotofinish.database import embedded
from fotofinish.database.connection import Database, open_connection, open_database, place_of
from fotofinish.errors import Conflict, FotofinishError, NotFound
from fotofinish.settings import Settings, load_settings, misspelt_settings

if TYPE_CHECKING:  # the commands load what they need, and no more
    from fotofinish.events.startlist_files import Entry
    from fotofinish.photos.photos import EventStatus

T = TypeVar("T")
FAILED_SHOWN = 20
NOBODY_READS = "No worker is at work: 'fotofinish serve' or 'fotofinish worker' reads them."
CONNECTION_LOST = ("08", "57P")  # SQLSTATE: connection exceptions, and servers that shut down

app = typer.Typer(
    help="Give every participant of a race their photos: by bib number or selfie.\n\n"
    "Begin with: fotofinish org create NAME, fotofinish event create ORG_ID NAME, "
    "fotofinish import EVENT_ID FOLDER --wait, fotofinish serve.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
org_app = typer.Typer(help="Organisations: who owns events and keys.", no_args_is_help=True)
event_app = typer.Typer(help="Events: the races.", no_args_is_help=True)
key_app = typer.Typer(help="API keys of an organisation.", no_args_is_help=True)
user_app = typer.Typer(help="People who sign in to the dashboard.", no_args_is_help=True)
for name, group in (("org", org_app), ("event", event_app), ("key", key_app), ("user", user_app)):
    app.add_typer(group, name=name)


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(microsecond=0)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date; write one like 2026-05-17T09:00.") from None


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Id = Annotated[int | None, typer.Option("--id", help="The id to give it; else the next free one.")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


@org_app.command("create")
def org_create(
    name: Annotated[str, typer.Argument(help="Its name, as people read it.")],
    id: Id = None,
    json_output: Json = False,
) -> None:
    """Make an organisation and print its id."""
    from fotofinish.organisations.organisations import create_organisation

    made = _with_connection(lambda c: create_organisation(c, name, id=id))
    _print(
        {"org_id": made.id, "name": made.name},
        f"Organisation {made.id} ({made.name}). Next: fotofinish event create {made.id} NAME",
        json_output,
    )


@event_app.command("create")
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

    made = _with_connection(
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
    _print(
        {"event_id": made.id, "org_id": made.org_id, "name": made.name, "slug": made.slug},
        f"Event {made.id} ({made.name}). Next: fotofinish import {made.id} FOLDER --wait",
        json_output,
    )


@key_app.command("create")
def key_create(
    org_id: Annotated[int, typer.Argument(help="The organisation it acts for.")],
    json_output: Json = False,
) -> None:
    """Make an API key and print it. It is shown this once: keep it safe."""
    from fotofinish.organisations.keys import create_key

    key, _ = _with_connection(lambda c: create_key(c, org_id))
    _print(
        {"api_key": key, "org_id": org_id},
        f"API key of organisation {org_id}, shown this once:\n{key}",
        json_output,
    )


@user_app.command("create")
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
        account, password = _with_connection(
            lambda c: create_account(c, email, org, password=given, role=role)
        )
    except Conflict as error:
        hint = "'fotofinish user password EMAIL' gives it a new password."
        raise Conflict(f"{error.message} {hint}") from None
    shown = {} if given else {"password": password}
    _print(
        {"user_id": str(account.id), "email": account.email, "org_id": org, **shown},
        f"{account.email} may sign in" + ("." if given else f" with the password: {password}"),
        json_output,
    )


@user_app.command("password")
def user_password(
    email: Annotated[str, typer.Argument(help="The address that signs in.")],
    password_stdin: PasswordStdin = False,
    json_output: Json = False,
) -> None:
    """Give an account a new password, and end its sessions. Prints it, if one was made."""
    from fotofinish.organisations.accounts import set_password

    given = _given_password(stdin=password_stdin)
    account, password = _with_connection(lambda c: set_password(c, email, given))
    shown = {} if given else {"password": password}
    _print(
        {"user_id": str(account.id), "email": account.email, **shown},
        f"{account.email} signs in with "
        + ("the new password from now on." if given else f"this password from now on: {password}"),
        json_output,
    )


@app.command("import")
def import_(
    event_id: Annotated[int, typer.Argument(help="The event the photos belong to.")],
    paths: Annotated[
        list[Path],
        typer.Argument(help="Photos and folders, with all that is in them but hidden files."),
    ],
    wait: Annotated[
        bool, typer.Option("--wait", help="Return when every photo is processed.")
    ] = False,
    json_output: Json = False,
) -> None:
    """Put photos into an event. What is there already is skipped: stop and repeat at will."""
    from fotofinish.importing import import_photos
    from fotofinish.photos.photos import event_status

    async def look(connection: AsyncConnection) -> list[str]:
        return await _unread_lines(connection, await event_status(connection, event_id))

    settings = load_settings()
    console = Console(stderr=True)
    with _opened(settings) as database:
        try:
            report = asyncio.run(
                import_photos(settings, database, event_id, paths, wait=wait, console=console)
            )
        except KeyboardInterrupt:
            _fail("Stopped. What is stored stays; run the same command again to go on.", 130)
        unread = [] if wait else asyncio.run(_connected(database, look))
    lines = [
        f"{report.found} files found: {report.stored} stored, "
        f"{report.duplicates} there already, {len(report.rejected)} rejected.",
        *(f"  {rejection.file}: {rejection.reason}" for rejection in report.rejected),
        *_failure_lines(
            [(photo.file, photo.reason) for photo in report.failed or ()], FAILED_SHOWN
        ),
        *unread,
    ]
    if report.failed and len(report.failed) > FAILED_SHOWN:
        lines.append(f"All of them: fotofinish status {event_id} --failed")
    _print(report.as_json(), "\n".join(lines), json_output)


@app.command()
def status(
    event_id: Annotated[int, typer.Argument(help="The event.")],
    failed: Annotated[
        bool, typer.Option("--failed", help="Name the photos that could not be read, and why.")
    ] = False,
    json_output: Json = False,
) -> None:
    """Count the event's photos by state, its bibs and its faces."""
    from dataclasses import asdict

    from fotofinish.events.events import find_event
    from fotofinish.photos.failures import FailedPhoto, list_failed
    from fotofinish.photos.photos import event_status

    async def look(
        connection: AsyncConnection,
    ) -> tuple[EventStatus, list[FailedPhoto], list[str]]:
        await find_event(connection, event_id)
        unread = await list_failed(connection, event_id) if failed else []
        found = await event_status(connection, event_id)
        return found, unread, await _unread_lines(connection, found)

    found, unread, waiting = _with_connection(look)
    lines = [
        f"{found.photos} photos: {found.ready} ready, {found.processing} processing, "
        f"{found.waiting} waiting, {found.failed} failed. "
        f"{found.bibs} different bibs, {found.faces} faces.",
        *waiting,
        *_failure_lines([(photo.name, photo.reason) for photo in unread]),
    ]
    named = [{"file": photo.name, "reason": photo.reason} for photo in unread]
    _print(
        {**asdict(found), **({"failed_photos": named} if failed else {})},
        "\n".join(lines),
        json_output,
    )


@app.command()
def startlist(
    event_id: Annotated[int, typer.Argument(help="The event.")],
    file: Annotated[Path, typer.Argument(help="CSV with a bib column, and names if you like.")],
    json_output: Json = False,
) -> None:
    """Replace the event's start list. Readings are checked against it from now on."""
    from fotofinish.events.events import find_event
    from fotofinish.events.startlists import replace_startlist

    entries = _startlist_of(file)

    async def replace(connection: AsyncConnection) -> None:
        await find_event(connection, event_id)
        await replace_startlist(connection, event_id, entries)

    _with_connection(replace)
    _print(
        {"event_id": event_id, "entries": len(entries)},
        f"The start list of event {event_id} has {len(entries)} bibs now.",
        json_output,
    )


@app.command()
def read(
    photos: Annotated[list[Path], typer.Argument(help="Photos to read.")],
    json_output: Annotated[
        bool, typer.Option("--json", show_default=False, help="Changes nothing: it is JSON anyway.")
    ] = True,
    embeddings: Annotated[
        bool, typer.Option("--embeddings", help="Add each face's embedding.")
    ] = False,
    annotate: Annotated[
        Path | None,
        typer.Option(help="A folder: draw each photo there with the bibs and faces found."),
    ] = None,
    startlist: Annotated[
        Path | None, typer.Option(help="Read as an event with this start list (CSV) would.")
    ] = None,
) -> None:
    """Read bibs and faces of photos, without a database. Prints one JSON line a photo."""
    from fotofinish.bibs.listed import StartList
    from fotofinish.reading import read_photos

    listed = StartList(entry.bib for entry in _startlist_of(startlist)) if startlist else None
    failed = False
    for line in read_photos(
        load_settings(), photos, embeddings=embeddings, start_list=listed, annotate=annotate
    ):
        failed = failed or "error" in line
        _say(json.dumps(line))
    raise typer.Exit(1 if failed else 0)


@app.command()
def migrate() -> None:
    """Bring the database's schema up to date. `serve` and `worker` do so by themselves."""
    with _opened(load_settings()):
        _say("The database is up to date.")


@app.command()
def download(
    folder: Annotated[Path, typer.Argument(help="Where the photos go.", metavar="DIR")],
    url: Annotated[str, typer.Option(help="The server, like https://photos.example.org.")],
    org: Annotated[int, typer.Option(help="The organisation's id.")],
    event: Annotated[int, typer.Option(help="The event's id.")],
    key: Annotated[
        str,
        typer.Option(
            help="An API key of the organisation; better in the environment (not in .env) than in "
            "the history.",
            envvar="FOTOFINISH_API_KEY",
        ),
    ],
    bib: Annotated[
        str | None, typer.Option(help="Whose photos: the bib number, or else --selfie.")
    ] = None,
    selfie: Annotated[
        Path | None,
        typer.Option(help="Whose photos: a picture of the face, or else --bib.", dir_okay=False),
    ] = None,
    parallel: Annotated[int, typer.Option(min=1, max=32, help="Photos at a time.")] = 4,
    json_output: Json = False,
) -> None:
    """Download a participant's originals. Run again, it goes on where it stopped."""
    from fotofinish.downloading import download_originals

    if (bib is None) == (selfie is None):
        _fail("Give either --bib or --selfie.", 2)
    report = download_originals(
        url, key, org, event, folder,
        bib=bib, selfie=selfie, parallel=parallel, console=Console(stderr=True),
    )  # fmt: skip
    _print(report.as_json(), report.as_text(folder), json_output)
    if report.failed:
        raise typer.Exit(1)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processing workers. Default: one a core.")
    ] = None,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Only serve; workers run elsewhere.")
    ] = False,
) -> None:
    """Run the web application. Processing workers run beside it, unless told otherwise."""
    from fotofinish.serving import serve_forever

    settings = _settings_to_run_with()
    serve_forever(settings, host=host, port=port, workers=0 if no_worker else workers)


@app.command()
def worker(
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="Photos at a time. Default: one a core.")
    ] = None,
) -> None:
    """Process photos. Any machine will do that reaches the database and the storage, with
    FOTOFINISH_DATABASE_URL and FOTOFINISH_STORAGE_URL as `serve` has them.
    """
    from fotofinish.serving import work_forever

    work_forever(_settings_to_run_with(), concurrency=concurrency)


@app.command()
def doctor(json_output: Json = False) -> None:
    """Say what is configured and what answers. What does not comes with how to mend it."""
    from fotofinish.doctor import examine

    checks = examine(_settings_to_run_with())
    _print(
        {"checks": [check.as_json() for check in checks]},
        "\n".join(check.as_line() for check in checks),
        json_output,
    )
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


def version(shown: bool) -> None:
    """Print the version and leave, when asked to."""
    if shown:
        _say(f"fotofinish {__version__}")
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """What holds for every command."""


def main() -> None:
    """The command `fotofinish`."""
    try:
        app()
    except FotofinishError as error:
        _fail(error.message)
    except (UnicodeEncodeError, UnicodeDecodeError) as error:
        if error.encoding != "utf-8":  # what the terminal cannot show
            raise
        _fail("What was given is not text in UTF-8.")
    except Exception as error:
        # the queue wraps what it meets
        met = error if isinstance(error, OperationalError) else error.__cause__
        if not isinstance(met, OperationalError):
            raise
        _fail(f"{_what_happened(met)} What is stored stays; run the same command again.")


def _what_happened(error: OperationalError) -> str:
    """Why the database did not go on; what a lost connection says may have an address in it."""
    if error.sqlstate is None or error.sqlstate.startswith(CONNECTION_LOST):
        return "The database went away."
    return f"The database cannot go on ({error.diag.message_primary})."


def _failure_lines(failed: list[tuple[str, str]], most: int | None = None) -> list[str]:
    """Names and reasons of photos that could not be read, under a headline; none without any."""
    if not failed:
        return []
    headline = f"{len(failed)} photos" if len(failed) > 1 else "1 photo"
    return [
        f"{headline} could not be read:",
        *(f"  {name}: {reason}" for name, reason in failed[:most]),
    ]


async def _unread_lines(connection: AsyncConnection, status: EventStatus) -> list[str]:
    """A line when photos wait to be read and nobody does it; none else."""
    if not status.waiting + status.processing:
        return []
    from fotofinish.workers import workers_alive

    return [] if await workers_alive(connection) else [NOBODY_READS]


def _settings_to_run_with() -> Settings:
    """The settings, with a warning of each variable that looks like one and is none, and of an
    address that pages do not work at."""
    settings = load_settings()
    if urlsplit(settings.public_url).path.strip("/"):
        typer.echo(
            "Warning: FOTOFINISH_PUBLIC_URL has a path: the API works beneath one, pages do not. "
            "Give Fotofinish a host name of its own.",
            err=True,
        )
    for name, nearest in misspelt_settings().items():
        hint = f"did you mean {nearest}?" if nearest else "docs/production.md has them all."
        typer.echo(f"Warning: {name} is no setting and changes nothing; {hint}", err=True)
    return settings


def _given_password(*, stdin: bool) -> str | None:
    return sys.stdin.readline().rstrip("\n") if stdin else None


def _startlist_of(file: Path) -> list[Entry]:
    from fotofinish.events.startlist_files import decode_text
    from fotofinish.events.startlists import parse_startlist

    try:
        data = file.read_bytes()
    except OSError as error:
        _fail(f"{file} cannot be read: {error.strerror}.")
    return parse_startlist(decode_text(data))


def _with_connection(call: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Run one database action of a short command."""
    with _opened(load_settings()) as database:
        return asyncio.run(_connected(database, call))


async def _connected(database: Database, call: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    async with open_connection(database) as connection:
        return await call(connection)


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    """The database; that it was made just now is told, and where something was not found.

    A command that runs in another folder works with another one, unless the settings say which.
    """
    new = settings.embedded_database and not embedded.is_made(settings.data_dir)
    with open_database(settings) as database:
        if new:
            folder = settings.data_dir.resolve()
            told = (
                f"A new database was made in {folder} (FOTOFINISH_DATA_DIR names another folder)."
            )
            typer.echo(told, err=True)
        try:
            yield database
        except NotFound as error:
            place = place_of(settings, database)
            raise NotFound(f"{error.message} This is {place}.") from None


def _print(data: dict[str, object], text: str, json_output: bool) -> None:
    _say(json.dumps(data) if json_output else text)


def _say(text: str) -> None:
    try:
        typer.echo(text)
    except BrokenPipeError:  # whoever read it has had enough
        raise
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # it is flushed at the end
        _fail(f"The output cannot be written: {error.strerror}.")


def _fail(message: str, status: int = 1) -> NoReturn:
    typer.echo(f"Error: {message}" if status == 1 else message, err=True)
    raise SystemExit(status)
