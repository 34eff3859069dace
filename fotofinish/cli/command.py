"""The command `fotofinish`: its sub-commands by name, and how what goes wrong is told."""

from __future__ import annotations

from typing import Annotated

import typer
from psycopg import OperationalError

from fotofinish import __version__
from fotofinish.cli import making, photos, running
from fotofinish.cli.printing import fail, say
from fotofinish.errors import FotofinishError

CONNECTION_LOST = ("08", "57P")  # SQLSTATE: connection exceptions, and servers that shut down

app = typer.Typer(
    help="Give every participant of a race their photos: by bib number or selfie.\n\n"
    "Begin with: fotofinish org create NAME, fotofinish event create ORG_ID NAME, "
    "fotofinish import EVENT_ID FOLDER --wait, fotofinish serve.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for name, command in (
    ("import", photos.import_),
    ("status", photos.status),
    ("startlist", photos.startlist),
    ("read", photos.read),
    ("migrate", running.migrate),
    ("download", photos.download),
    ("serve", running.serve),
    ("worker", running.worker),
    ("doctor", running.doctor),
):
    app.command(name)(command)

org_app = typer.Typer(help="Organisations: who owns events and keys.", no_args_is_help=True)
org_app.command("create")(making.org_create)
event_app = typer.Typer(help="Events: the races.", no_args_is_help=True)
event_app.command("create")(making.event_create)
key_app = typer.Typer(help="API keys of an organisation.", no_args_is_help=True)
key_app.command("create")(making.key_create)
user_app = typer.Typer(help="People who sign in to the dashboard.", no_args_is_help=True)
user_app.command("create")(making.user_create)
user_app.command("password")(making.user_password)
for name, group in (("org", org_app), ("event", event_app), ("key", key_app), ("user", user_app)):
    app.add_typer(group, name=name)


def version(shown: bool) -> None:
    """Print the version and leave, when asked to."""
    if shown:
        say(f"fotofinish {__version__}")
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """What holds for every command."""


def main() -> None:
    """The command `fotofinish`."""
    try:
        app()
    except FotofinishError as error:
        fail(error.message)
    except (UnicodeEncodeError, UnicodeDecodeError) as error:
        if error.encoding != "utf-8":  # what the terminal cannot show
            raise
        fail("What was given is not text in UTF-8.")
    except Exception as error:
        # the queue wraps what it meets
        met = error if isinstance(error, OperationalError) else error.__cause__
        if not isinstance(met, OperationalError):
            raise
        fail(f"{_what_happened(met)} What is stored stays; run the same command again.")


def _what_happened(error: OperationalError) -> str:
    """Why the database did not go on; what a lost connection says may have an address in it."""
    if error.sqlstate is None or error.sqlstate.startswith(CONNECTION_LOST):
        return "The database went away."
    return f"The database cannot go on ({error.diag.message_primary})."
