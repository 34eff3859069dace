"""Local links: one spelling is good, every other is refused."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fotofinish.errors import NotAllowed
from fotofinish.settings import Settings
from fotofinish.storage.links import open_linker
from fotofinish.storage.local_links import LocalLinks
from fotofinish.storage.stores import open_store
from tests.storage.conftest import FilesServer

KEY = "imgs/456/large/a4402318-0cf4-4e1e-b8e8-ac8e8f2fc244.jpg"
ODD = "imgs/456/large/Köln 100% a+b~(c).jpg"
NOW = 1_800_000_000.5
SIGNER = LocalLinks(b"secret" * 6, "https://photos.example/base/", 3600)


def parts(link: str) -> tuple[bytes, bytes]:
    """What `check` is given: the part after /files/, and the query."""
    split = urlsplit(link)
    return split.path.partition("/files/")[2].encode(), split.query.encode()


def accepts(path: bytes, query: bytes, now: float = NOW, signer: LocalLinks = SIGNER) -> bool:
    try:
        signer.check(path, query, now)
    except NotAllowed:
        return False
    return True


def test_a_link_points_at_this_server_with_expiry_and_signature() -> None:
    (link,) = SIGNER.links([KEY], NOW)
    begin = f"https://photos.example/base/files/{KEY}?expires=1800003600&signature="
    assert link.startswith(begin)
    assert len(link) == len(begin) + 64


def test_a_link_lives_until_its_expiry_and_not_a_second_longer() -> None:
    path, query = parts(SIGNER.links([KEY], NOW)[0])
    assert accepts(path, query, NOW)
    assert accepts(path, query, 1_800_003_599.9)
    assert not accepts(path, query, 1_800_003_600)
    with pytest.raises(NotAllowed, match="expired"):
        SIGNER.check(path, query, 1_800_003_600)


@pytest.mark.parametrize("key", [KEY, ODD])
def test_any_other_character_anywhere_is_refused(key: str) -> None:
    path, query = parts(SIGNER.links([key], NOW)[0])
    whole = path + b"?" + query
    for at in range(len(whole)):
        for other in (b"", b"0", b"a", b"A", b"/", b"%", b"&", whole[at : at + 1] * 2):
            forged = whole[:at] + other + whole[at + 1 :]
            if forged != whole:
                assert not accepts(*forged.partition(b"?")[::2]), forged


@given(st.binary(max_size=120), st.binary(max_size=120))
def test_nothing_that_was_not_signed_is_accepted(path: bytes, query: bytes) -> None:
    assert not accepts(path, query)
    good_path, good_query = parts(SIGNER.links([KEY], NOW)[0])
    assert not accepts(good_path + path, good_query + query) or not (path or query)


@pytest.mark.parametrize(
    "change",
    [
        lambda query: query.replace(b"expires=", b"expires=0"),
        lambda query: query.replace(b"expires=", b"expires=+"),
        lambda query: query.replace(b"expires=1", b"expires=%31"),
        lambda query: query.replace(b"expires=1800003600", b"expires=1800003600.0"),
        lambda query: query.replace(b"expires=1800003600", "expires=１８０0003600".encode()),
        lambda query: query.replace(b"signature", b"Signature"),
        lambda query: query[:-64] + query[-64:].upper(),
        lambda query: query + b"&",
        lambda query: query + b"\n",
        lambda query: query + b"&download=1",
        lambda query: b"download=1&" + query,
        lambda query: b"&" + query,
        lambda query: query + b"&expires=1900000000",
        lambda query: b"expires=1900000000&" + query,
        lambda query: query + b"&" + query,
        lambda query: b"&".join(reversed(query.split(b"&"))),
        lambda query: query.replace(b"&", b";"),
        lambda query: query.replace(b"&", b"&amp;"),
        lambda query: query[:-1],
        lambda query: query + b"0",
        lambda query: query.partition(b"&")[0],
        lambda query: query.partition(b"&")[2],
        lambda query: b"",
    ],
)
def test_another_spelling_of_the_query_is_refused(change: Callable[[bytes], bytes]) -> None:
    path, query = parts(SIGNER.links([KEY], NOW)[0])
    assert change(query) != query
    assert not accepts(path, change(query))


def test_a_link_that_names_a_version_is_good_for_that_version_alone() -> None:
    (link,) = SIGNER.versioned_links([(KEY, 7)], NOW)
    path, query = parts(link)
    assert query.startswith(b"version=7&expires=1800003600&signature=")
    assert accepts(path, query)
    assert not accepts(path, query, 1_800_003_600)
    for change in (
        query.replace(b"version=7", b"version=8"),
        query.replace(b"version=7", b"version=07"),
        query.replace(b"version=7&", b""),
        query.replace(b"version=7&expires=1800003600", b"expires=1800003600&version=7"),
        b"version=7&" + query,
        parts(SIGNER.links([KEY], NOW)[0])[1].replace(b"expires", b"version=7&expires"),
    ):
        assert not accepts(path, change), change


def test_links_to_previews_stay_the_same_for_half_their_life(folder_settings: Settings) -> None:
    linker = open_linker(folder_settings, open_store(folder_settings))
    ttl = folder_settings.preview_ttl
    begin = 20_000 * ttl
    first = linker.lasting_links([(KEY, 1)], now=begin)
    assert linker.lasting_links([(KEY, 1)], now=begin + ttl / 2 - 1) == first
    assert linker.lasting_links([(KEY, 1)], now=begin + ttl / 2) != first
    assert linker.lasting_links([(KEY, 2)], now=begin) != first
    assert f"expires={begin + ttl}&" in first[0]


def test_another_installation_or_another_use_of_its_key_does_not_sign_links() -> None:
    path, query = parts(SIGNER.links([KEY], NOW)[0])
    other = LocalLinks(b"another" * 6, "https://photos.example", 3600)
    assert not accepts(path, query, signer=other)
    bare = hmac.digest(b"secret" * 6, path + b"?expires=1800003600", "sha256").hex().encode()
    assert not accepts(path, query[:-64] + bare)


@pytest.mark.parametrize("key", [KEY, ODD])
def test_over_http_no_other_spelling_of_a_path_is_served(
    files_server: FilesServer, key: str
) -> None:
    files_server.store.put(key, b"photo", content_type="image/jpeg", filename="a.jpg")
    target = files_server.target(key)
    path, _, query = target.partition("?")
    assert files_server.ask(target).body == b"photo"
    for spelling in (
        path.replace("imgs", "%69mgs"),
        path.replace("imgs", "IMGS"),
        path.replace("/456/", "/%34%35%36/"),
        path.replace("/456/", "//456/"),
        path.replace("/456/", "/x/../456/"),
        path.replace("/456/", "/./456/"),
        path.replace("/456/", "/456;a=b/"),
        path.replace("/456/", "%2F456/"),
        path.replace(".jpg", "%2Ejpg"),
        path.replace("%C3", "%c3") if "%" in path else path + "%FF",
        path + "/",
        path + "%00",
        path + "%20",
        "/files" + path,
        path.replace("/files/", "/files//"),
    ):
        assert files_server.ask(f"{spelling}?{query}").status == 403, spelling


def test_over_http_any_changed_character_is_refused(files_server: FilesServer) -> None:
    files_server.store.put(KEY, b"photo", content_type="image/jpeg", filename="a.jpg")
    target = files_server.target(KEY)
    # each of them where links are checked, as above; some of them here
    for at in range(len("/files/"), len(target), 11):
        for other in "0aA/%&":
            if target[at] == other:
                continue
            forged = f"{target[:at]}{other}{target[at + 1 :]}"
            answer = files_server.ask(forged)
            assert answer.status == 403, forged
            assert json.loads(answer.body)["responseType"] == "error"


def test_over_http_an_expired_link_is_refused(files_server: FilesServer) -> None:
    files_server.store.put(KEY, b"photo", content_type="image/jpeg", filename="a.jpg")
    assert files_server.ask(files_server.target(KEY, now=time.time() - 3_590)).status == 200
    answer = files_server.ask(files_server.target(KEY, now=time.time() - 3_601))
    assert answer.status == 403
    assert json.loads(answer.body) == {
        "responseType": "error",
        "message": "This link has expired.",
        "data": None,
    }


def test_a_link_outlives_a_restart(folder_settings: Settings) -> None:
    before, after = (open_linker(folder_settings, open_store(folder_settings)) for _ in range(2))
    assert before.links([KEY], now=NOW) == after.links([KEY], now=NOW)


def test_a_link_that_saves_under_another_name_says_so_and_cannot_be_changed() -> None:
    wanted = 'attachment; filename="Köln.jpg"'
    path, query = parts(SIGNER.link_saved_as(KEY, wanted, NOW))
    assert SIGNER.check(path, query, NOW) == wanted
    for at in range(len(query)):
        for other in (b"", b"a", b"%", b"&", query[at : at + 1] * 2):
            forged = query[:at] + other + query[at + 1 :]
            assert forged == query or not accepts(path, forged), forged
    assert not accepts(path, query.partition(b"&")[2])
