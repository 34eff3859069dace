"""`make demo`: everything embedded, organisation 903 with event 456, and photos in it.

Can be run again and again: what is there already is kept. Once all is up, the demo's own
key of last time gives way to a new one, and its password too.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from rich.console import Console

from fotofinish.database.connection import Database, open_connection, open_database
from fotofinish.demo.generator import generate
from fotofinish.errors import Conflict, FotofinishError, InvalidValue, NotFound
from fotofinish.events.events import create_event, find_event
from fotofinish.importing import ImportReport, find_files, import_photos
from fotofinish.organisations.accounts import create_account, set_password
from fotofinish.organisations.keys import create_key, delete_key
from fotofinish.organisations.organisations import create_organisation
from fotofinish.settings import PREFIX, Settings, load_settings

ORG_ID = 903
EVENT_ID = 456
EMAIL = "demo@example.org"
FOLDER = Path("demo-data")
KEY_ID = FOLDER / "key.id"  # which of the organisation's keys is the demo's
START_PATIENCE = 60.0


def main() -> int:
    """Run the demo until Ctrl-C or SIGTERM; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, help="a folder of your own photos")
    parser.add_argument("--port", type=_port, default=8000)
    parser.add_argument("--once", action="store_true", help="leave when all is printed")
    given = parser.parse_args()
    console = Console(stderr=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it takes its server with it
    # no setting and no .env may point the demo at somebody's real installation
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    settings = load_settings(env_file=None, data_dir=FOLDER)
    try:
        _refuse_without_photos(given.photos)
        with _alone():
            port = _free_port(given.port)
            if port != given.port:
                console.print(f"Port {given.port} is not free; serving on {port} instead.")
            return _run(settings, console, given.photos, port, once=given.once)
    except FotofinishError as error:
        console.print(f"Error: {error.message}")
        return 1
    except KeyboardInterrupt:
        return 0


def _run(
    settings: Settings, console: Console, photos: Path | None, port: int, *, once: bool
) -> int:
    with open_database(settings) as database:
        asyncio.run(_prepare(database))
        server = _serve(port)
        try:
            _wait_until_up(server, port)
            if photos is None:
                console.print("Drawing sample photos (nobody's real race) ...")
                photos = FOLDER / "photos"
                selfie: Path | None = generate(photos).selfie
            else:
                selfie = None
            report = asyncio.run(
                import_photos(settings, database, EVENT_ID, [photos], wait=True, console=console)
            )
            bib = asyncio.run(_busiest_bib(database))
            gallery = asyncio.run(_gallery(database))
            key, password = asyncio.run(_renew(database))
            _explain(port, key, password, report, bib, selfie, gallery)
            if not once:
                server.wait()
        finally:
            server.terminate()
            server.wait()
    return 0


def _refuse_without_photos(photos: Path | None) -> None:
    if photos is not None and next(find_files([photos]), None) is None:
        raise InvalidValue(f"There are no photos in {photos}.")


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the demo's folder; raises Conflict while another demo does."""
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(
                f"A demo runs on {FOLDER} already. Use what it printed, or stop it first (Ctrl-C)."
            ) from None
        yield


async def _prepare(database: Database) -> None:
    """Organisation and event, unless they are there."""
    async with open_connection(database) as connection:
        with suppress(Conflict):
            await create_organisation(connection, "Demo Races", id=ORG_ID)
        with suppress(Conflict):
            await create_event(
                connection,
                ORG_ID,
                "Riverside Run 2026",
                id=EVENT_ID,
                starts_at=datetime(2026, 5, 17, 9, 0),
                time_zone="Europe/Berlin",
            )


async def _renew(database: Database) -> tuple[str, str]:
    """A fresh key in place of the demo's last one, and a fresh password; other keys stay."""
    async with open_connection(database) as connection:
        with suppress(OSError, ValueError, NotFound):
            await delete_key(connection, ORG_ID, int(KEY_ID.read_text()))
        key, made = await create_key(connection, ORG_ID)
        KEY_ID.write_text(f"{made.id}\n")
        try:
            _, password = await create_account(connection, EMAIL, ORG_ID)
        except Conflict:
            _, password = await set_password(connection, EMAIL)
    return key, password


def _serve(port: int) -> subprocess.Popen[bytes]:
    """The server, started in the demo's folder, since it reads the .env of where it starts."""
    return subprocess.Popen(
        [sys.executable, "-m", "fotofinish", "serve", "--port", str(port)],
        env={**os.environ, f"{PREFIX}DATA_DIR": str(FOLDER.resolve())},
        cwd=FOLDER,
        stderr=subprocess.DEVNULL,
    )


def _wait_until_up(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_PATIENCE
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in", timeout=5)
            return
        time.sleep(0.2)
    raise FotofinishError(
        f"The server did not start. To see what it says: {PREFIX}DATA_DIR={FOLDER} "
        f".venv/bin/fotofinish serve --port {port}"
    )


async def _gallery(database: Database) -> str:
    async with open_connection(database) as connection:
        return f"/e/{(await find_event(connection, EVENT_ID)).slug}"


async def _busiest_bib(database: Database) -> str | None:
    async with open_connection(database) as connection:
        cursor = await connection.execute(
            """select bib from bib_tag where event_id = %s
               group by bib order by count(*) desc, bib limit 1""",
            [EVENT_ID],
        )
        row = await cursor.fetchone()
    return str(row[0]) if row else None


def _explain(
    port: int,
    key: str,
    password: str,
    report: ImportReport,
    bib: str | None,
    selfie: Path | None,
    gallery: str,
) -> None:
    base = f"http://127.0.0.1:{port}"
    event = f"{base}/api/v1/ext/{ORG_ID}/event/{EVENT_ID}"
    body = json.dumps({"method": "bib", "identifier": bib or "1234"})
    lines = [
        f"{report.found} photos: {report.stored} new, {report.duplicates} there already, "
        f"{len(report.rejected)} rejected.",
        *(f"  {rejection.file}: {rejection.reason}" for rejection in report.rejected),
        "",
        f"Dashboard  {base}/",
        f"  sign in  {EMAIL}   password  {password}",
        f"Gallery    {base}{gallery}   what participants see",
        f"API key    {key}",
        f"API docs   {base}/api/v1/docs",
        "",
        f"The original photos of bib {bib}:" if bib else "No bib was read; the call all the same:",
        f"curl -s -X POST '{event}/original-photos' -H 'X-API-Key: {key}' "
        f"-H 'Content-Type: application/json' -d '{body}'",
    ]
    if selfie is not None:
        lines += [
            "",
            "By selfie: search with a picture, then ask with the request_id it answers:",
            f"curl -s -X POST '{event}/faces' -H 'X-API-Key: {key}' -F 'file=@{selfie}'",
        ]
    lines += ["", "Ctrl-C stops everything. The data stays in demo-data."]
    print("\n".join(lines), flush=True)


def _port(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return int(text)


def _free_port(wanted: int) -> int:
    """The port asked for, or any free one when somebody uses it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
