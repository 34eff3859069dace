"""An event's start list: putting it in with a look at it first, and how it fits what was read.

Between the look and the yes the list travels in the form itself: names of people that nobody
said yes to are stored nowhere.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import zip_longest

from psycopg import AsyncConnection
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fotofinish.bibs.coverage import (
    SHOWN,
    Unlisted,
    correct_bib,
    coverage,
    list_participants,
    list_unlisted,
)
from fotofinish.errors import InvalidValue, StorageError
from fotofinish.events.events import Event, find_own_event
from fotofinish.events.startlist_files import (
    MAX_BYTES,
    Columns,
    Reading,
    Row,
    bib_in,
    decode_text,
    find_columns,
    read_rows,
    take_entries,
)
from fotofinish.events.startlists import replace_startlist
from fotofinish.photos.preview_links import preview_links
from fotofinish.web.dashboard.shell import Shell, frame_of
from fotofinish.web.dashboard.visitors import Visitor, require
from fotofinish.web.forms import read_file_form, read_form, text
from fotofinish.web.services import Services, services

PAGE = 50
UNLISTED_SHOWN = 30
SAMPLE = 6
FAULTS_SHOWN = 20
COLUMN_FIELDS = ("bib", "name", "last_name")


@dataclass(frozen=True, slots=True)
class Draft:
    """A list that nobody has said yes to yet."""

    text: str
    rows: list[Row]
    columns: Columns
    reading: Reading

    @property
    def labels(self) -> list[str]:
        """What each column is called, or what stands in its first row."""
        first = self.rows[0]
        width = max(len(row.cells) for row in self.rows[: SAMPLE + 1])
        if self.columns.header:
            return [first.cell(place) or f"Column {place + 1}" for place in range(width)]
        return [f"Column {place + 1}: {first.cell(place)}" for place in range(width)]

    @property
    def sample(self) -> list[Row]:
        """The first rows below the header."""
        return self.rows[self.columns.header :][:SAMPLE]

    def bib(self, row: Row) -> str:
        """What is taken for its bib."""
        return bib_in(row.cell(self.columns.bib))


class StartlistPage:
    """Editors and owners put lists in and correct; everybody may look."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def show(self, request: Request, visitor: Visitor) -> Response:
        """GET `/events/{event_id}/startlist?show=without&find=…&page=2`."""
        return await self._render(request, visitor)

    async def preview(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `…/startlist/preview`: what the file says, and which column is which."""
        async with services(request).pool.connection() as connection:
            event = await _find(connection, request, visitor)
            current = require(visitor.organisation(event.org_id), "editor")
            present = await coverage(connection, event.id)
        try:
            draft = await _draft(form)
        except InvalidValue as error:
            return await self._refuse(request, visitor, form, error)
        return self._shell.render(
            "startlist-preview.html",
            frame_of(request, visitor, current),
            event=event,
            draft=draft,
            present=present,
            faults_shown=FAULTS_SHOWN,
        )

    async def replace(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `…/startlist`: the list as it was looked at becomes the event's."""
        async with services(request).pool.connection() as connection:
            event = await _find(connection, request, visitor)
            require(visitor.organisation(event.org_id), "editor")
        try:
            draft = await _draft(form)
            if not draft.reading.entries:
                raise InvalidValue("Nobody is on this list.")
        except InvalidValue as error:
            return await self._refuse(request, visitor, form, error)
        async with services(request).pool.connection() as connection:
            await replace_startlist(connection, event.id, draft.reading.entries)
        return _back(event, "listed")

    async def remove(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `…/startlist/remove`: the event has no list any more."""
        async with services(request).pool.connection() as connection:
            event = await _find(connection, request, visitor)
            require(visitor.organisation(event.org_id), "editor")
            await replace_startlist(connection, event.id, [])
        return _back(event, "unlisted")

    async def correct(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `…/startlist/correct`: what was read as `bib` is `right`, on all photos."""
        async with services(request).pool.connection() as connection:
            event = await _find(connection, request, visitor)
            require(visitor.organisation(event.org_id), "editor")
            try:
                await correct_bib(connection, event.id, text(form, "bib"), text(form, "right"))
            except InvalidValue as error:
                fault = error.message
            else:
                return _back(event, "corrected", "#unlisted")
        return await self._render(request, visitor, fault=fault)

    async def _refuse(
        self, request: Request, visitor: Visitor, form: FormData, error: InvalidValue
    ) -> Response:
        """The page with what is wrong with a list, and what was pasted still in its field."""
        return await self._render(request, visitor, fault=error.message, pasted=text(form, "list"))

    async def _render(
        self, request: Request, visitor: Visitor, *, fault: str | None = None, pasted: str = ""
    ) -> Response:
        ours, asked = services(request), request.query_params
        show = asked.get("show", "")
        show = show if show in SHOWN else "all"
        find = asked.get("find", "")[:100]
        number = (
            int(given) if (given := asked.get("page", "")).isdecimal() and len(given) < 6 else 1
        )
        number = max(number, 1)
        async with ours.pool.connection() as connection:
            event = await _find(connection, request, visitor)
            numbers = await coverage(connection, event.id)
            total, people = await list_participants(
                connection,
                event.id,
                show=show,
                find=find,
                offset=(number - 1) * PAGE,
                limit=PAGE,
            )
            unlisted = (
                await list_unlisted(connection, event.id, limit=UNLISTED_SHOWN)
                if numbers.listed and numbers.doubtful
                else []
            )
        pictures, trouble = _pictures(ours, event.id, unlisted)
        return self._shell.render(
            "startlist.html",
            frame_of(request, visitor, visitor.organisation(event.org_id)),
            status=422 if fault else 200,
            pictures=pictures[:1],
            event=event,
            numbers=numbers,
            people=people,
            total=total,
            show=show,
            find=find,
            number=number,
            pages=-(-total // PAGE),
            first=(number - 1) * PAGE + 1,
            unlisted=list(zip_longest(unlisted, pictures)),
            trouble=trouble,
            fault=fault,
            pasted=pasted,
        )


async def read_list_form(request: Request) -> FormData:
    """The fields of a form, with a start list as a file or in a field."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        return await read_form(request)
    return await read_file_form(request, MAX_BYTES * 2)


async def _draft(form: FormData) -> Draft:
    """The list that a form carries; raises InvalidValue when it carries none."""
    given = form.get("file")
    if isinstance(given, UploadFile) and given.filename:
        # the columns are found anew: those of the form belong to another file
        return await asyncio.to_thread(_read, decode_text(await given.read()), None)
    content = text(form, "list")
    if not content.strip():
        raise InvalidValue("Choose a CSV file, or paste the list.")
    if len(content.encode("utf-8", "replace")) > MAX_BYTES * 2:
        raise InvalidValue(f"A start list has at most {MAX_BYTES // 1024**2} MB.")
    return await asyncio.to_thread(_read, content, form if "bib" in form else None)


def _read(content: str, form: FormData | None) -> Draft:
    rows = read_rows(content)
    columns = find_columns(rows) if form is None else _chosen(form)
    return Draft(content, rows, columns, take_entries(rows, columns))


def _chosen(form: FormData) -> Columns:
    """The columns as somebody said they are."""
    bib, name, last_name = (
        int(given) if (given := text(form, field)).isdecimal() and len(given) < 3 else None
        for field in COLUMN_FIELDS
    )
    if bib is None:
        raise InvalidValue("Choose the column of the bib numbers.")
    return Columns(bib, name, last_name, header="header" in form)


async def _find(connection: AsyncConnection, request: Request, visitor: Visitor) -> Event:
    return await find_own_event(connection, visitor.account.id, request.path_params["event_id"])


def _pictures(
    ours: Services, event_id: int, unlisted: list[Unlisted]
) -> tuple[list[str], str | None]:
    """Links to a small picture of each bib's photo, or why there are none."""
    photos = [one.photo for one in unlisted]
    try:
        return preview_links(ours.linker, event_id, "small", photos), None
    except StorageError as error:
        return [], error.message


def _back(event: Event, done: str, place: str = "") -> Response:
    return RedirectResponse(f"/events/{event.id}/startlist?done={done}{place}", 303)
