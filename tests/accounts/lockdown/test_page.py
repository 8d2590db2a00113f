"""``/accounts/lockdown/``: the alarm of who is signed in, one click away, without a step-up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.credentials.actions import IssuedKey
from accounts.identity.models import User
from accounts.lockdown.actions import raise_alarm
from accounts.lockdown.models import Lockdown
from accounts.sessions.models import AccountSession
from kellexa_portal.core.actor import Actor
from tests.accounts.lockdown.conftest import IsActive, the_lockdown
from tests.factories import accounts, sign_in
from tests.factories.sign_in import NEW_PASSWORD, PASSWORD, new_person, prove_password, with_recovery_codes

pytestmark = pytest.mark.django_db

PAGE = "/accounts/lockdown/"


def test_it_is_one_click_away_from_every_page(mine: Client) -> None:
    for path in ("/accounts/", "/accounts/sessions/", "/accounts/keys/"):
        assert f'href="{PAGE}"' in mine.get(path).content.decode()


def test_the_page_explains_and_changes_nothing(mine: Client) -> None:
    answer = mine.get(PAGE)

    assert answer.status_code == 200
    assert "Lock my account down" in answer.content.decode()
    assert not Lockdown.objects.exists()


def test_a_stranger_signs_in_first() -> None:
    for method in ("get", "post"):
        assert getattr(Client(), method)(PAGE)["Location"].startswith("/accounts/login/")

    assert not Lockdown.objects.exists()


def test_the_button_needs_no_step_up(mine: Client, key: IssuedKey, is_active: IsActive) -> None:
    at = timezone.now() - timedelta(hours=1)
    AccountSession.objects.update(proof_at=at, factor_at=at)

    answer = mine.post(PAGE)

    assert (answer.status_code, answer["Location"]) == (303, "/accounts/lockdown/done/")
    assert mine.get(answer["Location"]).status_code == 200
    assert the_lockdown().cause == "page"
    assert mine.get(PAGE).status_code == 302
    assert not is_active(key.token)


def test_a_foreign_page_can_not_press_it(ada: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    sign_in.sign_in(strict, ada)

    assert strict.post(PAGE).status_code == 403
    assert not Lockdown.objects.exists()


def test_the_known_password_of_a_locked_account_leads_to_a_new_one(mine: Client, ada: User) -> None:
    mine.post(PAGE)

    answer = Client().post("/accounts/login/", {"email": ada.email, "password": PASSWORD})

    assert (answer.status_code, answer["Location"]) == (302, "/accounts/password/reset/")


def test_a_wrong_password_does_not_learn_of_the_lock_down(mine: Client, ada: User) -> None:
    wrong = {"email": ada.email, "password": "certainly not the right words"}
    before = Client().post("/accounts/login/", wrong)
    mine.post(PAGE)

    after = Client().post("/accounts/login/", wrong)

    assert before.status_code == after.status_code == 422
    assert "locked" not in after.content.decode().lower()


def test_after_the_reset_the_factor_is_still_asked_for(mine: Client, ada: User) -> None:
    from tests.accounts.lockdown.test_lift import reset_password

    with_recovery_codes(ada)
    mine.post(PAGE)

    reset_password(ada)
    client = Client()
    prove_password(client, User.objects.get(pk=ada.pk), password=NEW_PASSWORD)

    assert client.get("/accounts/")["Location"].startswith("/accounts/login/")
    assert "Authentication code" in client.get("/accounts/login/verify/").content.decode()


def test_locking_twice_is_one_lock_down(ada: User) -> None:
    first = raise_alarm(actor=Actor.of(ada), user=ada)
    second = raise_alarm(actor=Actor.of(ada), user=ada)

    assert first.pk == second.pk
    assert Lockdown.objects.count() == 1


def test_nobody_locks_down_a_colleague(mine: Client, ada: User) -> None:
    from accounts.identity.access import NotPermittedError

    stranger = new_person("eve@example.com")

    for actor in (Actor.of(stranger), Actor.anonymous(), Actor.key("k"), Actor.of(accounts.staff("triager"))):
        with pytest.raises(NotPermittedError):
            raise_alarm(actor=actor, user=ada)

    assert not Lockdown.objects.exists()
