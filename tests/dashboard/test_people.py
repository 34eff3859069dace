"""Colleagues in the browser: invited by link, given roles, removed; and one's own account."""

from __future__ import annotations

import re
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.conftest import PASSWORD, Office, SignedIn

OUR_PAGE = {"Sec-Fetch-Site": "same-origin"}


def _link(page: Page) -> str:
    page.get_by_role("button", name="Copy the invitation link").click()
    link: str = page.evaluate("navigator.clipboard.readText()")
    return link


def _invitation(office: Office, client: SignedIn, role: str = "viewer") -> str:
    """The token of a fresh invitation."""
    answer = client.send("/people/invitations", org=office.org_id, role=role)
    found = re.search(r"/join\?token=([\w-]+)", answer.text)
    assert found, answer.text
    return found[1]


def _accept(office: Office, token: str, email: str = "") -> httpx.Response:
    fields = {"token": token, "email": email or _somebody(), "password": PASSWORD}
    return httpx.post(f"{office.url}/join", data=fields, headers=OUR_PAGE)


def _somebody() -> str:
    return f"{uuid.uuid4().hex[:8]}@example.org"


def _account_id(office: Office, email: str) -> uuid.UUID:
    ((found,),) = office.execute("select id from account where email = %s", email)
    assert isinstance(found, uuid.UUID)
    return found


def _role(office: Office, email: str) -> list[tuple[str]]:
    return office.execute(
        "select role from membership where account_id = %s and org_id = %s",
        _account_id(office, email),
        office.org_id,
    )


def test_a_colleague_joins_by_a_link_that_is_shown_once(
    signed_in: Page, office: Office, browser: Browser
) -> None:
    signed_in.get_by_role("link", name="People").click()
    signed_in.get_by_label("For whom").fill("Kim at the finish")
    signed_in.get_by_label("Editor").check()
    signed_in.get_by_role("button", name="Make the link").click()
    link = _link(signed_in)
    signed_in.reload()
    expect(signed_in.get_by_text("Kim at the finish")).to_be_visible()
    assert link.partition("token=")[2] not in signed_in.content()

    colleague, email = browser.new_page(), _somebody()
    colleague.goto(link)
    expect(colleague.get_by_text("You are invited as editor")).to_be_visible()
    colleague.get_by_label("Your e-mail").fill(email)
    colleague.get_by_label("Choose a password").fill("short")
    colleague.get_by_role("button", name="Make my account").click()
    expect(colleague).to_have_url(link)  # the browser itself asks for a longer one
    colleague.get_by_label("Choose a password").fill(PASSWORD)
    colleague.get_by_role("button", name="Make my account").click()
    expect(colleague.get_by_role("status")).to_contain_text("Welcome")
    expect(colleague.get_by_text("Harbour <b>Run</b>")).to_be_visible()
    assert _role(office, email) == [("editor",)]
    colleague.goto(link)
    expect(colleague.get_by_role("alert")).to_contain_text("Ask for a new link")
    colleague.context.close()


def test_somebody_with_an_account_signs_in_and_joins_with_it(page: Page, office: Office) -> None:
    token = _invitation(office, office.client(office.owner))
    other = _somebody()
    ((theirs,),) = office.execute(
        """with made as (insert into account (email, password_hash)
               select %s, password_hash from account where email = %s returning id)
           insert into membership select id, %s, 'owner' from made returning account_id""",
        other, office.owner, office.foreign_org_id,
    )  # fmt: skip
    page.goto(f"{office.url}/join?token={token}")
    page.get_by_role("link", name="Sign in to join with it").click()
    page.get_by_label("E-mail").fill(other)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=f"Join as {other}").click()
    expect(page.get_by_role("status")).to_contain_text("Welcome")
    roles = office.execute(
        "select org_id, role from membership where account_id = %s order by role", theirs
    )
    assert roles == [(office.foreign_org_id, "owner"), (office.org_id, "viewer")]


def test_an_invitation_is_good_for_one_even_when_many_come_at_once(office: Office) -> None:
    token = _invitation(office, office.client(office.owner))
    with ThreadPoolExecutor(6) as executor:
        answers = list(executor.map(lambda _: _accept(office, token), range(6)))
    assert sorted(answer.status_code for answer in answers) == [303] + [404] * 5
    ((members,),) = office.execute(
        "select count(*) from membership where org_id = %s", office.org_id
    )
    assert members == 2


