"""Half a sign-in is never a session, and dies of everything that should kill it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from accounts.identity import pending, rules
from accounts.identity.models import PendingSignIn, User
from accounts.sessions.store import SessionStore
from tests.factories import accounts

pytestmark = pytest.mark.django_db


def _request() -> HttpRequest:
    request = HttpRequest()
    request.session = SessionStore()
    return request


def _started() -> tuple[HttpRequest, PendingSignIn]:
    request = _request()
    return request, pending.start(request, user=accounts.user(), next_url="/accounts/keys/")


def test_a_fresh_half_sign_in_is_found_again() -> None:
    request, started = _started()

    found = pending.current(request)

    assert found == started
    assert found.next_url == "/accounts/keys/"
    assert found.stage == PendingSignIn.Stage.VERIFY


def test_it_opens_no_page_behind_a_gate(client: Client) -> None:
    user = accounts.user()
    client.post("/accounts/login/", {"email": user.email, "password": accounts.PASSWORD})

    for path in ("/accounts/", "/accounts/password/", "/accounts/keys/", "/accounts/sessions/", "/admin/"):
        assert client.get(path).status_code == 302
        assert "/login/" in client.get(path)["Location"]


@pytest.mark.parametrize(
    "change",
    [
        {"security_epoch": 2},
        {"is_active": False},
    ],
)
def test_it_dies_with_the_account_it_was_for(change: dict[str, object]) -> None:
    request, started = _started()

    User.objects.filter(pk=started.user_id).update(**change)

    assert pending.current(request) is None


def test_it_dies_after_ten_minutes() -> None:
    request, started = _started()

    PendingSignIn.objects.filter(pk=started.pk).update(expires_at=timezone.now())

    assert pending.current(request) is None
    assert not pending.spend_try(started)


def test_it_lives_for_ten_minutes() -> None:
    _, started = _started()

    assert started.expires_at - timezone.now() == pytest.approx(
        timedelta(minutes=10), abs=timedelta(seconds=5)
    )


def test_it_has_five_tries() -> None:
    request, started = _started()

    spent = [pending.spend_try(started) for _ in range(7)]

    assert spent == [True] * 5 + [False] * 2
    assert pending.current(request) is None


@pytest.mark.django_db(transaction=True)
def test_parallel_guesses_get_five_answers() -> None:
    _, started = _started()

    def spend(_number: int) -> bool:
        try:
            return pending.spend_try(PendingSignIn.objects.get(pk=started.pk))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(spend, range(50))) == rules.PENDING_TRIES


@pytest.mark.parametrize("name", ["", "garbage", "00000000-0000-0000-0000-000000000000", None, 7, ["x"]])
def test_a_session_that_names_no_row_has_none(name: object) -> None:
    request = _request()
    request.session[pending.SESSION_KEY] = name

    assert pending.current(request) is None
    pending.clear(request)


def test_giving_up_removes_it() -> None:
    request, _ = _started()

    pending.clear(request)

    assert pending.current(request) is None
    assert not PendingSignIn.objects.exists()


def test_a_second_person_in_the_same_browser_inherits_nothing(client: Client) -> None:
    first, second = accounts.user(), accounts.user()
    client.post(
        "/accounts/login/?next=/accounts/keys/", {"email": first.email, "password": accounts.PASSWORD}
    )

    client.post("/accounts/login/", {"email": second.email, "password": accounts.PASSWORD})

    named = PendingSignIn.objects.get(public_id=client.session[pending.SESSION_KEY])
    assert named.user == second
    assert named.next_url == ""


@pytest.mark.parametrize("change", [{"password": "changed"}, {"security_epoch": 9}, {"is_active": False}])
def test_it_does_not_begin_when_the_account_changed_since_the_password_was_checked(
    change: dict[str, object],
) -> None:
    user, request = accounts.user(), _request()
    User.objects.filter(pk=user.pk).update(**change)

    with pytest.raises(pending.SignInOverturnedError):
        pending.start(request, user=user, next_url="")

    assert not PendingSignIn.objects.exists()
