"""`fotofinish download`: a participant's originals from a server, by its API, with progress."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TransferSpeedColumn,
)

from fotofinish import client
from fotofinish.client import Client, ClientError, ConnectionFailed, Downloaded
from fotofinish.errors import FotofinishError


@dataclass(frozen=True, slots=True)
class DownloadReport:
    """What became of each photo; `note` says why there is none, if there is none."""

    results: list[Downloaded]
    note: str | None

    @property
    def failed(self) -> list[Downloaded]:
        """The photos that could not be had."""
        return [result for result in self.results if result.error is not None]

    def as_json(self) -> dict[str, object]:
        """The report as `--json` prints it."""
        return {
            "photos": len(self.results),
            "downloaded": sum(result.fresh for result in self.results),
            "already_there": sum(r.error is None and not r.fresh for r in self.results),
            "verified": sum(result.verified for result in self.results),
            "failed": [{"file": r.filename, "reason": r.error} for r in self.failed],
        }

    def as_text(self, folder: Path) -> str:
        """The report as people read it."""
        if not self.results:
            return self.note or "No photos found."
        counts = self.as_json()
        lines = [
            f"{counts['downloaded']} downloaded to {folder}, {counts['already_there']} were there "
            f"already, {len(self.failed)} failed."
        ]
        lines += [f"  {result.filename}: {result.error}" for result in self.failed]
        if self.failed:
            lines.append("Run the same command again: it goes on where it stopped.")
        return "\n".join(lines)


def download_originals(
    url: str,
    key: str,
    org_id: int,
    event_id: int,
    folder: Path,
    *,
    bib: str | None,
    selfie: Path | None,
    parallel: int,
    console: Console,
) -> DownloadReport:
    """Download all originals of a bib or a selfie into a folder.

    The selfie's search is deleted on the server when all is done. Raises FotofinishError with what
    the server or the file system says.
    """
    try:
        with Client(url, key=key, org_id=org_id) as api:
            if bib is not None:
                results = _download(api, event_id, folder, parallel, console, bib=bib)
                return DownloadReport(results, None if results else f"No photos show bib {bib}.")
            assert selfie is not None
            search = api.search(event_id, _picture(selfie))
            try:
                results = _download(
                    api, event_id, folder, parallel, console, selfie=str(search.request_id)
                )
            finally:
                api.forget(event_id, search.request_id)
            return DownloadReport(results, None if results else f"{search.message}.")
    except ConnectionFailed as error:
        raise FotofinishError(f"{error} Check --url, and whether the server runs.") from None
    except (ClientError, OSError, ValueError) as error:
        raise FotofinishError(str(error)) from None


def _picture(selfie: Path) -> bytes:
    try:
        return selfie.read_bytes()
    except OSError as error:
        raise FotofinishError(f"{selfie} cannot be read: {error.strerror}.") from None


def _download(
    api: Client,
    event_id: int,
    folder: Path,
    parallel: int,
    console: Console,
    *,
    bib: str | None = None,
    selfie: str | None = None,
) -> list[Downloaded]:
    with _progress(console) as bar:
        task = bar.add_task("Downloading", total=None, photos="")

        def tell(state: client.Progress) -> None:
            _show(bar, task, state)

        return api.download(
            event_id, folder, bib=bib, selfie=selfie, parallel=parallel, progress=tell
        )


def _show(bar: Progress, task: TaskID, state: client.Progress) -> None:
    bar.update(task, completed=state.bytes, photos=f"{state.done} of {state.total} photos")


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[photos]}"),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
