"""What the benchmarks of calls need: a server in a process of its own, and calls of many bibs."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn

from benchmarks.race_data import BigRace
from fotofinish.app import create_app
from fotofinish.database.connection import Database
from fotofinish.settings import Settings

ENDPOINT = "https://s3.example.org"
# links are signed for a bucket that is never asked
UNASKED_BUCKET: Mapping[str, object] = {
    "storage_url": f"s3://photos?endpoint={ENDPOINT}&region=us-east-1",
    "check_originals": False,
}
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example-secret"}
DIFFERENT_REQUESTS = 4000


def originals_requests(race: BigRace, bibs: int) -> list[bytes]:
    """`original-photos` of bibs up to this one, 60 links a page, as bytes to send."""
    chance = random.Random(7)
    made = []
    for _ in range(DIFFERENT_REQUESTS):
        body = json.dumps({"method": "bib", "identifier": str(chance.randint(1, bibs))})
        made.append(
            f"POST /api/v1/ext/{race.org_id}/event/{race.event_id}/original-photos?page_size=60 "
            f"HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {race.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
    return made


@contextmanager
def serving(run: Callable[..., None], *arguments: object) -> Iterator[int]:
    """A server process on a free port, ready to answer."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    process = multiprocessing.get_context("spawn").Process(target=run, args=(*arguments, port))
    process.start()
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.is_alive():
            try:
                httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        time.sleep(5)  # ours loads its face models beside; that is not what is measured
        yield port
    finally:
        process.terminate()
        process.join()


def run_ours(
    settings: Settings, database: Database, environment: Mapping[str, str], port: int
) -> None:
    """Serve our application, with these environment variables set."""
    os.environ.update(environment)
    serve(create_app(settings, database), port)


def serve(app: Any, port: int) -> None:
    """Answer on this port until the process is ended."""
    uvicorn.run(
        app, port=port, loop="uvloop", http="httptools", access_log=False, log_level="warning"
    )
