"""Photos of a local folder over HTTP: the bytes, their headers, and ranges of them."""

from __future__ import annotations

import email
import email.policy
import json
import os
import socket

import pytest

from tests.storage.conftest import FilesServer

KEY = "imgs/456/large/a4402318-0cf4-4e1e-b8e8-ac8e8f2fc244.jpg"
NAME = "a4402318-0cf4-4e1e-b8e8-ac8e8f2fc244.jpg"
PHOTO = os.urandom(1_000_003)
SIZE = len(PHOTO)


@pytest.fixture
def target(files_server: FilesServer) -> str:
    files_server.store.put(KEY, PHOTO, content_type="image/jpeg", filename=NAME)
    return files_server.target(KEY)


def test_the_whole_photo_comes_unchanged(files_server: FilesServer, target: str) -> None:
    answer = files_server.ask(target)
    assert (answer.status, answer.body) == (200, PHOTO)
    headers = answer.headers
    assert headers["content-type"] == "image/jpeg"
    assert headers["content-length"] == str(SIZE)
    assert headers["content-disposition"] == f'attachment; filename="{NAME}"'
    assert headers["accept-ranges"] == "bytes"
    assert headers["cache-control"] == "private"
    assert headers["x-content-type-options"] == "nosniff"


def test_head_answers_as_get_does_without_the_bytes(files_server: FilesServer, target: str) -> None:
    for headers in ({}, {"Range": "bytes=5-9"}, {"Range": "bytes=0-0,5-9"}):
        full = files_server.ask(target, **headers)
        head = files_server.ask(target, method="HEAD", **headers)
        assert (head.status, head.body) == (full.status, b"")
        varying = ("date", "content-type")
        assert {n: v for n, v in head.headers.items() if n not in varying} == {
            n: v for n, v in full.headers.items() if n not in varying
        }


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=1000-1999", 1000, 2000),
        ("bytes=999000-", 999_000, SIZE),
        ("bytes=0-", 0, SIZE),
        ("bytes=0-9223372036854775807", 0, SIZE),
        ("bytes=-99999999999999999999", 0, SIZE),
        ("bytes=-500", SIZE - 500, SIZE),
        ("bytes=-9000000", 0, SIZE),
        ("bytes=999999-99999999", 999_999, SIZE),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        ("Bytes=7-8", 7, 9),
        ("bytes= 7-8 ", 7, 9),
        (f"bytes=7-8,{SIZE}-", 7, 9),
    ],
)
def test_a_range_gives_those_bytes(
    files_server: FilesServer, target: str, asked: str, start: int, stop: int
) -> None:
    answer = files_server.ask(target, Range=asked)
    assert (answer.status, answer.body) == (206, PHOTO[start:stop])
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert answer.headers["content-length"] == str(stop - start)


def test_several_ranges_come_in_one_answer(files_server: FilesServer, target: str) -> None:
    answer = files_server.ask(target, Range="bytes=500000-700000, 0-9 ,-3")
    assert answer.status == 206
    assert answer.headers["content-length"] == str(len(answer.body))
    whole = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode() + answer.body
    parts = list(email.message_from_bytes(whole, policy=email.policy.HTTP).iter_parts())
    assert [part.get_payload(decode=True) for part in parts] == [
        PHOTO[500_000:700_001],
        PHOTO[:10],
        PHOTO[-3:],
    ]
    assert [part["Content-Range"] for part in parts] == [
        f"bytes 500000-700000/{SIZE}",
        f"bytes 0-9/{SIZE}",
        f"bytes {SIZE - 3}-{SIZE - 1}/{SIZE}",
    ]
    assert {part.get_content_type() for part in parts} == {"image/jpeg"}


@pytest.mark.parametrize(
    "asked",
    [
        f"bytes={SIZE}-",
        f"bytes={SIZE}-{SIZE + 5},{SIZE + 9}-",
        "bytes=-0",
        "bytes=9-5",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=5",
        "bytes=1-2,,3-4",
        "bytes=1-2-3",
        "bytes=+1-2",
        "bytes=0x1-0x2",
        "bytes=" + "9" * 5000 + "-",
        "bytes=" + ",".join(f"{n}-{n}" for n in range(17)),
    ],
)
def test_a_range_that_cannot_be_given_is_416(
    files_server: FilesServer, target: str, asked: str
) -> None:
    answer = files_server.ask(target, Range=asked)
    assert answer.status == 416
    assert answer.headers["content-range"] == f"bytes */{SIZE}"
    assert json.loads(answer.body)["responseType"] == "error"


