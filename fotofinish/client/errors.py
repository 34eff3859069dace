"""What can go wrong for a caller; no message holds the key or a signed link."""

from __future__ import annotations


class ClientError(Exception):
    """Base of everything the client raises on purpose."""


class ConnectionFailed(ClientError):
    """The server could not be reached, or went away, however often it was tried."""


class DownloadFailed(ClientError):
    """An original did not arrive whole; what did arrive is kept to go on from."""


class ApiError(ClientError):
    """The server's refusal: its HTTP `status`, and its message as the text."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class InvalidCall(ApiError):
    """400, 413 or 422: what was sent is not of the documented form."""


class Unauthenticated(ApiError):
    """401: there was no key."""


class Forbidden(ApiError):
    """403: the key does not reach this event, or this search is switched off."""


class NotFound(ApiError):
    """404: there is no such search, or not any more."""


class RateLimited(ApiError):
    """429, after all attempts."""


class ServerFailed(ApiError):
    """5xx, after all attempts."""


KINDS: dict[int, type[ApiError]] = {
    400: InvalidCall,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    413: InvalidCall,
    422: InvalidCall,
    429: RateLimited,
}


def refusal(status: int, body: object) -> ApiError:
    """The exception for an answer that is no success."""
    message = body.get("message") if isinstance(body, dict) else None
    kind = KINDS.get(status, ServerFailed if status >= 500 else ApiError)
    return kind(status, message if isinstance(message, str) else f"The server answered {status}.")