def test_an_invitation_that_was_taken_back_or_is_a_week_old_admits_nobody(office: Office) -> None:
    owner = office.client(office.owner)
    taken_back = _invitation(office, owner)
    ((invitation,),) = office.execute("select id from invitation where org_id = %s", office.org_id)
    owner.send(f"/people/invitations/{invitation}/revoke", org=office.org_id)
    old = _invitation(office, owner)
    office.execute(
        "update invitation set expires_at = expires_at - interval '7 days' where org_id = %s",
        office.org_id,
    )
    answers = [_accept(office, token) for token in (taken_back, old, "made-up")]
    assert [answer.status_code for answer in answers] == [404] * 3
    texts = {httpx.get(f"{office.url}/join?token={t}").text for t in (taken_back, old, "made-up")}
    assert len(texts) == 1


def test_an_address_that_has_an_account_does_not_use_the_invitation_up(office: Office) -> None:
    token = _invitation(office, office.client(office.owner))
    refused = _accept(office, token, office.person("viewer"))
    assert refused.status_code == 409
    assert "Sign in to join with it" in refused.text
    assert "fotofinish user" not in refused.text  # that is for who sits at the server
    assert _accept(office, token).status_code == 303


def test_the_last_owner_can_neither_leave_nor_step_down(office: Office) -> None:
    owner, editor = office.client(office.owner), office.person("editor")
    own, other = _account_id(office, office.owner), _account_id(office, editor)
    page = owner.http.get(f"/people?org={office.org_id}").text
    assert "the last owner stays" in page
    steps = [
        owner.send(f"/people/{own}/role", org=office.org_id, role="viewer"),
        owner.send(f"/people/{own}/remove", org=office.org_id),
    ]
    assert [answer.status_code for answer in steps] == [409, 409]
    owner.send(f"/people/{other}/role", org=office.org_id, role="owner")
    assert owner.send(f"/people/{own}/remove", org=office.org_id).status_code == 303
    assert _role(office, office.owner) == []
    assert owner.http.get(f"/events/{office.event_id}").status_code == 404


@pytest.mark.parametrize("step", ["remove", "role"])
def test_who_is_no_owner_any_more_does_not_come_back_by_an_own_invitation(
    office: Office, step: str
) -> None:
    owner, former = office.client(office.owner), office.person("owner")
    kept = _invitation(office, owner)
    own = _invitation(office, office.client(former), "owner")
    answer = owner.send(
        f"/people/{_account_id(office, former)}/{step}", org=office.org_id, role="viewer"
    )
    assert answer.status_code == 303
    assert _accept(office, own).status_code == 404
    assert _accept(office, kept).status_code == 303


def test_two_owners_who_remove_each_other_at_once_leave_one(office: Office) -> None:
    clients = [office.client(office.owner), office.client(office.person("owner"))]
    ids = office.execute(
        "select account_id from membership where org_id = %s and role = 'owner'", office.org_id
    )
    with ThreadPoolExecutor(4) as executor:
        for client in clients:
            for (account_id,) in ids:
                executor.submit(client.send, f"/people/{account_id}/remove", org=office.org_id)
    ((owners,),) = office.execute(
        "select count(*) from membership where org_id = %s and role = 'owner'", office.org_id
    )
    assert owners == 1


@pytest.mark.parametrize("step", ["invite", "role", "own role", "remove", "key"])
def test_what_an_owner_asks_for_while_being_removed_is_not_done(office: Office, step: str) -> None:
    former, other = office.person("owner"), _account_id(office, office.person("viewer"))
    client, own = office.client(former), _account_id(office, former)
    paths = {
        "invite": "/people/invitations",
        "role": f"/people/{other}/role",
        "own role": f"/people/{own}/role",
        "remove": f"/people/{other}/remove",
        "key": "/developer/keys",
    }
    state = """select (select count(*) from invitation where org_id = %s),
                      (select count(*) from api_key where org_id = %s),
                      (select array_agg(role order by role) from membership where org_id = %s)"""
    with (
        ThreadPoolExecutor(1) as executor,
        psycopg.connect(office.database.dsn) as removal,
    ):
        removal.execute("select 1 from organisation where id = %s for update", [office.org_id])
        answer = executor.submit(client.send, paths[step], org=office.org_id, role="owner")
        deadline = time.monotonic() + 20
        while not office.execute("select 1 from pg_locks where not granted"):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        removal.execute("update membership set role = 'editor' where account_id = %s", [own])
        removal.commit()
    assert answer.result().status_code == 403
    assert "Only an owner" in answer.result().text
    assert office.execute(state, *[office.org_id] * 3) == [(0, 0, ["editor", "owner", "viewer"])]


