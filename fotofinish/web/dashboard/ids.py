"""Ids in the addresses of pages: a number that can be none is that of nothing."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor


class IdConvertor(Convertor[int]):
    """A number that PostgreSQL's `bigint` holds, or 0, which is nobody's id."""

    regex = "[0-9]+"

    def convert(self, value: str) -> int:
        """The id."""
        return int(value) if len(value) <= 18 else 0

    def to_string(self, value: int) -> str:
        """The id as it stands in an address."""
        return str(value)


def register_ids() -> None:
    """Let routes say `{event_id:id}`."""
    register_url_convertor("id", IdConvertor())
