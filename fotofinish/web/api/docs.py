"""The contract to read: as OpenAPI, and as a page for people that loads nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache

import orjson
from jinja2 import Environment, PackageLoader
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response

from fotofinish.web.api.admission import KEY_HEADER
from fotofinish.web.api.endpoints import ENDPOINTS
from fotofinish.web.api.examples import REQUESTS
from fotofinish.web.api.openapi import BASE, description, statuses
from fotofinish.web.services import services


async def openapi_document(request: Request) -> Response:
    """GET `openapi.json`."""
    return Response(orjson.dumps(description()), media_type="application/json")


async def docs_page(request: Request) -> Response:
    """GET `docs`: every endpoint on one page."""
    html = _page(services(request).settings.public_url.rstrip("/"))
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'"
    return Response(
        html,
        media_type="text/html",
        headers={"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff"},
    )


@cache
def _page(server: str) -> str:
    templates = Environment(loader=PackageLoader("fotofinish.web.api"), autoescape=True)
    templates.filters["pretty"] = lambda value: orjson.dumps(
        value, option=orjson.OPT_INDENT_2
    ).decode()
    templates.filters["code"] = lambda text: Markup(
        re.sub(r"`(.+?)`", r"<code>\1</code>", str(escape(text)))
    )
    return templates.get_template("docs.html").render(
        server=server,
        base=BASE,
        header=KEY_HEADER,
        endpoints=ENDPOINTS,
        statuses=statuses,
        requests=REQUESTS,
    )
