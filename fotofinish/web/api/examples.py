"""Examples of the external API's answers, for its description; a test checks them."""

from __future__ import annotations

from typing import Any

PHOTO = "a4402318-0cf4-4e1e-b8e8-ac8e8f2fc244"
LOST = "0b6a7d0e-3d0f-5f35-9a0c-6a2c37cf0a51"
SELFIE = "5f0c2a4e-9b1d-4c3e-8f7a-2d6b1c0e9a88"
SIGNATURE = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=…&X-Amz-Date=20260119T120000Z"


def _page(total: int, page_size: int) -> dict[str, Any]:
    """The first and only page of so many items."""
    return {
        "total": total,
        "currentPage": 1,
        "totalPages": 1,
        "hasNextPage": False,
        "hasPreviousPage": False,
        "page_size": page_size,
    }


IMAGE: dict[str, Any] = {
    "img_url": f"https://photos.example.org/imgs/456/medium/{PHOTO}.webp?{SIGNATURE}",
    "height": 4000,
    "width": 6000,
    "image_id": PHOTO,
    "thumbnail_url": f"https://photos.example.org/imgs/456/small/{PHOTO}.webp?{SIGNATURE}",
    "original_url": None,
}
EVENT: dict[str, Any] = {
    "event_id": 456,
    "event_name": "City Run",
    "event_slug": "city-run",
    "event_date": "2026-01-19T06:00:00",
    "status": "active",
}

ORIGINALS: dict[str, Any] = {
    "presigned_urls": [
        {
            "url": f"https://s3.example.org/photos/imgs/456/large/{PHOTO}.jpg?{SIGNATURE}",
            "filename": f"{PHOTO}.jpg",
        }
    ],
    "failed_urls": [
        {
            "image_id": LOST,
            "error": "original is missing from storage",
            "path": f"imgs/456/large/{LOST}.jpg",
        }
    ],
    "total_images": 2,
    "successful_count": 1,
    "failed_count": 1,
    "identifier": "123",
    "message": None,
    "pagination": _page(2, 30),
}
PING: dict[str, Any] = {"status": "ok", "org_id": 903, "event_id": 456}
DETAILS: dict[str, Any] = {
    **EVENT,
    "event_enabled": True,
    "bib_search": True,
    "selfie_search": True,
    "name_search": False,
}


def _enveloped(message: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"responseType": "success", "message": message, "data": data}


EVENTS = _enveloped(
    "Records for events", {"events": [{**EVENT, "cover_image": None}], "pagination": _page(1, 10)}
)
IMAGES = _enveloped("Records for all images", {"images": [IMAGE], "pagination": _page(1, 32)})
BIB = _enveloped("Records for bib number 1234", {"images": [IMAGE], "pagination": _page(1, 32)})
TIMELINE = _enveloped(
    "Records for timeline images", {"images": [IMAGE], "pagination": _page(1, 32)}
)
SEARCH = _enveloped(
    "Records for selfie",
    {
        "request_id": SELFIE,
        "confidence_percentage": 42.0,
        "images": [IMAGE],
        "pagination": _page(1, 32),
    },
)
DAYS = _enveloped(
    "Timeline buckets",
    {"days": [{"date": "2026-01-19", "total": 20, "hours": [{"hour": 6, "count": 20}]}]},
)
FORGOTTEN = _enveloped("The selfie and its matches are deleted", {"request_id": SELFIE})

REQUESTS: dict[str, dict[str, Any]] = {
    "bib": {"method": "bib", "identifier": "123"},
    "selfie": {"method": "selfie", "identifier": SELFIE},
    "image_id": {"method": "image_id", "identifier": PHOTO},
    "image_ids": {"method": "image_ids", "identifier": [PHOTO, LOST]},
}
