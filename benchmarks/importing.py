"""`fotofinish import` of 10,000 files, against `cp -r` and `sync`, and against `sha256sum`.

The whole command is timed, with its start and that of the embedded database. It hashes every file,
copies it, flushes each copy to the disk and commits its row and job; `cp` copies, and the
disk is flushed once; `sha256sum` only reads. Files are random behind the start of a JPEG: what
they show is a worker's business, and none runs. Takes twice the files' size on the disk.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.private import forget_configuration
from benchmarks.tables import Row, print_table

JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000")
FOLDERS = 100


class Program:
    """`fotofinish` with everything in this folder, whatever is configured outside of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        forget_configuration()
        self._environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}

    def run(self, *arguments: str) -> dict[str, Any]:
        """A command's answer."""
        command = [sys.executable, "-m", "fotofinish", *arguments, "--json"]
        ran = subprocess.run(
            command, check=True, cwd=self._folder, env=self._environment, stdout=subprocess.PIPE
        )
        answer: dict[str, Any] = json.loads(ran.stdout)
        return answer


def main(files: int = 10_000, kilobytes: int = 1_000) -> dict[str, float]:
    """Seconds of each way, and the ratios."""
    with tempfile.TemporaryDirectory(prefix="ff-", ignore_cleanup_errors=True) as name:
        photos, copy = Path(name) / "photos", Path(name) / "copy"
        _make(photos, files, kilobytes)
        program = Program(Path(name))
        event = _event(program)
        copied = _seconds(lambda: _copy(photos, copy))
        shutil.rmtree(copy)
        os.sync()
        hashed = _seconds(lambda: _hash(photos))
        ours = _seconds(lambda: _import(program, photos, event, stored=files))
        again = _seconds(lambda: _import(program, photos, event, stored=0))
    rows = [
        Row("import; peer: cp -r, and sync", ours, copied),
        Row("import; peer: sha256sum", ours, hashed),
        Row("import once more; peer: sha256sum", again, hashed),
    ]
    print_table(f"Import of {files:,} files of {kilobytes:,} kB, seconds", rows)
    return {
        "import: seconds": ours,
        "import: times cp": ours / copied,
        "import: times sha256sum": ours / hashed,
        "import once more: times sha256sum": again / hashed,
    }


def _make(folder: Path, files: int, kilobytes: int) -> None:
    for number in range(files):
        path = folder / str(number % FOLDERS) / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(JPEG + os.urandom(kilobytes * 1000))
    os.sync()


def _event(program: Program) -> str:
    organisation = program.run("org", "create", "Benchmark")["org_id"]
    return str(program.run("event", "create", str(organisation), "Race")["event_id"])


def _copy(photos: Path, target: Path) -> None:
    subprocess.run(["cp", "-r", photos, target], check=True)
    os.sync()


def _hash(photos: Path) -> None:
    find = ["find", str(photos), "-type", "f", "-exec", "sha256sum", "{}", "+"]
    subprocess.run(find, check=True, stdout=subprocess.DEVNULL)


def _import(program: Program, photos: Path, event: str, *, stored: int) -> None:
    report = program.run("import", event, str(photos))
    assert report["stored"] == stored


def _seconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--kilobytes", type=int, default=1_000)
    given = parser.parse_args()
    main(given.files, given.kilobytes)
