"""The languages of the gallery: English in the templates, others from gettext catalogues.

Catalogues are read once, from their text form (`web/translations/<language>.po`): no build step.
"""

from __future__ import annotations

import gettext
import io
from pathlib import Path

from babel import Locale, UnknownLocaleError, negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from starlette.requests import Request

FOLDER = Path(__file__).parents[1] / "translations"
COOKIE = "lang"
ENGLISH = "en"
PLAIN = {ENGLISH: "en_GB"}  # without a region: days before months, as in the dashboard


def load_languages() -> dict[str, gettext.NullTranslations]:
    """Every language there is a catalogue for, and English."""
    found: dict[str, gettext.NullTranslations] = {ENGLISH: gettext.NullTranslations()}
    for path in sorted(FOLDER.glob("*.po")):
        compiled = io.BytesIO()
        with path.open("rb") as file:
            write_mo(compiled, read_po(file, locale=path.stem))
        compiled.seek(0)
        found[path.stem] = gettext.GNUTranslations(compiled)
    return found


def choose_language(request: Request, languages: list[str]) -> str:
    """What the visitor switched to, else what the browser prefers most, else English."""
    for wanted in (request.query_params.get(COOKIE), request.cookies.get(COOKIE)):
        if wanted in languages:
            return wanted
    preferred = _by_preference(request.headers.get("accept-language", ""))
    return negotiate_locale(preferred, languages, sep="-") or ENGLISH


def choose_locale(request: Request, language: str) -> str:
    """The language with the region that the browser names for it: how dates are written."""
    for tag in _by_preference(request.headers.get("accept-language", "")):
        try:
            locale = Locale.parse(tag, sep="-")
        except (ValueError, UnknownLocaleError):
            continue
        if locale.language == language and locale.territory:
            return str(locale)
    return PLAIN.get(language, language)


def own_name(language: str) -> str:
    """What a language calls itself."""
    return (Locale.parse(language).display_name or language).capitalize()


def _by_preference(header: str) -> list[str]:
    weighed = []
    for part in header.split(",")[:20]:
        tag, _, weight = part.strip().partition(";q=")
        try:
            weighed.append((-float(weight or 1), tag))
        except ValueError:
            continue
    return [tag for weight, tag in sorted(weighed, key=lambda pair: pair[0]) if tag and weight < 0]
