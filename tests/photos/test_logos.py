"""Logos: what comes out is seen, upright, and costs nothing when nobody waits for it any more."""

from __future__ import annotations

import asyncio
from asyncio import Queue
from asyncio.subprocess import Process

import numpy as np
import pytest
from PIL import Image

from fotofinish.errors import InvalidRequest
from fotofinish.photos.logos import as_png
from tests.loops import run
from tests.photos.pictures import encoded, gradient, opened

LETTERS = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="100">'
    '<text x="10" y="60" font-size="40"{}>HARBOUR</text></svg>'
)
NO_FONT = ' font-family="No Such Font"'


def _ink(png: bytes) -> float:
    """The share of a picture that is not transparent."""
    return float((np.asarray(opened(png).getchannel("A")) > 0).mean())


def test_an_svg_is_lettered_also_where_its_font_is_not_installed() -> None:
    plain, bold = (
        _ink(run(as_png(LETTERS.format(font).encode())))
        for font in (NO_FONT, NO_FONT + ' font-weight="bold"')
    )
    assert 0.02 < 1.2 * plain < bold < 0.2


@pytest.mark.parametrize(
    "picture",
    [
        encoded(Image.new("RGBA", (300, 100), (255, 0, 0, 0)), "PNG"),
        LETTERS.replace("HARBOUR", "").format("").encode(),
    ],
    ids=["png", "svg"],
)
def test_a_picture_without_a_visible_pixel_is_refused_with_a_remedy(picture: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"Nothing is visible .* convert the text to outlines"):
        run(as_png(picture))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_that_was_turned_comes_out_upright(kind: str) -> None:
    exif = Image.Exif()
    exif[274] = 6  # a quarter clockwise
    upright = gradient(120, 160)
    lying = upright.transpose(Image.Transpose.ROTATE_90)
    logo = opened(run(as_png(encoded(lying, kind, exif=exif.tobytes()))))
    assert logo.size == upright.size
    assert not logo.getexif()
    difference = np.asarray(logo.convert("RGB")).astype(int) - np.asarray(upright)
    assert np.abs(difference).mean() < 6


def test_a_picture_with_exif_that_makes_no_sense_is_taken_as_it_lies() -> None:
    picture = encoded(gradient(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7frubbish")
    assert opened(run(as_png(picture))).size == (160, 120)


def test_nobody_draws_on_when_nobody_waits_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = Queue[Process]()
    begin = asyncio.create_subprocess_exec

    async def tell(*words: object, **options: object) -> Process:
        process = await begin(*words, **options)  # type: ignore[arg-type]
        begun.put_nowait(process)
        return process

    async def give_up() -> None:
        drawing = asyncio.create_task(as_png(LETTERS.format("").encode()))
        process = await begun.get()
        drawing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await drawing
        assert process.returncode is not None

    monkeypatch.setattr(asyncio, "create_subprocess_exec", tell)
    run(give_up())
