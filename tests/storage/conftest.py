"""What the tests of storage share: stores on a real S3 server, and a server of local files."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fotofinish.delivery.files import serve_file
from fotofinish.errors import FotofinishError
from fotofinish.settings import Settings
from fotofinish.storage.folder import FolderStore
from fotofinish.storage.links import Linker, open_linker
from fotofinish.storage.stores import open_store
from tests.s3_server import S3Server

PUBLIC_URL = "http://photos.example"


@pytest.fixture
def s3_settings(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """Settings for the bucket of the running server, with its credentials in the environment."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    return Settings(storage_url=s3_server.storage_url, data_dir=tmp_path)


@pytest.fixture
def folder_settings(tmp_path: Path) -> Settings:
    """Settings without a storage address: a folder in the data folder."""
    return Settings(storage_url=None, data_dir=tmp_path, public_url=PUBLIC_URL, secret_key="k" * 43)


@pytest.fixture
def files_app(folder_settings: Settings) -> Starlette:
    """The route for local files alone, with errors answered as everywhere."""
    store = open_store(folder_settings)
    app = Starlette(
        routes=[Route("/files/{key:path}", serve_file)],
        exception_handlers={FotofinishError: _answer},
    )
    app.state.store = store
    app.state.linker = open_linker(folder_settings, store)
    app.state.downloaded = lambda key: None
    return app


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class FilesServer:
    """A running server of local files, over the store and the linker it was made with."""

    port: int
    store: FolderStore
    linker: Linker

    def ask(self, target: str, *, method: str = "GET", **headers: str) -> Answer:
        """One request for exactly this target; `If_Range` stands for `If-Range`."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, target, headers=sent)
            got = connection.getresponse()
            found = {name.lower(): value for name, value in got.getheaders()}
            return Answer(got.status, found, got.read())

    def target(self, key: str, *, now: float | None = None) -> str:
        """A link without scheme and host."""
        return self.linker.links([key], now=now)[0].removeprefix(PUBLIC_URL)


@pytest.fixture
def files_server(files_app: Starlette) -> Iterator[FilesServer]:
    """The route for local files behind a real server, as in production."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(files_app, loop="uvloop", http="httptools", log_level="error")
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            port = listening.getsockname()[1]
            yield FilesServer(port, files_app.state.store, files_app.state.linker)
        finally:
            server.should_exit = True
            thread.join()


async def _answer(request: Request, error: Exception) -> Response:
    assert isinstance(error, FotofinishError)
    body = {"responseType": "error", "message": error.message, "data": None}
    return JSONResponse(body, status_code=error.status)
