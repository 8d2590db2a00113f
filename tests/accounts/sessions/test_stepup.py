"""Step-up: what is asked, what satisfies it, and what an attacker at an open session gets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from accounts.identity.models import User
from accounts.sessions import actions
from accounts.sessions.models import AccountSession, StepUpGrant
from accounts.sessions.rules import GRANT_LIFETIME, RECENT_FOR, is_recent
from kellexa_portal.audit import Stream
from kellexa_portal.web.stepup import Demand, Level, StepUpRequired, spend
from tests.accounts.mfa.passkey_pages import held
from tests.factories.audit_support import recorded
from tests.factories.organizations import member, organization, passkey_policy
from tests.factories.sign_in import enrolled, new_person, sign_in, totp_now

pytestmark = pytest.mark.django_db

VERIFY = "/accounts/verify/"
LIST = "/accounts/sessions/"
FACTOR_PAGE = "/accounts/mfa/passkeys/add/"
TRANSFER = Demand(Level.ONCE, "organization.transfer", "org-1")


@pytest.fixture
def ada() -> User:
    return new_person()


@pytest.fixture
def session(client: Client, ada: User) -> AccountSession:
    return sign_in(client, ada)


def stale(session: AccountSession, *, by: timedelta = RECENT_FOR) -> None:
    """Lets the proofs of ``session`` grow old without ending it."""
    at = timezone.now() - by
    AccountSession.objects.filter(pk=session.pk).update(proof_at=at, factor_at=at)


def asked(client: Client, path: str = LIST) -> str:
    """The address that asks for a factor, after ``path`` demanded one."""
    answer = client.get(path)
    assert answer.status_code == 303
    assert answer["Location"].startswith(VERIFY + "?q=")
    return str(answer["Location"])


def test_a_fresh_sign_in_needs_no_second_proof(client: Client, session: AccountSession) -> None:
    assert client.get(LIST).status_code == 200


@pytest.mark.parametrize(("age", "is_enough"), [(-1, False), (0, True), (599, True), (600, False)])
def test_a_proof_counts_for_ten_minutes_and_never_from_the_future(age: int, is_enough: bool) -> None:
    now = timezone.now()

    assert is_recent(now - timedelta(seconds=age), now=now) is is_enough


def test_no_proof_at_all_is_never_recent() -> None:
    assert not is_recent(None, now=timezone.now())


def test_an_old_proof_is_asked_for_again_and_leads_back(client: Client, session: AccountSession) -> None:
    stale(session)
    page = asked(client)
    assert "Authentication code" in client.get(page).content.decode()

    answer = client.post(page, {"way": "totp", "code": totp_now(enrolled(session.user))})

    assert (answer.status_code, answer["Location"]) == (303, LIST)
    assert client.get(LIST).status_code == 200
    assert recorded(Stream.user(session.user.public_id))[-1] == "auth.stepup.succeed"


@pytest.mark.parametrize("code", ["", "000000x", "12345", "é" * 6])
def test_a_malformed_code_is_refused_beside_its_field(
    client: Client, session: AccountSession, code: str
) -> None:
    stale(session)
    page = asked(client)

    answer = client.post(page, {"way": "totp", "code": code})

    assert answer.status_code == 422
    assert answer.context["form"].errors["code"]
    assert client.get(LIST).status_code == 303


def test_a_wrong_code_satisfies_nothing(client: Client, session: AccountSession) -> None:
    stale(session)
    page = asked(client)
    right = totp_now(enrolled(session.user))

    answer = client.post(page, {"way": "totp", "code": f"{(int(right) + 1) % 1_000_000:06d}"})

    assert answer.status_code == 422
    assert client.get(LIST).status_code == 303


def test_a_session_signed_in_by_recovery_has_shown_no_factor(client: Client, ada: User) -> None:
    session = sign_in(client, ada, method=AccountSession.Method.RECOVERY)

    assert (session.factor, session.factor_at) == ("", None)


def test_a_stranger_is_sent_to_the_sign_in(client: Client) -> None:
    assert client.get(VERIFY)["Location"].startswith("/accounts/login/")


def request_of(session: AccountSession) -> HttpRequest:
    request = HttpRequest()
    request.account_session = session  # type: ignore[attr-defined]
    return request


def earn(session: AccountSession, demand: Demand = TRANSFER) -> StepUpGrant:
    return StepUpGrant.objects.create(
        session=session,
        action=demand.action,
        obj=demand.obj,
        factor="totp",
        expires_at=timezone.now() + GRANT_LIFETIME,
    )


def test_a_permission_is_earned_for_one_action_on_one_object_once(session: AccountSession) -> None:
    earn(session)

    for action, obj in (("organization.delete", "org-1"), ("organization.transfer", "org-2")):
        with pytest.raises(StepUpRequired):
            spend(request_of(session), action=action, obj=obj)
    spend(request_of(session), action="organization.transfer", obj="org-1")
    with pytest.raises(StepUpRequired):
        spend(request_of(session), action="organization.transfer", obj="org-1")


def test_a_permission_belongs_to_its_session_and_ends_by_the_clock(ada: User) -> None:
    here, there = sign_in(Client(), ada), sign_in(Client(), ada)
    grant = earn(here)

    assert not actions.spend_grant(session=there, demand=TRANSFER)
    StepUpGrant.objects.filter(pk=grant.pk).update(
        created_at=timezone.now() - GRANT_LIFETIME, expires_at=timezone.now() - timedelta(microseconds=1)
    )
    assert not actions.spend_grant(session=here, demand=TRANSFER)


@pytest.mark.django_db(transaction=True)
def test_parallel_requests_spend_one_permission_once() -> None:
    session = sign_in(Client(), new_person())
    earn(session)

    def race(_: int) -> bool:
        try:
            return actions.spend_grant(session=session, demand=TRANSFER)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(race, range(8))) == 1


def test_a_recent_factor_is_no_permission(session: AccountSession) -> None:
    with pytest.raises(StepUpRequired):
        spend(request_of(session), action="organization.transfer", obj="org-1")


@pytest.fixture
def asked_for_passkey(ada: User) -> None:
    """An organization of Ada's asks its people for passkeys."""
    passkey_policy(member(organization(), person=ada).organization)


@pytest.mark.usefixtures("asked_for_passkey")
def test_where_a_passkey_is_asked_for_a_code_is_not_enough_for_whoever_has_one(
    client: Client, ada: User, session: AccountSession
) -> None:
    held(ada)

    answer = client.get(FACTOR_PAGE)
    page = client.get(answer["Location"]).content.decode()
    typed = client.post(answer["Location"], {"way": "totp", "code": totp_now(enrolled(ada))})

    assert answer.status_code == 303
    assert "Authentication code" not in page
    assert typed.status_code == 422
    assert client.get(FACTOR_PAGE).status_code == 303


@pytest.mark.usefixtures("asked_for_passkey")
def test_where_a_passkey_is_asked_for_one_that_was_shown_is_enough(
    client: Client, ada: User, session: AccountSession
) -> None:
    held(ada)
    AccountSession.objects.filter(pk=session.pk).update(factor="passkey")

    assert client.get(FACTOR_PAGE).status_code == 200


@pytest.mark.usefixtures("asked_for_passkey")
def test_who_has_no_passkey_yet_shows_what_they_have(client: Client, session: AccountSession) -> None:
    assert client.get(FACTOR_PAGE).status_code == 200
