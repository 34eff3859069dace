"""Worker processes are kept up, whatever comes in between."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest

from fotofinish import workers
from fotofinish.database.connection import Database
from fotofinish.settings import Settings, load_settings
from fotofinish.workers import WorkerProcesses, run_worker


def test_a_worker_that_cannot_be_started_now_is_started_later(
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(process: SpawnProcess) -> NoReturn:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(workers, "RESTART_PAUSE", 0)
    processes = WorkerProcesses(load_settings(data_dir=tmp_path), database, 1)
    with monkeypatch.context() as busy:
        busy.setattr(SpawnProcess, "start", refuse)
        for _ in range(2):
            processes.keep_up()
    assert caplog.messages == ["no worker can be started now: Resource temporarily unavailable"] * 2
    try:
        processes.keep_up()
        assert len(multiprocessing.active_children()) == 1
    finally:
        processes.stop()


@contextmanager
def working(
    work: Callable[[Settings, Database, int], None], database: Database, data_dir: Path
) -> Iterator[SpawnProcess]:
    """A worker in a process of its own."""
    worker = multiprocessing.get_context("spawn").Process(
        target=work, args=(load_settings(data_dir=data_dir), database, os.getpid())
    )
    worker.start()
    try:
        yield worker
    finally:
        worker.kill()


def _work_while_the_clock_is_set_back(settings: Settings, database: Database, parent: int) -> None:
    clock, start = time.time, time.monotonic()
    time.time = lambda: clock() - 60 * (time.monotonic() - start)  # a minute each second
    run_worker(settings, database, parent)


def test_a_worker_makes_place_for_another_when_the_clock_was_set_back(
    database: Database, tmp_path: Path
) -> None:
    with working(_work_while_the_clock_is_set_back, database, tmp_path) as worker:
        worker.join(60)
        assert worker.exitcode == 0


def test_a_worker_whose_queue_fails_says_why_and_ends_with_an_error(
    database: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        connection.execute("alter function procrastinate_register_worker_v1 rename to missing")
        try:
            with working(run_worker, database, tmp_path) as worker:
                worker.join(120)
                assert worker.exitcode == 1
        finally:
            connection.execute("alter function missing rename to procrastinate_register_worker_v1")
    said = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert said[-1]["message"] == "what gives a worker its photos failed"
    assert "procrastinate_register_worker_v1() does not exist" in said[-1]["stack"]
