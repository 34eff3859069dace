"""Logos of organisers as PNG: hostile until decoded, so in a process of its own with limits of time
and memory.

`python -m fotofinish.photos.logos` reads a picture from its standard input and writes the PNG.
"""

from __future__ import annotations

import asyncio
import io
import re
import resource
import sys

from fotofinish.errors import InvalidRequest, TooLarge

MAX_BYTES = 2 * 1024**2
MAX_PIXELS = 40_000_000
LONG_SIDE = 1200
PATIENCE = 10.0
MEMORY = 1024**3  # bytes; a WebP of MAX_PIXELS takes 640 MB
CPU_SECONDS = 20  # for a process whose server was killed; one that is waited for has PATIENCE
NOTHING_SEEN = 3  # the exit status of a picture without a visible pixel
# what makes an SVG look elsewhere, or grow without end; no part looks past where the next begins
OUTSIDE = re.compile(
    rb"<!ENTITY|<!DOCTYPE[^<>[]*\[|@import|<script|<foreignObject"
    rb"|href\s*=\s*[\"'](?!#|data:image/(png|jpeg);base64,)|url\(\s*[\"']?(?!#)",
    re.IGNORECASE,
)
INVISIBLE = (
    "Nothing is visible in this picture. Export it with what it shows, and where it is an SVG with "
    "text, convert the text to outlines first."
)
NO_PICTURE = "This is no PNG, JPEG, WebP or SVG picture that can be shown."
OUTSIDE_SVG = (
    "This SVG points to other files or carries a program. Export it as a plain SVG or PNG."
)


async def as_png(picture: bytes) -> bytes:
    """The picture as a PNG with transparency, its long side at most 1,200 pixels.

    Raises TooLarge, or InvalidRequest for what is no picture or shows nothing.
    """
    if len(picture) > MAX_BYTES:
        raise TooLarge(f"A logo has at most {MAX_BYTES // 1024**2} MB.")
    if is_svg(picture) and OUTSIDE.search(picture):
        raise InvalidRequest(OUTSIDE_SVG)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "fotofinish.photos.logos",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        png, _ = await asyncio.wait_for(process.communicate(picture), PATIENCE)
    except TimeoutError:
        raise InvalidRequest("This picture takes too long to draw. Export a simpler one.") from None
    finally:  # when nobody waits any more, too
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == NOTHING_SEEN:
        raise InvalidRequest(INVISIBLE)
    if process.returncode != 0 or not png.startswith(b"\x89PNG"):
        raise InvalidRequest(NO_PICTURE)
    return png


def is_svg(picture: bytes) -> bool:
    """Whether it begins as an SVG does."""
    return b"<svg" in picture[:4096].lower()


def _convert(picture: bytes) -> bytes:
    from PIL import Image, ImageOps

    if is_svg(picture):
        import resvg_py

        from fotofinish.photos.lettering import FAMILY, font_file

        # with both sides given it is fitted between them; serif is what resvg takes for any
        # family that is not installed
        picture = bytes(
            resvg_py.svg_to_bytes(
                svg_string=picture.decode("utf-8"),
                width=LONG_SIDE,
                height=LONG_SIDE,
                font_files=[font_file("Regular"), font_file("Bold")],
                serif_family=FAMILY,
            )
        )
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    image = Image.open(io.BytesIO(picture), formats=("PNG", "JPEG", "WEBP")).convert("RGBA")
    image.thumbnail((LONG_SIDE, LONG_SIDE))
    ImageOps.exif_transpose(image, in_place=True)  # after shrinking: it takes the memory again
    if not image.getchannel("A").getbbox():
        sys.exit(NOTHING_SEEN)
    png = io.BytesIO()
    image.save(png, "PNG")
    return png.getvalue()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    sys.stdout.buffer.write(_convert(sys.stdin.buffer.read(MAX_BYTES + 1)))
