"""Everybody who hears of a recovery can stop it; nothing of the account has changed then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from accounts.identity.access import NotPermittedError
from accounts.identity.actions.upkeep import purge_expired
from accounts.identity.models import User
from accounts.lockdown.actions import raise_alarm
from accounts.mfa.models import RecoveryCode, TotpDevice
from accounts.recovery.actions import stopping
from accounts.recovery.models import CancelLink, RecoveryCase
from kellexa_portal.audit import Stream
from kellexa_portal.core.actor import Actor
from tests.accounts.identity.mailbox import kinds_to, path_to
from tests.accounts.recovery.steps import (
    PAGE,
    PORTAL,
    Staff,
    at_work,
    link_in,
    moved_lately,
    now_of,
    refuse_page,
    started,
    swept,
)
from tests.factories.audit_support import recorded
from tests.factories.sign_in import PASSWORD, enrolled, new_person, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

State = RecoveryCase.State


def _mine(ada: User) -> Client:
    client = Client()
    sign_in(client, ada)
    return client


def test_the_link_shows_at_get_and_cancels_at_post(waiting: RecoveryCase, ada: User) -> None:
    path, stranger = link_in(ada.email, "recovery.started"), Client()

    shown = stranger.get(path)
    assert (shown.status_code, now_of(waiting).state) == (200, State.WAITING)
    answer = stranger.post(path)

    ended = now_of(waiting)
    assert (answer.status_code, answer["Location"]) == (303, path)
    assert (ended.state, ended.cause, ended.ended_by) == (State.CANCELLED, "link", None)
    assert kinds_to(ada.email)[-1] == "recovery.stopped"
    assert recorded(Stream.user(ada.public_id)).count("account.recovery.cancel") == 1
    assert TotpDevice.objects.filter(user=ada).exists()
    assert RecoveryCode.objects.filter(user=ada).exists()
    assert User.objects.get(pk=ada.pk).check_password(PASSWORD)


@pytest.mark.parametrize("kind", ["recovery.started", "recovery.approved", "recovery.ready"])
def test_each_mail_carries_a_link_that_works(
    waiting: RecoveryCase, ada: User, clock: time_machine.Traveller, kind: str
) -> None:
    clock.shift(timedelta(hours=72))
    swept()

    Client().post(link_in(ada.email, kind))

    assert now_of(waiting).state == State.CANCELLED


def test_the_former_address_cancels_too(ada: User, team: Staff) -> None:
    former = moved_lately(ada)
    case = started(team, ada)

    Client().post(link_in(former, "recovery.started"))

    assert now_of(case).state == State.CANCELLED
    assert kinds_to(former)[-1] == "recovery.stopped"


def test_a_link_is_kept_as_a_digest(case: RecoveryCase, ada: User) -> None:
    token = link_in(ada.email, "recovery.started").rstrip("/").rpartition("/")[2]

    assert token.encode() not in bytes(CancelLink.objects.get().token_hash)
    assert len(bytes(CancelLink.objects.get().token_hash)) == 32


def test_a_link_of_a_case_that_ended_says_so_and_stops_no_other(
    case: RecoveryCase, ada: User, team: Staff
) -> None:
    former = link_in(ada.email, "recovery.started")
    Client().post(former)
    next_case = started(team, ada)

    again = Client().post(former)
    page = Client().get(former)

    assert (again.status_code, page.status_code) == (303, 200)
    assert "This recovery has ended" in page.content.decode()
    assert now_of(next_case).state == State.OPEN
    assert kinds_to(ada.email).count("recovery.stopped") == 1


def test_a_made_up_link_is_dead_and_on_record_once(case: RecoveryCase) -> None:
    path = f"{PAGE}cancel/{'x' * 43}/"

    assert Client().get(path).status_code == Client().post(path).status_code == 404
    assert recorded(Stream.system()).count("account.recovery.link_deny") == 1
    assert now_of(case).state == State.OPEN


def test_who_is_signed_in_sees_it_on_every_page_and_cancels(waiting: RecoveryCase, ada: User) -> None:
    client = _mine(ada)
    for path in ("/accounts/", "/accounts/mfa/", "/accounts/sessions/"):
        assert "Somebody asked to recover this account" in client.get(path).content.decode()
    assert "Cancel the recovery" in client.get(PAGE).content.decode()

    answer = client.post(PAGE)

    ended = now_of(waiting)
    assert (answer.status_code, answer["Location"]) == (303, PAGE)
    assert (ended.state, ended.cause, ended.ended_by) == (State.CANCELLED, "owner", ada)
    assert "Somebody asked to recover this account" not in client.get("/accounts/").content.decode()


def test_staff_see_it_in_the_staff_site(team: Staff) -> None:
    started(team, team.first)

    assert "Somebody asked to recover this account" in at_work(team.first).get("/admin/").content.decode()
    assert "Somebody asked to recover" not in at_work(team.second).get("/admin/").content.decode()


def test_signing_in_alone_cancels_nothing(waiting: RecoveryCase, ada: User) -> None:
    _mine(ada).get("/accounts/")

    assert now_of(waiting).state == State.WAITING


def test_nobody_else_sees_or_cancels_it(waiting: RecoveryCase, ada: User) -> None:
    bob = new_person("bob@example.com")
    client = _mine(bob)

    assert "Somebody asked to recover" not in client.get("/accounts/").content.decode()
    client.post(PAGE)
    with pytest.raises(NotPermittedError):
        stopping.cancel(actor=Actor.of(bob), user=ada)
    assert now_of(waiting).state == State.WAITING


def test_cancelling_nothing_says_so(ada: User) -> None:
    client = _mine(ada)

    shown = client.post(PAGE, follow=True).content.decode()

    assert "No recovery of your account is under way." in shown


def test_staff_refuse_at_any_time(waiting: RecoveryCase, ada: User, team: Staff) -> None:
    at_work(team.starter).post(refuse_page(waiting))

    ended = now_of(waiting)
    assert (ended.state, ended.cause, ended.ended_by) == (State.REFUSED, "staff", team.starter)
    assert recorded(Stream.user(ada.public_id)).count("account.recovery.refuse") == 1
    assert kinds_to(ada.email)[-1] == "recovery.stopped"


def _change_address(ada: User) -> None:
    client = _mine(ada)
    client.post("/accounts/email/", {"email": "ada.next@example.com"})
    client.post(path_to("ada.next@example.com"))


def _lock_down(ada: User) -> None:
    raise_alarm(actor=Actor.of(ada), user=ada)


@pytest.mark.parametrize(("happens", "cause"), [(_change_address, "address"), (_lock_down, "alarm")])
def test_what_changes_the_account_stops_its_recovery(
    waiting: RecoveryCase, ada: User, happens: Callable[[User], None], cause: str
) -> None:
    happens(ada)

    ended = now_of(waiting)
    assert (ended.state, ended.cause) == (State.CANCELLED, cause)
    assert "recovery.stopped" in kinds_to(ada.email)


def test_who_did_not_cancel_can_say_so(waiting: RecoveryCase, ada: User) -> None:
    """A thief who signs in and cancels is answered by the lock-down in the mail that tells of it."""
    _mine(ada).post(PAGE)

    Client().post(path_to(ada.email))

    assert User.objects.get(pk=ada.pk).locked_at is not None


def test_what_ended_long_ago_is_forgotten(
    case: RecoveryCase, ada: User, clock: time_machine.Traveller
) -> None:
    Client().post(link_in(ada.email, "recovery.started"))
    clock.shift(timedelta(days=31))
    purge_expired(actor=PORTAL)
    assert (CancelLink.objects.count(), RecoveryCase.objects.count()) == (0, 1)

    clock.shift(timedelta(days=370))
    purge_expired(actor=PORTAL)

    assert RecoveryCase.objects.count() == 0


def test_the_pages_take_get_and_post_only(ada: User, case: RecoveryCase) -> None:
    enrolled(ada)
    for path in (PAGE, link_in(ada.email, "recovery.started"), f"{PAGE}finish/{'x' * 43}/"):
        assert _mine(ada).delete(path).status_code == 405
    for path in (f"{PAGE}help/", f"{PAGE}done/"):
        assert Client().get(path).status_code == 200
        assert Client().post(path).status_code == 405
    assert Client().get(PAGE).status_code == 302
