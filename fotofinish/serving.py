"""Long-running commands: the web server with its workers, and workers alone."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading

import uvicorn
from rich.console import Console

from fotofinish.app import create_app
from fotofinish.database.connection import Database, open_connection, open_database, place_of
from fotofinish.importing import default_workers
from fotofinish.listening import listen
from fotofinish.logs import log_as_json
from fotofinish.organisations.first_owner import has_accounts, set_up_secret
from fotofinish.settings import Settings
from fotofinish.starting import (
    named_by_key,
    refuse_mistakes,
    refuse_unusable_folder,
    warn_of_other_keys,
)
from fotofinish.web.protocol import HttpProtocol
from fotofinish.workers import WorkerProcesses

KEEP_UP_SECONDS = 0.5
# seconds that open requests have when the server stops; downloads can be gone on with
GRACE = 10


def serve_forever(settings: Settings, *, host: str, port: int, workers: int | None) -> None:
    """Serve until told to stop; `workers` None means one a core, 0 none at all.

    Raises SettingsError when host or port cannot be had, and for what is refused before a start.
    """
    refuse_unusable_folder(settings)
    refuse_mistakes(settings)
    count = default_workers() if workers is None else workers
    if "public_url" not in settings.model_fields_set:
        settings = settings.model_copy(update={"public_url": f"http://{_reachable(host)}:{port}"})
    log_as_json()
    with open_database(settings) as opened:
        database = named_by_key(opened, settings.signing_key())
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(settings, database),
                loop="uvloop",
                http=HttpProtocol,
                lifespan="on",
                access_log=False,
                server_header=False,
                proxy_headers=bool(settings.trusted_proxies.strip()),
                forwarded_allow_ips=settings.trusted_proxies,
                log_config=None,
                timeout_graceful_shutdown=GRACE,
            )
        )
        signal.signal(signal.SIGTERM, _end)  # the server raises it again when it has ended
        sockets = listen(host, port)
        processes = WorkerProcesses(settings, database, count)
        console = Console(stderr=True)
        console.print(
            f"Fotofinish serves {settings.public_url} with {count} processing workers and "
            f"{place_of(settings, database)}. Ctrl-C stops it.",
            soft_wrap=True,
            markup=False,
        )
        warn_of_other_keys(database)
        if asyncio.run(_nobody_yet(database)):
            secret = set_up_secret(settings.signing_key())
            address = f"{settings.public_url.rstrip('/')}/set-up?secret={secret}"
            console.print(
                f"Nobody has an account yet. Make the first one at {address}", soft_wrap=True
            )
        stopping = threading.Event()
        keeper = threading.Thread(target=_keep_up, args=(processes, stopping), daemon=True)
        keeper.start()
        try:
            server.run(sockets)
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            stopping.set()
            keeper.join()
            processes.stop()


def work_forever(settings: Settings, *, concurrency: int | None) -> None:
    """Process photos until told to stop. Raises SettingsError as `refuse_mistakes` does."""
    refuse_mistakes(settings)
    count = concurrency or default_workers()
    log_as_json()
    with open_database(settings) as database:
        processes = WorkerProcesses(settings, database, count)
        Console(stderr=True).print(
            f"{count} processing workers on {place_of(settings, database)}. Ctrl-C stops them.",
            soft_wrap=True,
            markup=False,
        )
        stopping = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stopping.set())
        try:
            with contextlib.suppress(KeyboardInterrupt):
                _keep_up(processes, stopping)
        finally:
            processes.stop()


def _end(*_: object) -> None:
    raise SystemExit(0)


async def _nobody_yet(database: Database) -> bool:
    async with open_connection(database) as connection:
        return not await has_accounts(connection)


def _keep_up(processes: WorkerProcesses, stopping: threading.Event) -> None:
    while not stopping.is_set():
        processes.keep_up()
        stopping.wait(KEEP_UP_SECONDS)


def _reachable(host: str) -> str:
    """The host as browsers of this machine write it (RFC 3986 for IPv6)."""
    named = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{named}]" if ":" in named else named
