"""Commands that put photos into an event, read them, and fetch a participant's."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from psycopg import AsyncConnection
from rich.console import Console

from fotofinish.cli.opening import connected, opened, with_connection
from fotofinish.cli.printing import Json, fail, failure_lines, print_, say
from fotofinish.settings import load_settings

if TYPE_CHECKING:  # the commands load what they need, and no more
    from fotofinish.events.startlist_files import Entry
    from fotofinish.photos.photos import EventStatus

FAILED_SHOWN = 20
NOBODY_READS = "No worker is at work: 'fotofinish serve' or 'fotofinish worker' reads them."


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
    with opened(settings) as database:
        try:
            report = asyncio.run(
                import_photos(settings, database, event_id, paths, wait=wait, console=console)
            )
        except KeyboardInterrupt:
            fail("Stopped. What is stored stays; run the same command again to go on.", 130)
        unread = [] if wait else asyncio.run(connected(database, look))
    lines = [
        f"{report.found} files found: {report.stored} stored, "
        f"{report.duplicates} there already, {len(report.rejected)} rejected.",
        *(f"  {rejection.file}: {rejection.reason}" for rejection in report.rejected),
        *failure_lines([(photo.file, photo.reason) for photo in report.failed or ()], FAILED_SHOWN),
        *unread,
    ]
    if report.failed and len(report.failed) > FAILED_SHOWN:
        lines.append(f"All of them: fotofinish status {event_id} --failed")
    print_(report.as_json(), "\n".join(lines), json_output)


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

    found, unread, waiting = with_connection(look)
    lines = [
        f"{found.photos} photos: {found.ready} ready, {found.processing} processing, "
        f"{found.waiting} waiting, {found.failed} failed. "
        f"{found.bibs} different bibs, {found.faces} faces.",
        *waiting,
        *failure_lines([(photo.name, photo.reason) for photo in unread]),
    ]
    named = [{"file": photo.name, "reason": photo.reason} for photo in unread]
    print_(
        {**asdict(found), **({"failed_photos": named} if failed else {})},
        "\n".join(lines),
        json_output,
    )


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

    with_connection(replace)
    print_(
        {"event_id": event_id, "entries": len(entries)},
        f"The start list of event {event_id} has {len(entries)} bibs now.",
        json_output,
    )


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
        say(json.dumps(line))
    raise typer.Exit(1 if failed else 0)


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
        fail("Give either --bib or --selfie.", 2)
    report = download_originals(
        url, key, org, event, folder,
        bib=bib, selfie=selfie, parallel=parallel, console=Console(stderr=True),
    )  # fmt: skip
    print_(report.as_json(), report.as_text(folder), json_output)
    if report.failed:
        raise typer.Exit(1)


async def _unread_lines(connection: AsyncConnection, status: EventStatus) -> list[str]:
    """A line when photos wait to be read and nobody does it; none else."""
    if not status.waiting + status.processing:
        return []
    from fotofinish.queue import workers_alive

    return [] if await workers_alive(connection) else [NOBODY_READS]


def _startlist_of(file: Path) -> list[Entry]:
    from fotofinish.events.startlist_files import decode_text
    from fotofinish.events.startlists import parse_startlist

    try:
        data = file.read_bytes()
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}.")
    return parse_startlist(decode_text(data))
