"""Servers for the tests: in a thread of this process, or a process of their own; and waiting for
what they do."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from fotofinish.faces.reader import SelfieReader

PATIENCE = 60.0
# `fotofinish`, but for the models for selfies: they are loaded when the first selfie comes
SERVE = """
from fotofinish.cli import main
from fotofinish.faces.reader import SelfieReader

async def later(reader):
    pass

SelfieReader.warm = later
main()
"""


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def wait_until(reached: Callable[[], object], patience: float = PATIENCE) -> None:
    """Return as soon as this is true; fails after so many seconds."""
    deadline = time.monotonic() + patience
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def running(app: Starlette, port: int, *, warm: bool = False) -> Iterator[None]:
    """The application, answering on this port from a thread.

    Most tests send no selfie: models are loaded when the first comes, or at once when `warm`.
    """
    config = uvicorn.Config(
        app, port=port, log_level="error", lifespan="on", timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    with pytest.MonkeyPatch.context() as patch:
        if not warm:
            patch.setattr(SelfieReader, "warm", _later)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
    yield
    server.should_exit = True
    thread.join(10)


async def _later(reader: SelfieReader) -> None:
    """Nothing: the models are loaded with the first selfie."""


@contextmanager
def serving(settings: Mapping[str, str], log: Path | None = None) -> Iterator[str]:
    """`fotofinish serve` without workers as a process of its own; yields its address."""
    port = free_port()
    command = [sys.executable, "-c", SERVE, "serve", "--no-worker", "--port", str(port)]
    with (log or Path(os.devnull)).open("wb") as errors:
        process = subprocess.Popen(command, env={**os.environ, **settings}, stderr=errors)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/healthz")
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")
