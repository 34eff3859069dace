"""The real server, and a proxy before it that can be told to fail."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from fotofinish.client import AsyncClient, Client
from tests.api.conftest import Race, Server, client, make_race, module_race, race, server
from tests.loops import run
from tests.running import free_port, running

__all__ = ["client", "make_race", "module_race", "race", "server"]


@dataclass
class Fault:
    """What goes wrong with one request whose path holds `path`; it does so once."""

    path: str
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cut_at: int | None = None
    tampered: bool = False
    forwarded: bool = False
    """Whether the server gets the request all the same."""


@dataclass
class Proxy:
    """A reverse proxy that serves what the real server says, but for its faults."""

    url: str
    upstream: str
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    replaced: dict[str, str] = field(default_factory=dict)

    def asked(self, path: str) -> list[dict[str, str]]:
        """The headers of each request whose path holds this."""
        return [headers for _, asked, headers in self.requests if path in asked]

    async def serve(self, request: Request) -> Response:
        """Forward one request."""
        path = request.url.path
        self.requests.append((request.method, path, dict(request.headers)))
        fault = next((one for one in self.faults if one.path in path), None)
        if fault is not None:
            self.faults.remove(fault)
            if fault.status is not None and not fault.forwarded:
                return Response(b"{}", fault.status, fault.headers)
        answer = await self._ask(request)
        if fault is not None and fault.status is not None:
            return Response(b"{}", fault.status, fault.headers)
        headers = {
            name: answer.headers[name]
            for name in ("content-type", "content-range", "retry-after")
            if name in answer.headers
        }
        content = answer.content
        if "json" in headers.get("content-type", ""):
            text = answer.text.replace(self.upstream, self.url)
            for old, new in self.replaced.items():
                text = text.replace(old, new)
            content = text.encode()
        if fault is not None and fault.tampered:
            content = bytes(reversed(content))
        if fault is not None and fault.cut_at is not None:
            headers["content-length"] = str(len(content))
            return StreamingResponse(_cut(content[: fault.cut_at]), answer.status_code, headers)
        return Response(content, answer.status_code, headers)

    async def _ask(self, request: Request) -> httpx.Response:
        query = f"?{request.url.query}" if request.url.query else ""
        sent = {
            name: value
            for name, value in request.headers.items()
            if name in ("x-api-key", "content-type", "range", "if-range")
        }
        async with httpx.AsyncClient(timeout=60) as upstream:
            return await upstream.request(
                request.method,
                f"{self.upstream}{request.scope['raw_path'].decode()}{query}",
                content=await request.body(),
                headers=sent,
            )


async def _cut(content: bytes) -> AsyncIterator[bytes]:
    yield content
    await asyncio.sleep(0.05)
    raise ConnectionError("cut off on purpose")


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    """A proxy without faults so far."""
    port = free_port()
    proxy = Proxy(f"http://127.0.0.1:{port}", server.url)
    app = Starlette(routes=[Route("/{path:path}", proxy.serve, methods=["GET", "POST", "DELETE"])])
    with running(app, port):
        yield proxy


class Waiting:
    """An AsyncClient whose calls are waited for, so that one test serves both kinds."""

    def __init__(self, *given: Any, **options: Any) -> None:
        self._given = (given, options)

    def __getattr__(self, name: str) -> Any:
        def call(*values: Any, **options: Any) -> Any:
            return run(self._call(name, values, options))

        return call

    async def _call(self, name: str, values: Any, options: Any) -> Any:
        given, settings = self._given
        async with AsyncClient(*given, **settings) as api:
            made = getattr(api, name)(*values, **options)
            if inspect.isasyncgen(made):
                return [item async for item in made]
            return await made


@pytest.fixture(params=[Client, Waiting], ids=["sync", "async"])
def connect(request: pytest.FixtureRequest, proxy: Proxy) -> Any:
    """A function that gives a client for a race, through the proxy."""

    def make(race: Race, **options: Any) -> Any:
        settings = {"key": race.key, "org_id": race.org_id, **options}
        return request.param(proxy.url, **settings)

    return make
