"""Start lists as files: CSV of any common make, its columns found, its rows checked one by one.

Knows text and no database. What is wrong with a row is said with the number that a spreadsheet
gives that row.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from fotofinish.bibs.numbers import MOST_SIGNS, normalise_bib, printed_bib
from fotofinish.errors import InvalidValue

MAX_BYTES = 4 * 1024**2
MAX_ROWS = 100_000
MAX_COLUMNS = 60
MAX_NAME = 200
# in this order where several fit: a comma also stands inside names, the others hardly ever do
DELIMITERS = ";\t|,"
SAMPLE = 200
MOST_TITLE = 10  # rows, the header among them
MOST_LINES = 3  # of a cell
END = "\0"  # a row of its own behind the text, unless a quotation is open there

BIB_HEADERS = {
    "bib", "bibno", "bibnr", "bibnumber", "racenumber", "startno", "startnr", "startnumber",
    "startnummer", "stnr", "startnum", "dorsal", "dossard", "pettorale", "rugnummer", "startnumero",
}  # fmt: skip
# these may count the rows, where a column of those above stands beside them
NUMBER_HEADERS = {"number", "no", "nr", "num", "numero", "nummer"}
NAME_HEADERS = {
    "name", "fullname", "participant", "participantname", "runner", "athlete", "athletename",
    "teilnehmer", "competitor", "namen", "naam", "nombrecompleto",
}  # fmt: skip
FIRST_NAME_HEADERS = {
    "first", "firstname", "givenname", "forename", "vorname", "prenom", "nombre", "voornaam",
    "fornavn", "fornamn",
}  # fmt: skip
LAST_NAME_HEADERS = {
    "last", "lastname", "surname", "familyname", "nachname", "familienname", "nom", "apellido",
    "apellidos", "cognome", "achternaam", "etternavn", "efternamn",
}  # fmt: skip
NAME_WORDS = NAME_HEADERS | FIRST_NAME_HEADERS | LAST_NAME_HEADERS
WORD = re.compile(r"[^\W\d_]{2}")
PASTED_SHARE = 0.8
# thousands apart, and zeros behind a decimal sign: three of those only where it cannot be thousands
NUMBER = re.compile(r"(\d+|[1-9]\d{0,2}([.,'’])\d{3}(?:\2\d{3})*)(?:[.,]0{1,2}|(?<=\d{4})[.,]0+)?")
NO_BREAK_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:[\u00a0\u202f]\d{3})+")
BIB_SHAPE = re.compile(r"[A-Za-z]{0,3}[- ]?\d{1,6}[A-Za-z]?")


@dataclass(frozen=True, slots=True)
class Entry:
    """One participant; `bib` in its normal form."""

    bib: str
    name: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is not empty; `number` counts from 1, empty ones too."""

    number: int
    cells: list[str]

    def cell(self, place: int | None) -> str:
        """The text of a cell; empty where the row is shorter."""
        return self.cells[place] if place is not None and place < len(self.cells) else ""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where what stands, counted from 0; `header`: the first row names the columns."""

    bib: int
    name: int | None
    last_name: int | None
    header: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row was left out."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says: its participants, and the rows that say nothing usable."""

    entries: list[Entry]
    faults: list[Fault]


def decode_text(data: bytes) -> str:
    """The file's text, as spreadsheets write it (UTF-8, UTF-16, else Windows-1252).

    Raises InvalidValue for what is no text.
    """
    if len(data) > MAX_BYTES:
        raise InvalidValue(f"A start list has at most {MAX_BYTES // 1024**2} MB.")
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise InvalidValue("This is a spreadsheet file. Save it as CSV, then choose that file.")
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            text = data.decode("utf-16")
        else:
            text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    if "\0" in text:
        raise InvalidValue("This is no text file. Choose the start list saved as CSV.")
    return text


def read_rows(text: str) -> list[Row]:
    """The rows of a CSV from its header on, whatever separates its columns; raises InvalidValue."""
    text = text.lstrip("\ufeff").replace(END, "")
    text = text.replace("\r\n", "\n").replace("\r", "\n")  # Excel of a Mac ends lines by CR alone
    delimiter = _delimiter(text)
    first, _, rest = text.partition("\n")
    if re.fullmatch(r"sep=.\s*", first):  # a note of Excel to itself
        text = "\n" + rest
    rows, number, cells = [], 0, [END]
    lines = io.StringIO(text.rstrip("\n") + "\n" + END)
    try:
        for number, cells in enumerate(csv.reader(lines, delimiter=delimiter), 1):
            if cells == [END]:
                break
            if any(_swallows(cell, delimiter) for cell in cells):
                raise _open_quotation(number)
            if number > MAX_ROWS:
                raise InvalidValue(f"A start list has at most {MAX_ROWS:,} rows.")
            while cells and not cells[-1].strip():  # spreadsheets write hundreds of them
                cells.pop()
            if len(cells) > MAX_COLUMNS:
                raise InvalidValue(f"Row {number} has more than {MAX_COLUMNS} columns.")
            if cells:
                rows.append(Row(number, [_plain(cell) for cell in cells]))
    except csv.Error as error:
        if '"' in text:
            raise _open_quotation(number + 1) from None
        raise InvalidValue(f"This is no CSV: {error}.") from None
    if cells != [END]:
        raise _open_quotation(number)
    if not rows:
        raise InvalidValue("The start list is empty.")
    return _pasted(_below_title(rows))


