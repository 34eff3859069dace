"""What forms send, within bounds of size and time, and from which pages.

Files are held in memory alone: a selfie or a list of names is never written to a disk.
"""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from fotofinish.errors import InvalidRequest
from fotofinish.web.bodies import PATIENCE, in_time, read_body

# what boundaries, part headers and the other fields of a form may take beside the file
FORM_ALLOWANCE = 64 * 1024
MOST_PARTS = 1000  # fields nobody asked for are passed over; this many nobody sends by mistake
MOST_FIELDS = 200  # a page of photos, each with its tick
FIELD_BYTES = 64 * 1024
FOREIGN_FORM = (
    "This form was not sent from a page of this server. Load the page again. If that does not "
    "help, a proxy before the server changes the header Host, which it has to pass on."
)


class _InMemoryParser(MultiPartParser):
    spool_max_size = 2**40
    ended = False

    def on_part_end(self) -> None:
        """A part that is no text is a file, whether or not it says its name."""
        part = self._current_part
        if part.file is None:
            try:
                part.data.decode()
            except UnicodeDecodeError:
                self.items.append((part.field_name, UploadFile(io.BytesIO(part.data))))
                return
        super().on_part_end()

    def on_end(self) -> None:
        self.ended = True


async def read_file_form(request: Request, most: int) -> FormData:
    """A multipart form with files of at most `most` bytes.

    Raises InvalidRequest when it is no such form, TooLarge as soon as that is known, TooSlow,
    NoRoom.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise InvalidRequest("Send the file in a form (multipart/form-data).")
    body = await read_body(request, most + FORM_ALLOWANCE)

    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    parser = _InMemoryParser(
        request.headers, stream(), max_files=MOST_PARTS, max_fields=MOST_PARTS, max_part_size=most
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise InvalidRequest(f"The form cannot be read: {error.message}") from None
    except UnicodeError:
        raise InvalidRequest("The form is written in a charset that none is. Use UTF-8.") from None
    if not parser.ended:
        raise InvalidRequest("The form is cut short: its last boundary is missing.")
    return form


async def read_form(request: Request) -> FormData:
    """The fields of a form without files, within bounds; raises TooSlow."""
    async with in_time(PATIENCE):
        return await request.form(max_files=0, max_fields=MOST_FIELDS, max_part_size=FIELD_BYTES)


def text(form: FormData, name: str) -> str:
    """A field of a form; empty when it is not there."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def from_our_own_page(request: Request) -> bool:
    """Whether a form was sent from a page of ours (OWASP: fetch metadata, else the origin).

    Browsers send `Sec-Fetch-Site` since 2023 where the connection is secure; all of them send
    `Origin` with every post.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] == request.headers.get("host")
