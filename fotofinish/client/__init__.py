"""A client of the external API: `from fotofinish.client import Client` (or `AsyncClient`).

It needs httpx alone and imports nothing of the server but the rule that makes a photo's id.
"""

from fotofinish.client.answers import (
    Day,
    Details,
    Event,
    Hour,
    Image,
    Original,
    Search,
)
from fotofinish.client.asynchronous import AsyncClient
from fotofinish.client.downloads import Downloaded, Progress
from fotofinish.client.errors import (
    ApiError,
    ClientError,
    ConnectionFailed,
    DownloadFailed,
    Forbidden,
    InvalidCall,
    NotFound,
    RateLimited,
    ServerFailed,
    Unauthenticated,
)
from fotofinish.client.synchronous import Client

__all__ = [
    "ApiError",
    "AsyncClient",
    "Client",
    "ClientError",
    "ConnectionFailed",
    "Day",
    "Details",
    "DownloadFailed",
    "Downloaded",
    "Event",
    "Forbidden",
    "Hour",
    "Image",
    "InvalidCall",
    "NotFound",
    "Original",
    "Progress",
    "RateLimited",
    "Search",
    "ServerFailed",
    "Unauthenticated",
]
