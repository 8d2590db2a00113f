"""The staff's cases: seen, closed, begun; never lifted."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.credentials.actions import IssuedKey
from accounts.identity.access import NotPermittedError
from accounts.identity.models import User
from accounts.lockdown import actions
from accounts.lockdown.models import Lockdown
from kellexa_portal.audit import Stream
from kellexa_portal.core.actor import Actor
from tests.accounts.identity.mailbox import kinds_to
from tests.accounts.lockdown.conftest import IsActive, renewed, the_lockdown
from tests.factories import accounts, sign_in
from tests.factories.audit_support import recorded

pytestmark = pytest.mark.django_db

CASES = "/admin/lockdown/lockdown/"
PEOPLE = "/admin/accounts/user/"
MAY_CLOSE = ["incident_commander", "administrator"]
MAY_LOOK = [*MAY_CLOSE, "platform_auditor", "dpo"]
OTHERS = ["triager", "publisher", "access_reviewer"]


def _at_work(role: str) -> Client:
    client = Client()
    sign_in.sign_in(client, accounts.staff(role))
    return client


@pytest.fixture
def case(ada: User) -> Lockdown:
    return actions.raise_alarm(actor=Actor.of(ada), user=ada)


@pytest.mark.parametrize("role", MAY_LOOK)
def test_the_case_is_on_the_list(case: Lockdown, ada: User, role: str) -> None:
    staff = _at_work(role)

    listed = staff.get(f"{CASES}?case=open").content.decode()
    shown = staff.get(f"{CASES}{case.pk}/change/")

    assert ada.email in listed
    assert shown.status_code == 200
    assert ada.email not in staff.get(f"{CASES}?case=closed").content.decode()


@pytest.mark.parametrize("role", OTHERS)
def test_other_roles_see_no_case(case: Lockdown, role: str) -> None:
    assert _at_work(role).get(CASES).status_code == 403


def test_customers_find_nothing(case: Lockdown, ada: User) -> None:
    renewed(ada)
    client = Client()
    sign_in.sign_in(client, ada)

    assert client.get(CASES).status_code == 404


@pytest.mark.parametrize("role", MAY_CLOSE)
def test_closing_a_case_lets_nobody_in(case: Lockdown, ada: User, role: str) -> None:
    answer = _at_work(role).post(CASES, {"action": "close_selected", "_selected_action": [case.pk]})

    closed = the_lockdown()
    assert answer.status_code == 302
    assert closed.case_closed_by is not None
    assert closed.lifted_at is None
    assert User.objects.get(pk=ada.pk).locked_at is not None
    assert recorded(Stream.user(ada.public_id)).count("account.lockdown.close") == 1


def test_closing_twice_is_one_event(case: Lockdown, ada: User) -> None:
    commander = Actor.of(accounts.staff("incident_commander"))

    assert actions.close_case(actor=commander, lockdown=case)
    assert not actions.close_case(actor=commander, lockdown=case)
    assert recorded(Stream.user(ada.public_id)).count("account.lockdown.close") == 1


@pytest.mark.parametrize("role", ["platform_auditor", "dpo"])
def test_who_only_looks_closes_nothing(case: Lockdown, role: str) -> None:
    _at_work(role).post(CASES, {"action": "close_selected", "_selected_action": [case.pk]})

    assert the_lockdown().case_closed_at is None
    with pytest.raises(NotPermittedError):
        actions.close_case(actor=Actor.of(accounts.staff(role)), lockdown=case)


def test_the_person_does_not_close_their_own_case(case: Lockdown, ada: User) -> None:
    with pytest.raises(NotPermittedError):
        actions.close_case(actor=Actor.of(ada), lockdown=case)


def test_staff_lock_an_account_down(ada: User, mine: Client, key: IssuedKey, is_active: IsActive) -> None:
    chosen = {"action": "lock_down_selected", "_selected_action": [ada.pk]}

    answer = _at_work("incident_commander").post(PEOPLE, chosen)

    assert answer.status_code == 302
    assert the_lockdown().cause == "staff"
    assert mine.get("/accounts/").status_code == 302
    assert not is_active(key.token)
    assert kinds_to(ada.email)[-1] == "lockdown.begun"


def test_staff_without_the_right_lock_nobody_down(ada: User) -> None:
    chosen = {"action": "lock_down_selected", "_selected_action": [ada.pk]}

    _at_work("platform_auditor").post(PEOPLE, chosen)

    assert not Lockdown.objects.exists()


def test_staff_lift_nothing(case: Lockdown, ada: User) -> None:
    renewed(ada)

    with pytest.raises(NotPermittedError):
        actions.lift(actor=Actor.of(accounts.staff("administrator")), user=ada, key_ids=[])
    assert _at_work("administrator").post(f"{CASES}{case.pk}/delete/", {"post": "yes"}).status_code == 403
