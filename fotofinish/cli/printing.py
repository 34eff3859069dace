"""What commands print: a text for people, or one JSON object."""

from __future__ import annotations

import json
import os
import sys
from typing import Annotated, NoReturn

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def print_(data: dict[str, object], text: str, json_output: bool) -> None:
    """What a command did: for programs where they asked for it, else for people."""
    say(json.dumps(data) if json_output else text)


def say(text: str) -> None:
    """A line on standard output; ends the command where that cannot be written."""
    try:
        typer.echo(text)
    except BrokenPipeError:  # whoever read it has had enough
        raise
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # it is flushed at the end
        fail(f"The output cannot be written: {error.strerror}.")


def fail(message: str, status: int = 1) -> NoReturn:
    """End the command with a line on standard error; 2 is a mistake in how it was called."""
    typer.echo(f"Error: {message}" if status == 1 else message, err=True)
    raise SystemExit(status)


def failure_lines(failed: list[tuple[str, str]], most: int | None = None) -> list[str]:
    """Names and reasons of photos that could not be read, under a headline; none without any."""
    if not failed:
        return []
    headline = f"{len(failed)} photos" if len(failed) > 1 else "1 photo"
    return [
        f"{headline} could not be read:",
        *(f"  {name}: {reason}" for name, reason in failed[:most]),
    ]
