"""Presigned links against the reference: the same bytes that botocore makes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fotofinish.storage.disposition import attachment
from fotofinish.storage.keys import address_path
from fotofinish.storage.s3_place import s3_place
from fotofinish.storage.sigv4 import S3Presigner

INSTANT = datetime(2026, 3, 29, 1, 59, 59, tzinfo=UTC)
KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
}
TOKEN = "IQoJb3JpZ2luX2VjE+/=~token"
ENDPOINTS = {
    "http://127.0.0.1:9000": "us-east-1",
    "https://abc123.r2.cloudflarestorage.com": "auto",
    "https://storage.example.org:8443": "eu-central-1",
    "": "ap-southeast-2",
}
OBJECTS = (
    "imgs/456/large/a4402318-0cf4-4e1e-b8e8-ac8e8f2fc244.jpg",
    "imgs/4 5/large/start line.jpg",
    "imgs/456/large/a+b=c&d.jpg",
    "imgs/456/large/100%.jpg",
    "imgs/456/large/a%20b~c.jpg",
    "imgs/456/large/Zieleinlauf-Köln-日本-é.jpg",
    "imgs/456/large/?#[]@!$'()*,;:.jpg",
)


@cache
def client_of_botocore(endpoint: str, token: str | None) -> Any:
    """One for all links, as making it takes longer than a hundred of them."""
    region = ENDPOINTS[endpoint]
    return boto3.client(
        "s3",
        endpoint_url=endpoint or f"https://s3.{region}.amazonaws.com",
        region_name=region,
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=token,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )


@pytest.fixture
def sign_as_botocore(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What boto3 answers at the fixed instant."""
    monkeypatch.setattr(
        botocore.auth, "get_current_datetime", lambda *_, **__: INSTANT.replace(tzinfo=None)
    )

    def sign(
        endpoint: str,
        key: str,
        *,
        token: str | None = None,
        operation: str = "get_object",
        **asked: Any,
    ) -> str:
        parameters: dict[str, Any] = {"Bucket": "photos", "Key": key, **asked}
        client = client_of_botocore(endpoint, token)
        return str(client.generate_presigned_url(operation, parameters, ExpiresIn=3600))

    return sign


def presigner(endpoint: str, token: str | None = None) -> S3Presigner:
    url = f"s3://photos?region={ENDPOINTS[endpoint]}" + (
        f"&endpoint={endpoint}" if endpoint else ""
    )
    return S3Presigner(s3_place(url, KEYS | ({"AWS_SESSION_TOKEN": token} if token else {})), 3600)


@pytest.mark.parametrize("token", [None, TOKEN])
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_link_is_what_botocore_makes(
    sign_as_botocore: Callable[..., str], endpoint: str, token: str | None
) -> None:
    made = presigner(endpoint, token).links(OBJECTS, INSTANT.timestamp() + 0.9)
    assert made == [sign_as_botocore(endpoint, key, token=token) for key in OBJECTS]


@pytest.mark.parametrize("token", [None, TOKEN])
@pytest.mark.parametrize("filename", ["bib 12.jpg", 'a"b\\c%.jpg', "Köln.jpg"])
def test_a_link_that_names_the_download_is_what_botocore_makes(
    sign_as_botocore: Callable[..., str], filename: str, token: str | None
) -> None:
    wanted = attachment(filename)
    for key in OBJECTS:
        assert presigner("http://127.0.0.1:9000", token).link_saved_as(
            key, wanted, INSTANT.timestamp()
        ) == sign_as_botocore(
            "http://127.0.0.1:9000", key, token=token, ResponseContentDisposition=wanted
        )


