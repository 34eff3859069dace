"""HTTP as uvicorn speaks it, but for refusals of what is no HTTP: they have the one error body."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from fotofinish.web.errors import error_response

NO_HTTP = "This is no request that can be read: its method, address or a header is not HTTP."


class HttpProtocol(HttpToolsProtocol):
    """What the application never sees is answered as it answers."""

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be parsed, and close; uvicorn's own text is for its log."""
        answer = error_response(400, NO_HTTP)
        head = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
        status = "HTTP/1.1 400 Bad Request\r\n"
        self.transport.write(f"{status}{head}connection: close\r\n\r\n".encode() + answer.body)
        self.transport.close()