def find_columns(rows: Sequence[Row]) -> Columns:
    """Which column is which: by the header's words, else by what the columns hold.

    Raises InvalidValue when none can be that of the bibs.
    """
    words = _words(rows[0])
    bib = _place(words, BIB_HEADERS)
    if bib is None:
        bib = _place(words, NUMBER_HEADERS)
    if bib is None and "#" in rows[0].cells:
        bib = rows[0].cells.index("#")
    names = [
        _place(words, group) for group in (NAME_HEADERS, FIRST_NAME_HEADERS, LAST_NAME_HEADERS)
    ]
    header = worded = bib is not None or names != [None, None, None]
    sample = rows[1 if header else 0 :][:SAMPLE]
    if bib is None:
        bib = _likeliest_bib(sample)
        if bib is None:
            raise InvalidValue(
                "No column of this list holds bib numbers. It needs one, best with “Bib” above it."
            )
        header = header or _names_itself(rows[:SAMPLE], bib)
        sample = rows[1 if header else 0 :][:SAMPLE]
    full, first, last = names
    if first is not None and last is not None:
        return Columns(bib, first, last, header)
    part = first if first is not None else last
    if full is None:
        full = part
    elif part is not None and not _is_whole(sample, full, part):
        # German lists write "Vorname" and "Name", others "Name" and "Surname"
        return Columns(bib, *((full, part) if first is None else (part, full)), header)
    if full is None and not worded:
        full = _likeliest_name(sample, bib)
    return Columns(bib, full, None, header)


def take_entries(rows: Sequence[Row], columns: Columns) -> Reading:
    """Each participant once; a row that repeats one says nothing new and is no fault."""
    entries: dict[str, Entry] = {}
    seen: dict[str, int] = {}
    faults = []
    for row in rows[1 if columns.header else 0 :]:
        cell = row.cell(columns.bib)
        bib = bib_in(cell)
        parts = (row.cell(columns.name), row.cell(columns.last_name))
        name = " ".join(part for part in parts if part)[:MAX_NAME].strip()
        entry = Entry(bib, name or None)
        if not bib:
            faults.append(Fault(row.number, "has no bib number"))
        elif len(bib) > MOST_SIGNS:
            faults.append(Fault(row.number, f"has a bib of more than {MOST_SIGNS} signs"))
        elif not printed_bib(bib):
            faults.append(Fault(row.number, f"has “{cell}”, which is no bib number"))
        elif entries.setdefault(bib, entry) != entry:
            faults.append(Fault(row.number, f"repeats bib {bib} of row {seen[bib]}"))
        else:
            seen.setdefault(bib, row.number)
    return Reading(list(entries.values()), faults)


def bib_in(cell: str) -> str:
    """The bib that a cell says, as it is kept."""
    return normalise_bib(_number(cell))


def _delimiter(text: str) -> str:
    lines = [line for line in text[:65536].splitlines()[:50] if line.strip()]
    best, most = ",", 0.0
    for delimiter in DELIMITERS:
        try:
            widths = [len(cells) for cells in csv.reader(lines, delimiter=delimiter)]
        except csv.Error:
            continue
        for width, times in Counter(widths).most_common(1):
            share = times / len(widths) if width > 1 else 0.0
            if share > most:
                best, most = delimiter, share
    return best


def _swallows(cell: str, delimiter: str) -> bool:
    """Whether a cell holds rows, since a quotation mark begins it that was meant as a sign.

    Addresses stand on a few lines; there is no delimiter in them but commas.
    """
    lines = cell.strip().count("\n") + 1
    return lines > MOST_LINES or (lines > 1 and delimiter != "," and delimiter in cell)


def _open_quotation(row: int) -> InvalidValue:
    return InvalidValue(
        f"Row {row} opens a quotation mark that nothing closes, so everything behind it would "
        "be one cell. Remove the mark, or close it."
    )


