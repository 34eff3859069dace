"""The Content-Disposition header that saves a download under its name."""

from __future__ import annotations

from urllib.parse import quote


def attachment(filename: str) -> str:
    """`attachment` with the name, in ASCII for all and in UTF-8 where ASCII is not enough.

    RFC 6266, with the extended value of RFC 8187 (which replaced 5987).
    """
    plain = "".join(
        letter if letter.isascii() and letter.isprintable() and letter not in '"\\%' else "_"
        for letter in filename
    )
    if plain == filename:
        return f'attachment; filename="{plain}"'
    extended = quote(filename, safe="!#$&+^`|", errors="replace")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{extended}"
