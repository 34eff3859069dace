"""`make demo` run again, beside another one, and with what is not there."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest
import simplejpeg

from tests.running import free_port


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where the demo is run: a short path, for the database's socket."""
    made = Path(tempfile.mkdtemp(prefix="ff-demo-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


def test_a_folder_that_is_missing_is_named_before_anything_is_done(folder: Path) -> None:
    for photos, message in (("gone", "no file or folder gone"), (".", "no photos in .")):
        done = _demo(folder, "--photos", photos)
        said = done.communicate()[1]
        assert done.returncode == 1
        assert message in said
        assert not list(folder.iterdir())


def test_a_second_demo_leaves_keys_alone_but_for_its_own(folder: Path) -> None:
    photo = np.random.default_rng(5).integers(0, 255, (96, 128, 3), dtype=np.uint8)
    (folder / "one.jpg").write_bytes(simplejpeg.encode_jpeg(photo))
    words = ("--photos", "one.jpg", "--port", str(free_port()))
    first = _demo(folder, *words, "--once")
    old = _printed_key(first.communicate()[0])
    made = subprocess.run(
        [sys.executable, "-m", "fotofinish", "key", "create", "903"],
        env={**os.environ, "FOTOFINISH_DATA_DIR": str(folder / "demo-data")},
        capture_output=True,
        text=True,
    )
    mine = made.stdout.split()[-1]

    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        second = _demo(folder, "--photos", "one.jpg", "--port", str(taken))
        said = _until(second, "Ctrl-C")
    address = re.search(r"http://127\.0\.0\.1:\d+", said)
    assert address is not None
    ping = f"{address[0]}/api/v1/ext/903/event/456/ping"
    answers = [
        httpx.get(ping, headers={"X-API-Key": key}).status_code
        for key in (old, mine, _printed_key(said))
    ]
    assert answers == [403, 200, 200]

    third = _demo(folder, *words)
    assert "A demo runs on demo-data already" in third.communicate()[1]
    assert third.returncode == 1
    assert httpx.get(ping, headers={"X-API-Key": _printed_key(said)}).status_code == 200
    second.send_signal(signal.SIGINT)
    assert f"Port {taken} is not free; serving on" in second.communicate(timeout=60)[1]
    assert second.returncode == 0


def test_a_demo_beside_a_real_installation_keeps_to_itself_and_sigterm_stops_all_of_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = {
        "FOTOFINISH_DATABASE_URL": "postgresql://real@127.0.0.1:9/real",
        "FOTOFINISH_STORAGE_URL": "s3://real",
        "FOTOFINISH_PUBLIC_URL": "https://real.example",
        "FOTOFINISH_SECRET_KEY": "the real one, which is long enough",
        "FOTOFINISH_DATA_DIR": str(folder / "real"),
    }
    (folder / ".env").write_text("".join(f"{key}='{real[key]}'\n" for key in real))
    for key, value in real.items():
        monkeypatch.setenv(key, value)
    photo = np.random.default_rng(7).integers(0, 255, (96, 128, 3), dtype=np.uint8)
    (folder / "one.jpg").write_bytes(simplejpeg.encode_jpeg(photo))
    demo = _demo(folder, "--photos", "one.jpg", "--port", str(free_port()))
    said = _until(demo, "Ctrl-C")
    docs = re.search(r"http://127\.0\.0\.1:\d+/api/v1/docs", said)
    assert docs is not None, said
    page = httpx.get(docs[0]).text
    (server,) = [
        child for child in psutil.Process(demo.pid).children() if "serve" in child.cmdline()
    ]
    demo.terminate()
    assert demo.wait(60) == 0
    assert not server.is_running()
    assert "real.example" not in page
    assert docs[0].removesuffix("/docs") in page
    assert len(list((folder / "demo-data" / "storage").rglob("large/*.jpg"))) == 1
    assert not (folder / "real").exists()


def _demo(folder: Path, *words: str) -> subprocess.Popen[str]:
    """The demo, running. Ctrl-C stops it, also where the tests run in the background."""
    return subprocess.Popen(
        [sys.executable, "-m", "fotofinish.demo.run", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def _until(demo: subprocess.Popen[str], last: str) -> str:
    """What a demo prints, up to the line that begins with `last`."""
    assert demo.stdout is not None
    lines = []
    for line in demo.stdout:
        lines.append(line)
        if line.startswith(last):
            break
    return "".join(lines)


def _printed_key(said: str) -> str:
    found = re.search(r"^API key +(\S+)$", said, re.MULTILINE)
    assert found is not None, said
    return found[1]