@pytest.mark.parametrize("asked", ["lines=0-5", "5-9", "bytes", "bytes=0-,0-,0-"])
def test_an_unknown_unit_or_more_than_the_file_gives_the_file(
    files_server: FilesServer, target: str, asked: str
) -> None:
    answer = files_server.ask(target, Range=asked)
    assert (answer.status, answer.body) == (200, PHOTO)


def test_a_range_is_given_only_of_the_version_that_the_client_holds(
    files_server: FilesServer, target: str
) -> None:
    headers = files_server.ask(target, method="HEAD").headers
    for held in (headers["etag"], headers["last-modified"]):
        answer = files_server.ask(target, Range="bytes=0-9", If_Range=held)
        assert (answer.status, answer.body) == (206, PHOTO[:10])
    weak = f"W/{headers['etag']}"
    for other in ('"another"', "Thu, 01 Jan 1970 00:00:00 GMT", weak):
        answer = files_server.ask(target, Range="bytes=0-9", If_Range=other)
        assert (answer.status, answer.body) == (200, PHOTO)


def test_a_client_that_has_the_photo_is_not_sent_it_again(
    files_server: FilesServer, target: str
) -> None:
    first = files_server.ask(target)
    again = files_server.ask(target, If_None_Match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


def test_another_version_has_another_tag(files_server: FilesServer, target: str) -> None:
    before = files_server.ask(target, method="HEAD").headers["etag"]
    files_server.store.put(KEY, PHOTO[::-1], content_type="image/jpeg", filename=NAME)
    assert files_server.ask(target, method="HEAD").headers["etag"] != before


def test_an_empty_object_is_served_and_has_no_ranges(files_server: FilesServer) -> None:
    files_server.store.put("empty.jpg", b"", content_type="image/jpeg", filename="empty.jpg")
    target = files_server.target("empty.jpg")
    assert files_server.ask(target).status == 200
    for asked in ("bytes=0-", "bytes=-1"):
        assert files_server.ask(target, Range=asked).status == 416


@pytest.mark.parametrize(
    ("name", "content_type", "disposition"),
    [
        ("a.HEIC", "image/heic", 'attachment; filename="a.HEIC"'),
        ("a.png", "image/png", 'attachment; filename="a.png"'),
        ("a.html", "application/octet-stream", 'attachment; filename="a.html"'),
        ("a.svg", "application/octet-stream", 'attachment; filename="a.svg"'),
        ("a", "application/octet-stream", 'attachment; filename="a"'),
        (
            'Köln "10 %".jpg',
            "image/jpeg",
            'attachment; filename="K_ln _10 __.jpg"; '
            "filename*=UTF-8''K%C3%B6ln%20%2210%20%25%22.jpg",
        ),
    ],
)
def test_type_and_name_follow_the_key(
    files_server: FilesServer, name: str, content_type: str, disposition: str
) -> None:
    key = f"imgs/456/large/{name}"
    files_server.store.put(key, b"x", content_type="image/jpeg", filename=name)
    headers = files_server.ask(files_server.target(key)).headers
    assert headers["content-type"] == content_type
    assert headers["content-disposition"] == disposition


def test_a_photo_that_is_gone_is_404_in_the_body_of_every_error(
    files_server: FilesServer, target: str
) -> None:
    files_server.store.delete_many([KEY])
    for method in ("GET", "HEAD"):
        assert files_server.ask(target, method=method).status == 404
    body = json.loads(files_server.ask(target).body)
    assert body == {
        "responseType": "error",
        "message": "This photo is not here any more.",
        "data": None,
    }


def test_a_photo_that_memory_does_not_hold_is_read_from_the_disk(
    files_server: FilesServer, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = os.preadv

    def part_or_nothing(descriptor: int, buffers: list[bytearray], at: int, flags: int) -> int:
        if at % 3:
            raise BlockingIOError
        return cached(descriptor, [memoryview(buffers[0])[:1000]], at, flags)

    monkeypatch.setattr(os, "preadv", part_or_nothing, raising=False)
    assert files_server.ask(target).body == PHOTO
    assert files_server.ask(target, Range="bytes=70000-500000").body == PHOTO[70_000:500_001]


def test_a_photo_replaced_during_a_download_arrives_as_it_was(
    files_server: FilesServer,
) -> None:
    large = os.urandom(30_000_000)
    files_server.store.put(KEY, large, content_type="image/jpeg", filename=NAME)
    request = f"GET {files_server.target(KEY)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", files_server.port)) as connection:
        connection.sendall(request.encode())
        received = connection.recv(1000)
        files_server.store.put(KEY, b"other", content_type="image/jpeg", filename=NAME)
        while chunk := connection.recv(1 << 20):
            received += chunk
    assert received.partition(b"\r\n\r\n")[2] == large
