"""Commands that run the service, and look after its database."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

import typer

from fotofinish.cli.opening import opened
from fotofinish.cli.printing import Json, print_, say
from fotofinish.settings import Settings, load_settings, misspelt_settings


def migrate() -> None:
    """Bring the database's schema up to date. `serve` and `worker` do so by themselves."""
    with opened(load_settings()):
        say("The database is up to date.")


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processing workers. Default: one a core.")
    ] = None,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Only serve; workers run elsewhere.")
    ] = False,
) -> None:
    """Run the web application. Processing workers run beside it, unless told otherwise."""
    from fotofinish.serving import serve_forever

    settings = _settings_to_run_with()
    serve_forever(settings, host=host, port=port, workers=0 if no_worker else workers)


def worker(
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="Photos at a time. Default: one a core.")
    ] = None,
) -> None:
    """Process photos. Any machine will do that reaches the database and the storage, with
    FOTOFINISH_DATABASE_URL and FOTOFINISH_STORAGE_URL as `serve` has them.
    """
    from fotofinish.serving import work_forever

    work_forever(_settings_to_run_with(), concurrency=concurrency)


def doctor(json_output: Json = False) -> None:
    """Say what is configured and what answers. What does not comes with how to mend it."""
    from fotofinish.doctor import examine

    checks = examine(_settings_to_run_with())
    print_(
        {"checks": [check.as_json() for check in checks]},
        "\n".join(check.as_line() for check in checks),
        json_output,
    )
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


def _settings_to_run_with() -> Settings:
    """The settings, with a warning of each variable that looks like one and is none, and of an
    address that pages do not work at."""
    settings = load_settings()
    if urlsplit(settings.public_url).path.strip("/"):
        typer.echo(
            "Warning: FOTOFINISH_PUBLIC_URL has a path: the API works beneath one, pages do not. "
            "Give Fotofinish a host name of its own.",
            err=True,
        )
    for name, nearest in misspelt_settings().items():
        hint = f"did you mean {nearest}?" if nearest else "docs/production.md has them all."
        typer.echo(f"Warning: {name} is no setting and changes nothing; {hint}", err=True)
    return settings