@pytest.mark.parametrize("token", [None, TOKEN])
@pytest.mark.parametrize(
    ("operation", "asked", "method", "query", "headers"),
    [
        ("put_object", {"ContentLength": 5}, "PUT", {}, {"content-length": "5"}),
        (
            "upload_part",
            {"UploadId": "a/b=", "PartNumber": 12, "ContentLength": 7},
            "PUT",
            {"uploadId": "a/b=", "partNumber": "12"},
            {"content-length": "7"},
        ),
        ("create_multipart_upload", {}, "POST", {"uploads": ""}, {}),
        ("list_parts", {"UploadId": "u"}, "GET", {"uploadId": "u"}, {}),
        ("complete_multipart_upload", {"UploadId": "u"}, "POST", {"uploadId": "u"}, {}),
        ("abort_multipart_upload", {"UploadId": "u"}, "DELETE", {"uploadId": "u"}, {}),
        (
            "copy_object",
            {
                "CopySource": {"Bucket": "photos", "Key": "incoming/4/x y"},
                "CopySourceIfMatch": '"e"',
                "MetadataDirective": "REPLACE",
            },
            "PUT",
            {},
            {
                "x-amz-copy-source": "photos/incoming/4/x%20y",
                "x-amz-copy-source-if-match": '"e"',
                "x-amz-metadata-directive": "REPLACE",
            },
        ),
    ],
)
def test_any_other_request_has_the_signature_that_botocore_makes(
    sign_as_botocore: Callable[..., str],
    operation: str,
    asked: dict[str, Any],
    method: str,
    query: dict[str, str],
    headers: dict[str, str],
    token: str | None,
) -> None:
    for key in OBJECTS[:3]:
        made = presigner("http://127.0.0.1:9000", token).request(
            method, key, INSTANT.timestamp(), query=query, headers=headers
        )
        reference = sign_as_botocore(
            "http://127.0.0.1:9000", key, token=token, operation=operation, **asked
        )
        assert made.partition("?")[0] == reference.partition("?")[0]
        ours, theirs = (
            parse_qs(urlsplit(link).query, keep_blank_values=True) for link in (made, reference)
        )
        assert ours == theirs


@pytest.mark.parametrize("token", [None, TOKEN])
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.usefixtures("sign_as_botocore")  # for its clock
def test_a_link_that_names_a_version_is_signed_as_botocore_does(
    endpoint: str, token: str | None
) -> None:
    region = ENDPOINTS[endpoint]
    secret = KEYS["AWS_SECRET_ACCESS_KEY"]
    signer = botocore.auth.S3SigV4QueryAuth(
        Credentials(KEYS["AWS_ACCESS_KEY_ID"], secret, token), "s3", region, expires=3600
    )
    made = presigner(endpoint, token).versioned_links(
        [(key, 1_770_000_000) for key in OBJECTS], INSTANT.timestamp()
    )
    for key, link in zip(OBJECTS, made, strict=True):
        base = endpoint or f"https://s3.{region}.amazonaws.com"
        url = f"{base}/photos/{address_path(key)}?x-version=1770000000"
        request = AWSRequest("GET", url)
        signer.add_auth(request)
        assert link == request.url


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1))
def test_a_link_to_any_name_is_what_botocore_makes(
    sign_as_botocore: Callable[..., str], name: str
) -> None:
    key = f"imgs/{name.strip('/')}/x"
    made = presigner("http://127.0.0.1:9000").links([key], INSTANT.timestamp())
    assert made == [sign_as_botocore("http://127.0.0.1:9000", key)]


def test_a_default_port_in_the_endpoint_is_left_out_as_http_clients_leave_it_out() -> None:
    place = "s3://photos?endpoint=https://storage.example.org"
    plain, with_port = (
        S3Presigner(s3_place(place + port, KEYS), 3600).links(OBJECTS, INSTANT.timestamp())
        for port in ("", ":443/")
    )
    assert with_port == plain


def test_links_follow_the_day_and_the_second() -> None:
    signer = presigner("http://127.0.0.1:9000")
    moments = [INSTANT.timestamp() + step for step in (0, 1, 86_400, 0)]
    kept = [signer.links(OBJECTS[:1], at) for at in moments]
    fresh = [presigner("http://127.0.0.1:9000").links(OBJECTS[:1], at) for at in moments]
    assert kept == fresh
    assert kept[0] == kept[3]
    assert len({link for links in kept for link in links}) == 3
