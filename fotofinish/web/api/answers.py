"""What the API answers with: the envelope, and lists of images with links to their previews."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import Response

from fotofinish.photos.gallery import Image, ImagePage
from fotofinish.photos.preview_links import preview_links
from fotofinish.storage.links import Linker
from fotofinish.web.api.paging import Window
from fotofinish.web.services import Services

NO_IMAGES = "No images found"


def flat(body: dict[str, Any]) -> Response:
    """200 with this body."""
    return Response(orjson.dumps(body), media_type="application/json")


def success(message: str, data: dict[str, Any]) -> Response:
    """200 with this data in the envelope."""
    return flat({"responseType": "success", "message": message, "data": data})


def image_list(
    ours: Services,
    event_id: int,
    page: ImagePage,
    window: Window,
    message: str,
    *,
    empty: str | None = None,
    **more: object,
) -> Response:
    """200 with a page of images; a list without any photo says so, in the words of `empty`."""
    data = {
        **more,
        "images": images(ours.linker, event_id, page.images),
        "pagination": window.pagination(page.total),
    }
    return success(message if page.total else empty or NO_IMAGES, data)


def images(linker: Linker, event_id: int, photos: list[Image]) -> list[dict[str, object]]:
    """The items of `images[]`, with links to preview and thumbnail."""
    previews = preview_links(linker, event_id, "medium", photos)
    thumbnails = preview_links(linker, event_id, "small", photos)
    return [
        {
            "img_url": preview,
            "height": photo.height,
            "width": photo.width,
            "image_id": str(photo.id),
            "thumbnail_url": thumbnail,
            "original_url": None,
        }
        for photo, preview, thumbnail in zip(photos, previews, thumbnails, strict=True)
    ]