def _below_title(rows: list[Row]) -> list[Row]:
    """Without the rows above a header, such as the name of the race; none of them has a bib."""
    for place, row in enumerate(rows[:MOST_TITLE]):
        words = _words(row)
        bib = _place(words, BIB_HEADERS)
        if bib is None and not NAME_WORDS.isdisjoint(words):
            bib = _place(words, NUMBER_HEADERS)
        if bib is not None:
            above = [BIB_SHAPE.fullmatch(_number(one.cell(bib))) for one in rows[:place]]
            return rows if any(above) else rows[place:]
    return rows


def _pasted(rows: list[Row]) -> list[Row]:
    """Lines of one column each with a bib and a name behind it, in two columns."""
    if any(len(row.cells) > 1 for row in rows):
        return rows
    pairs = [_bib_and_name(row.cells[0]) for row in rows]
    if sum(pair is not None for pair in pairs) < PASTED_SHARE * len(rows):
        return rows
    return [
        replace(row, cells=pair) if pair else row for row, pair in zip(rows, pairs, strict=True)
    ]


def _bib_and_name(line: str) -> list[str] | None:
    """Both of "1234 Ada Lovelace", as it is pasted out of a document; None for other lines."""
    bib, _, name = line.partition(" ")
    if not _has_digit(bib) or _has_digit(name) or not WORD.search(name):
        return None
    return [bib, name]


def _has_digit(text: str) -> bool:
    return any(map(str.isdecimal, text))


def _plain(cell: str) -> str:
    """Without what does not show, nor the no-break spaces that programs write into numbers; on one
    line."""
    if NO_BREAK_THOUSANDS.fullmatch(cell.strip()):
        return re.sub(r"\D", "", cell)
    return " ".join("".join(c if c.isprintable() else " " for c in cell).split())


def _number(cell: str) -> str:
    """A bib as it is printed, where a spreadsheet made a number or a formula of it.

    "1.000", "1,000" and "1'000" are 1000. What people write may be printed so, and stays: "1-234",
    and "12 345" with the space of a keyboard.
    """
    if found := re.fullmatch(r'="(.*)"', cell):
        return found[1]
    if found := NUMBER.fullmatch(cell):
        return re.sub(r"\D", "", found[1])
    return cell.removeprefix("'")


def _words(row: Row) -> list[str]:
    """Its cells as headers are compared: their letters alone."""
    return [re.sub(r"[^a-z]", "", _ascii(cell)) for cell in row.cells]


def _ascii(word: str) -> str:
    return word.casefold().translate(str.maketrans("éèêúùóòº°üöä", "eeeuuoooouoa"))


def _place(words: Sequence[str], group: set[str]) -> int | None:
    return next((place for place, word in enumerate(words) if word in group), None)


def _filled(rows: Sequence[Row]) -> Iterator[tuple[int, list[str]]]:
    """Each column's cells, empty ones too."""
    for place in range(max((len(row.cells) for row in rows), default=0)):
        yield place, [row.cell(place) for row in rows]


def _likeliest_bib(rows: Sequence[Row]) -> int | None:
    """The column with the most different values of a bib's shape; years and ages repeat."""
    scores = {
        place: len({cell for cell in cells if BIB_SHAPE.fullmatch(_number(cell))})
        for place, cells in _filled(rows)
    }
    return _best(scores)


def _likeliest_name(rows: Sequence[Row], bib: int) -> int | None:
    """The column with the most different values of letters alone, or none."""
    scores = {
        place: len({cell for cell in cells if cell and not any(map(str.isdigit, cell))})
        for place, cells in _filled(rows)
        if place != bib
    }
    return _best(scores)


def _is_whole(rows: Sequence[Row], full: int, part: int) -> bool:
    """Whether names in the one column hold, for the most part, what stands in the other."""
    pairs = [(row.cell(full).casefold(), row.cell(part).casefold()) for row in rows]
    known = [some in whole for whole, some in pairs if some]
    return 2 * sum(known) > len(known)


def _best(scores: Mapping[int, int]) -> int | None:
    """The first column with the highest score, or none that has any."""
    place = max(scores, key=lambda place: (scores[place], -place), default=None)
    return place if place is not None and scores[place] else None


def _names_itself(rows: Sequence[Row], bib: int) -> bool:
    """Whether the first row is a header, to judge by the column of the bibs."""
    first, rest = rows[0].cell(bib), [row.cell(bib) for row in rows[1:]]
    fitting = sum(bool(BIB_SHAPE.fullmatch(_number(cell))) for cell in rest)
    return bool(rest) and not any(map(str.isdigit, first)) and fitting >= 0.8 * len(rest)