@pytest.mark.parametrize("role", ["editor", "viewer"])
def test_only_an_owner_invites_changes_roles_and_removes(office: Office, role: str) -> None:
    email = office.person(role)
    client, owner = office.client(email), _account_id(office, office.owner)
    _invitation(office, office.client(office.owner))
    ((invitation,),) = office.execute("select id from invitation where org_id = %s", office.org_id)
    assert "Make the link" not in client.http.get("/people").text
    answers = [
        client.send("/people/invitations", org=office.org_id, role="owner"),
        client.send(f"/people/invitations/{invitation}/revoke", org=office.org_id),
        client.send(f"/people/{owner}/role", org=office.org_id, role="viewer"),
        client.send(f"/people/{owner}/remove", org=office.org_id),
        client.send(f"/people/{_account_id(office, email)}/role", org=office.org_id, role="owner"),
    ]
    assert [answer.status_code for answer in answers] == [403] * 5
    leaves = client.send(f"/people/{_account_id(office, email)}/remove", org=office.org_id)
    assert leaves.status_code == 303


def test_changing_the_password_ends_the_other_sessions(signed_in: Page, office: Office) -> None:
    elsewhere = office.client(office.owner)
    signed_in.get_by_role("button", name="Account").click()
    signed_in.get_by_role("link", name="Password and sessions").click()
    expect(signed_in.get_by_text("this one")).to_have_count(1)
    signed_in.get_by_label("Current password").fill(PASSWORD)
    signed_in.get_by_label("New password", exact=False).nth(0).fill("a better password")
    signed_in.get_by_label("New password again").fill("a better password")
    signed_in.get_by_role("button", name="Change it").click()
    expect(signed_in.get_by_role("status")).to_contain_text("Your password is changed")
    assert elsewhere.http.get("/account").status_code == 303
    form = {"email": office.owner, "password": "a better password"}
    answer = httpx.post(f"{office.url}/sign-in", data=form, headers=OUR_PAGE)
    assert answer.status_code == 303


def test_the_current_password_cannot_be_guessed_in_an_open_session(office: Office) -> None:
    client = office.client(office.owner)
    fields = {"password": "a better password", "again": "a better password"}
    answers = [
        client.send("/account/password", current=f"guess {number}", **fields).status_code
        for number in range(11)
    ]
    assert answers == [403] * 10 + [429]
    assert client.send("/account/password", current=PASSWORD, **fields).status_code == 429


def test_no_more_than_two_passwords_are_compared_at_once_wherever_they_are_asked_for(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, new = office.client(office.owner), "a better password"
    compare, running, most = PasswordHasher.verify, set[int](), 0

    def watch(hasher: PasswordHasher, kept: str, typed: str) -> bool:
        nonlocal most
        running.add(threading.get_ident())
        most = max(most, len(running))
        time.sleep(0.1)  # the others come meanwhile
        try:
            return compare(hasher, kept, typed)
        finally:
            running.remove(threading.get_ident())

    def ask(number: int) -> int:
        if number % 2:
            fields = {"email": office.owner, "password": "guess"}
            answer = httpx.post(f"{office.url}/sign-in", data=fields, headers=OUR_PAGE, timeout=60)
        else:
            fields = {"current": "guess", "password": new, "again": new}
            answer = client.send("/account/password", **fields)
        return answer.status_code

    monkeypatch.setattr(PasswordHasher, "verify", watch)
    with ThreadPoolExecutor(10) as executor:
        assert list(executor.map(ask, range(10))) == [403] * 10
    assert most == 2


def test_refused_forms_that_come_at_once_are_all_answered(office: Office) -> None:
    client, new = office.client(office.owner), "a better password"

    def send(number: int) -> int:
        if number % 2:
            return client.send(f"/events/{office.event_id}/delete", typed="another").status_code
        fields = {"current": "guess", "password": new, "again": new}
        return client.send("/account/password", **fields).status_code

    with ThreadPoolExecutor(24) as executor:
        answers = list(executor.map(send, range(48)))
    assert answers[1::2] == [422] * 24
    assert sorted(answers[::2]) == [403] * 10 + [429] * 14


def test_one_session_is_ended_from_another(office: Office) -> None:
    here, there = office.client(office.owner), office.client(office.owner)
    (end,) = set(re.findall(r"/account/sessions/[0-9a-f-]{36}/end", here.http.get("/account").text))
    stranger = office.client(office.person("owner"))
    assert stranger.send(end).status_code == 404
    assert there.http.get("/").status_code == 200
    assert here.send(end).status_code == 303
    assert there.http.get("/").status_code == 303
    assert here.http.get("/").status_code == 200
