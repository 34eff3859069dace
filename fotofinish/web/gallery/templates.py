"""The gallery's templates, once for each language; dates and numbers as the visitor's region has
them: `locale` is a value of every page.
"""

from __future__ import annotations

from datetime import date, datetime

from babel.dates import format_date
from babel.numbers import format_decimal
from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    pass_context,
    select_autoescape,
)
from jinja2.runtime import Context

from fotofinish.web.gallery.languages import load_languages
from fotofinish.web.static_files import WEB, StaticFiles


def load_templates() -> dict[str, Environment]:
    """An environment a language, with `static`, `language` and the filters of the pages."""
    static = StaticFiles(WEB / "static")
    found = {}
    for language, catalogue in load_languages().items():
        environment = found[language] = Environment(
            loader=FileSystemLoader(WEB / "templates"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        environment.install_gettext_translations(catalogue, newstyle=True)  # type: ignore[attr-defined]
        environment.globals["static"] = static.address
        environment.globals["language"] = language
        environment.filters["number"] = _number
        environment.filters["day"] = _day
    return found


@pass_context
def _number(context: Context, number: int) -> str:
    return str(format_decimal(number, locale=context["locale"]))


@pass_context
def _day(context: Context, when: date | datetime | str) -> str:
    if isinstance(when, str):
        when = date.fromisoformat(when)
    return str(format_date(when, "long", locale=context["locale"]))
