"""From the colours of a photo's ICC profile to sRGB; one that makes no sense changes nothing."""

from __future__ import annotations

import io
import struct
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageCms

from fotofinish.arrays import Pixels, as_pixels

SPACES = {"RGB": b"RGB ", "L": b"GRAY", "CMYK": b"CMYK"}  # of Pillow's modes, in a profile's header
STEP = 17  # from one tone to the next of those that a profile is tried with
# What profiles of sRGB differ by, with their curves as tables of a few points
ALIKE = 2


def is_for(profile: bytes | None, mode: str) -> bool:
    """Whether a profile is one for pixels of this mode: "RGB", "L" or "CMYK"."""
    return profile is not None and profile[16:20] == SPACES[mode]


def in_srgb(pixels: Pixels, profile: bytes) -> Pixels:
    """BGR pixels converted from their profile; of one for grey, pixels that are grey."""
    if is_for(profile, "L"):
        image = Image.fromarray(np.ascontiguousarray(pixels[:, :, 0]))
    else:
        image = Image.fromarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))
    transform = _to_srgb(profile, image.mode)
    return pixels if transform is None else _bgr(ImageCms.applyTransform(image, transform))


def bgr_of_cmyk(image: Image.Image, profile: bytes | None) -> Pixels:
    """A CMYK image as BGR; without a profile for CMYK, as if each ink were perfect."""
    transform = _to_srgb(profile, "CMYK") if profile and is_for(profile, "CMYK") else None
    if transform is None:
        return _bgr(image.convert("RGB"))
    return _bgr(ImageCms.applyTransform(image, transform))


@lru_cache(maxsize=1)
def adobe_rgb() -> bytes:
    """A profile of Adobe RGB (1998), for photos of cameras that name it and bring none."""
    curve = b"curv\0\0\0\0" + struct.pack(">IHxx", 1, 0x0233)  # to the power of 563/256
    tags = {
        b"wtpt": _xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": _xyz(0.60974, 0.31111, 0.01947),
        b"gXYZ": _xyz(0.20528, 0.62567, 0.06087),
        b"bXYZ": _xyz(0.14919, 0.06322, 0.74457),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    at, entries = 132 + 12 * len(tags), b""
    for name, body in tags.items():
        entries += name + struct.pack(">II", at, len(body))
        at += len(body)
    kind = (b"mntr", b"RGB ", b"XYZ ", b"acsp")
    head = struct.pack(">I4xI4s4s4s12x4s28x", at, 0x02400000, *kind) + tags[b"wtpt"][8:]
    table = struct.pack(">I", len(tags)) + entries
    return head.ljust(128, b"\0") + table + b"".join(tags.values())


def _xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


@lru_cache(maxsize=8)  # to make one takes 10 ms, and the photos of a camera have all the same
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """What converts pixels of this mode; None when they are sRGB already."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    if mode != "RGB":
        return transform
    tones = np.arange(0, 256, STEP, dtype=np.uint8)  # names of profiles promise too much
    tried = np.stack(np.meshgrid(tones, tones, tones), axis=-1).reshape(1, -1, 3)
    shown = np.asarray(ImageCms.applyTransform(Image.fromarray(tried), transform))
    return None if np.abs(shown.astype(int) - tried).max() <= ALIKE else transform


def _bgr(image: Image.Image | None) -> Pixels:
    return as_pixels(cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2BGR))
