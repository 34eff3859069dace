"""The sockets a server listens on, opened before it says so. Who answers there is not known."""

from __future__ import annotations

import errno
import socket
from typing import Any

from fotofinish.errors import SettingsError

BACKLOG = 2048
# of a name's addresses, those of a kind this machine has not
ELSEWHERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def listen(host: str, port: int) -> list[socket.socket]:
    """A listening socket for each address of a host that is this machine's.

    Raises SettingsError with what to change when there is none or the port cannot be had.
    """
    opened: list[socket.socket] = []
    for family, address in _addresses(host, port):
        try:
            opened.append(socket.create_server(address, family=family, backlog=BACKLOG))
        except OSError as error:
            if error.errno in ELSEWHERE:
                continue
            for listening in opened:
                listening.close()
            raise SettingsError(_refusal(error, port)) from None
    if not opened:
        raise SettingsError(f"{host} is no address of this machine; choose another with --host.")
    return opened


def _addresses(host: str, port: int) -> list[tuple[int, Any]]:
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (socket.gaierror, UnicodeError):
        raise SettingsError(f"There is no host {host}; choose another with --host.") from None
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


def _refusal(error: OSError, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use; choose another with --port."
    if error.errno == errno.EACCES:
        return f"Port {port} is not for ordinary users; choose one from 1024 on with --port."
    return f"Nothing can listen on port {port} ({error.strerror}); choose another with --port."
