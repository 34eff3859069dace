"""kill -9 of server, worker or importer at random moments: no photo is lost, none twice."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import psycopg
import pytest
import simplejpeg

from fotofinish.database.connection import open_database
from fotofinish.settings import load_settings

PHOTOS = 60
KILLS = 6
PATIENCE = 240.0


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: sockets have a limit."""
    made = Path(tempfile.mkdtemp(prefix="ff-kill-"))
    yield made
    for process in psutil.process_iter(["cmdline"]):
        if str(made) in " ".join(process.info["cmdline"] or []):
            process.kill()
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.timeout(600)
def test_every_accepted_photo_ends_ready_exactly_once(folder: Path) -> None:
    photos = _draw(folder / "photos")
    run = _Installation(folder / "data")
    run.command("org", "create", "Killers", "--id", "1")
    run.command("event", "create", "1", "Hard Day", "--id", "1")
    chance = random.Random(20260119)
    server, importer = run.serve(), run.start_import(photos)
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.5, 4.0))
        victim = chance.choice(["server", "worker", "importer"])
        if victim == "server":
            run.kill(server, with_children=chance.random() < 0.5)
            server = run.serve()
        elif victim == "worker":
            for worker in run.workers(server):
                worker.kill()
        else:
            run.kill(importer, with_children=False)
            importer = run.start_import(photos)
    importer.wait(timeout=PATIENCE)
    run.command("import", "1", str(photos))
    status = _settled(run)
    run.stop(server)

    assert status["failed"] == 0
    assert status["ready"] == status["photos"] == PHOTOS
    originals = sorted((folder / "data" / "storage" / "imgs" / "1" / "large").iterdir())
    assert len(originals) == PHOTOS
    with (
        open_database(load_settings(data_dir=folder / "data")) as database,
        psycopg.connect(database.dsn) as connection,
    ):
        rows = connection.execute("select count(*), count(distinct sha256) from photo").fetchone()
        left = connection.execute(
            "select count(*) from procrastinate_jobs where task_name = 'fotofinish:process_photo'"
        ).fetchone()
    assert rows == (PHOTOS, PHOTOS)
    assert left == (0,)


class _Installation:
    def __init__(self, data_dir: Path) -> None:
        self._environment = {**os.environ, "FOTOFINISH_DATA_DIR": str(data_dir)}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]

    def command(self, *words: str) -> dict[str, int]:
        done = subprocess.run(
            [sys.executable, "-m", "fotofinish", *words, "--json"],
            env=self._environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    def serve(self) -> subprocess.Popen[bytes]:
        return self._start("serve", "--port", str(self._port), "--workers", "1")

    def start_import(self, photos: Path) -> subprocess.Popen[bytes]:
        return self._start("import", "1", str(photos), "--json")

    def workers(self, server: subprocess.Popen[bytes]) -> list[psutil.Process]:
        try:
            children = psutil.Process(server.pid).children(recursive=True)
            return [c for c in children if "spawn_main" in " ".join(c.cmdline())]
        except psutil.Error:
            return []

    def kill(self, process: subprocess.Popen[bytes], *, with_children: bool) -> None:
        children = self.workers(process) if with_children else []
        process.send_signal(signal.SIGKILL)
        for child in children:
            child.kill()
        process.wait()

    def stop(self, server: subprocess.Popen[bytes]) -> None:
        server.terminate()
        server.wait(timeout=60)

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "fotofinish", *words],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def _draw(folder: Path) -> Path:
    """Small pictures that differ, so that reading them is quick and none is a duplicate."""
    folder.mkdir()
    noise = np.random.default_rng(7)
    for number in range(PHOTOS):
        pixels = noise.integers(0, 255, (120, 160, 3), dtype=np.uint8)
        (folder / f"{number:03}.jpg").write_bytes(simplejpeg.encode_jpeg(pixels, quality=80))
    return folder


def _settled(run: _Installation) -> dict[str, int]:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        status = run.command("status", "1")
        if status["photos"] and status["ready"] + status["failed"] == status["photos"]:
            return status
        time.sleep(1.0)
    pytest.fail(f"not settled after {PATIENCE:.0f} s: {status}")
