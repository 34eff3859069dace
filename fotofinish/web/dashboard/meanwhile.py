"""Forms that write all they show: what a colleague chose since such a page was loaded is kept.

A form carries in `drawn` what was stored when it was drawn; who saves it locks the event's choices
first (`lock_choices`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from starlette.datastructures import FormData

from fotofinish.errors import InvalidRequest
from fotofinish.events.gallery import GalleryChoices
from fotofinish.photos.watermark import Watermark
from fotofinish.web.dashboard.event_forms import EventForm
from fotofinish.web.forms import text

CHANGED = (
    "Somebody changed these meanwhile, and nothing was saved. This is how they are now, with what "
    "you changed: look at them again, then save."
)
Choices = TypeVar("Choices", EventForm, GalleryChoices, Watermark)


def drawn(stored: Choices, names: Sequence[str]) -> str:
    """What a form of these fields is drawn from, for the form itself."""
    return json.dumps({name: getattr(stored, name) for name in names})


def as_they_are(
    form: FormData, given: Choices, stored: Choices, names: Sequence[str]
) -> Choices | None:
    """What is stored with what was changed in the form, if saving the form undid other changes.

    None where it undoes none: nothing was changed meanwhile, or the same. Raises InvalidRequest.
    """
    before = text(form, "drawn")
    if not before:
        return None
    try:
        then = dict(json.loads(before))
    except (ValueError, TypeError, RecursionError):
        raise InvalidRequest("This form is not one of ours. Load the page again.") from None
    changed = {
        name: getattr(given, name) for name in names if getattr(given, name) != then.get(name)
    }
    now = replace(stored, **changed)
    undone = any(getattr(now, name) != getattr(given, name) for name in names)
    return now if undone else None
