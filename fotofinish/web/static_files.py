"""Style sheet, scripts and pictures of the pages, under addresses that change with their content.

`/static/<name>?v=<hash>` may be kept by browsers for ever; without the hash it is asked for anew.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from fotofinish.errors import NotFound
from fotofinish.web.compressing import accepts_gzip, compress

WEB = Path(__file__).parent
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file's bytes, as they are and made small, and the hash that its address carries."""

    content: bytes
    compressed: bytes
    media_type: str
    version: str


class StaticFiles:
    """The files of one folder, read once: a few dozen kilobytes."""

    def __init__(self, folder: Path) -> None:
        self._files = {
            path.name: StaticFile(
                content := path.read_bytes(),
                compress(content),
                TYPES[path.suffix],
                hashlib.sha256(content).hexdigest()[:12],
            )
            for path in sorted(folder.iterdir())
            if path.suffix in TYPES
        }

    def address(self, name: str) -> str:
        """Where a page finds this file."""
        return f"/static/{name}?v={self._files[name].version}"

    async def serve(self, request: Request) -> Response:
        """GET `/static/{name}`; names are a closed list."""
        file = self._files.get(request.path_params["name"])
        if file is None:
            raise NotFound("There is nothing at this address.")
        current = request.query_params.get("v") == file.version
        small = accepts_gzip(request)
        headers = {
            "Cache-Control": FOR_EVER if current else "no-cache",
            "ETag": f'"{file.version}{"-gzip" if small else ""}"',
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
        }
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        if not small:
            return Response(file.content, headers=headers, media_type=file.media_type)
        headers["Content-Encoding"] = "gzip"
        return Response(file.compressed, headers=headers, media_type=file.media_type)
