"""Pages: what a request may ask for, and how an answer says where it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypedDict
from urllib.parse import parse_qsl

from starlette.requests import Request

from fotofinish.errors import InvalidValue

MAX_PAGE = 2**53 - 1  # the largest whole number that every JSON reader keeps exactly


class Pagination(TypedDict):
    total: int
    currentPage: int
    totalPages: int
    hasNextPage: bool
    hasPreviousPage: bool
    page_size: int


@dataclass(frozen=True, slots=True)
class Window:
    """The page asked for, counted from 1."""

    page: int
    page_size: int

    @property
    def offset(self) -> int:
        """How many items lie before the page."""
        return (self.page - 1) * self.page_size

    def pagination(self, total: int) -> Pagination:
        """Where the page stands among `total` items."""
        pages = -(-total // self.page_size)
        return {
            "total": total,
            "currentPage": self.page,
            "totalPages": pages,
            "hasNextPage": self.page < pages,
            "hasPreviousPage": self.page > 1 and pages > 0,
            "page_size": self.page_size,
        }


def read_window(request: Request, *, default: int, most: int) -> Window:
    """`page` and `page_size` of the query. Raises InvalidValue naming each that does not fit."""
    if not request.scope["query_string"]:
        return Window(1, default)
    return check_window(read_query(request), [], default=default, most=most)


def check_window(
    values: dict[str, list[str]], faults: list[str], *, default: int, most: int
) -> Window:
    """As `read_window`; `faults` holds what was wrong with other parameters of the query."""
    window = Window(
        read_integer(values, "page", 1, MAX_PAGE, faults, default=1),
        read_integer(values, "page_size", 1, most, faults, default=default),
    )
    if faults:
        raise InvalidValue("; ".join(faults))
    return window


def read_query(request: Request) -> dict[str, list[str]]:
    """The query's parameters with all values given for each."""
    values: dict[str, list[str]] = {}
    query = request.scope["query_string"].decode("latin-1")
    for name, value in parse_qsl(query, keep_blank_values=True):
        values.setdefault(name, []).append(value)
    return values


def read_integer(
    values: dict[str, list[str]],
    name: str,
    least: int,
    most: int,
    faults: list[str],
    *,
    default: int | None = None,
) -> int:
    """One whole number of the query, in plain decimal digits; what is wrong goes to `faults`."""
    given = values.get(name, [])
    fault = None
    if not given and default is not None:
        return default
    if not given:
        fault = "Field required"
    elif len(given) > 1:
        fault = "Input should be given once"
    elif not re.fullmatch(r"-?[0-9]{1,4000}", given[0]):
        fault = "Input should be a valid integer, unable to parse string as an integer"
    elif (number := int(given[0])) < least:
        fault = f"Input should be greater than or equal to {least}"
    elif number > most:
        fault = f"Input should be less than or equal to {most}"
    else:
        return number
    faults.append(f"query.{name}: {fault}")
    return least
