"""A server that is told to stop, as systemd, Docker and Kubernetes tell it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from fotofinish.database.connection import open_database
from fotofinish.settings import load_settings
from tests.running import free_port

PATIENCE = 60.0


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: sockets have a limit."""
    made = Path(tempfile.mkdtemp(prefix="ff-stop-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.parametrize(("told", "statuses"), [(signal.SIGTERM, {0}), (signal.SIGINT, {0, 130})])
def test_workers_end_before_the_server_and_its_database(
    folder: Path, told: signal.Signals, statuses: set[int]
) -> None:
    log = folder / "log"
    with log.open("wb") as errors:
        server = subprocess.Popen(
            [sys.executable, "-m", "fotofinish", "serve", "--port", str(free_port()),
             "--workers", "1"],
            env={**os.environ, "FOTOFINISH_DATA_DIR": str(folder)},
            stderr=errors,
        )  # fmt: skip
    _until_a_worker_works(folder)
    family = psutil.Process(server.pid).children(recursive=True)
    server.send_signal(told)
    assert server.wait(PATIENCE) in statuses
    assert [process for process in family if _is_worker(process)] == []
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    assert [line for line in lines if line["level"] in ("warning", "error")] == []


def _until_a_worker_works(folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    with (
        open_database(load_settings(data_dir=folder)) as database,
        psycopg.connect(database.dsn, autocommit=True) as connection,
    ):
        while time.monotonic() < deadline:
            row = connection.execute("select count(*) from procrastinate_workers").fetchone()
            if row != (0,):
                return
            time.sleep(0.2)
    raise AssertionError("no worker began to work")


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False
