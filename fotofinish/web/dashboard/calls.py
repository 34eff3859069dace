"""The ready-made `curl` line, with an organisation's and an event's own ids."""

from __future__ import annotations

import json
import shlex

PLACEHOLDER = "YOUR_API_KEY"


def originals_call(
    public_url: str,
    org_id: int,
    event_id: int | None,
    *,
    key: str | None = None,
    bib: str | None = None,
) -> str:
    """A shell command that asks for one participant's originals; gaps stay as `YOUR_…`."""
    event = "YOUR_EVENT_ID" if event_id is None else event_id
    address = f"{public_url.rstrip('/')}/api/v1/ext/{org_id}/event/{event}/original-photos"
    body = json.dumps({"method": "bib", "identifier": bib or "123"}, ensure_ascii=False)
    return " \\\n  ".join(
        (
            f"curl -X POST {shlex.quote(address)}",
            f"-H {shlex.quote(f'X-API-Key: {key or PLACEHOLDER}')}",
            "-H 'Content-Type: application/json'",
            f"-d {shlex.quote(body)}",
        )
    )
