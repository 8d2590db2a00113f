"""After the whole wait one link, to one address, once; it takes everything away and signs nobody in."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.credentials.models import ApiKey
from accounts.identity.actions import people
from accounts.identity.models import User
from accounts.lockdown.actions import RecoveredLatelyError, lift, raise_alarm
from accounts.mfa.models import Enrolment, Passkey, RecoveryCode, TotpDevice
from accounts.recovery import emails
from accounts.recovery.actions import asking, errors, finishing
from accounts.recovery.models import RecoveryCase
from accounts.recovery.tasks import sweep
from accounts.sessions.models import AccountSession
from kellexa_portal.audit import Stream
from kellexa_portal.celery import app
from kellexa_portal.core.actor import Actor
from kellexa_portal.mail.models import OutboxMail
from tests.accounts.identity.mailbox import kinds_to, path_to, texts_to
from tests.accounts.recovery.steps import (
    DONE,
    PAGE,
    SECOND,
    WAIT,
    Staff,
    approved_twice,
    link_in,
    moved_lately,
    now_of,
    started,
    swept,
)
from tests.factories import accounts, credentials, organizations
from tests.factories.audit_support import recorded
from tests.factories.sign_in import NEW_PASSWORD, PASSWORD, oathtool, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

State = RecoveryCase.State
SHOWN_KEY = re.compile(r'id="manual-key"[^>]*>([A-Z2-7 ]+)<')
SHOWN_CODE = re.compile(r"<li><code>([0-9A-Z-]{29})</code></li>")
LOGIN = "/accounts/login/"


@pytest.fixture
def way_back(waiting: RecoveryCase, ada: User, clock: time_machine.Traveller) -> str:
    """The path of the link, mailed just now."""
    clock.shift(WAIT)
    assert swept() == 1
    return link_in(ada.email, "recovery.way_back")


def test_a_second_before_the_wait_is_over_nothing_is_mailed(
    waiting: RecoveryCase, ada: User, clock: time_machine.Traveller
) -> None:
    clock.shift(WAIT - SECOND)
    assert swept() == 0
    assert now_of(waiting).state == State.WAITING

    clock.shift(SECOND)

    assert swept() == 1
    assert now_of(waiting).state == State.READY
    assert kinds_to(ada.email)[-2:] == ["recovery.ready", "recovery.way_back"]


def test_sweeping_again_mails_nothing_again(way_back: str, ada: User) -> None:
    before = OutboxMail.objects.count()

    assert swept() == 0
    assert OutboxMail.objects.count() == before


def test_the_beat_sweeps_every_minute(
    waiting: RecoveryCase, ada: User, clock: time_machine.Traveller
) -> None:
    entry = app.conf.beat_schedule["recovery.sweep"]
    clock.shift(WAIT)

    sweep()

    assert (entry["task"], entry["schedule"]) == (sweep.name, 60.0)
    assert now_of(waiting).state == State.READY


def test_a_sweep_that_is_killed_is_done_again_whole(
    waiting: RecoveryCase, ada: User, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(**_arguments: object) -> None:
        raise KeyboardInterrupt

    clock.shift(WAIT)
    with monkeypatch.context() as patch:
        patch.setattr(emails, "way_back", killed)
        with pytest.raises(KeyboardInterrupt):
            swept()
    assert now_of(waiting).state == State.WAITING
    assert "recovery.ready" not in kinds_to(ada.email)

    assert swept() == 1
    assert kinds_to(ada.email).count("recovery.ready") == 1
    assert kinds_to(ada.email).count("recovery.way_back") == 1


def test_only_the_address_of_the_account_gets_the_link(
    ada: User, team: Staff, clock: time_machine.Traveller
) -> None:
    former = moved_lately(ada)
    approved_twice(team, started(team, ada))
    clock.shift(WAIT)

    swept()

    assert "recovery.ready" in kinds_to(former)
    recipients = set(
        OutboxMail.objects.filter(kind__in=["recovery.way_back", "recovery.new_password"]).values_list(
            "recipient", flat=True
        )
    )
    assert recipients == {ada.email}
    assert not any("/accounts/recovery/finish/" in text for text in texts_to(former))


def test_looking_at_the_link_changes_nothing(way_back: str, waiting: RecoveryCase, ada: User) -> None:
    assert Client().get(way_back).status_code == 200
    assert Client().head(way_back).status_code == 200

    assert now_of(waiting).state == State.READY
    assert TotpDevice.objects.filter(user=ada).exists()


def test_the_link_takes_everything_away_and_signs_nobody_in(
    way_back: str, waiting: RecoveryCase, ada: User
) -> None:
    session = sign_in(Client(), ada)
    browser = Client()

    answer = browser.post(way_back)

    account = User.objects.get(pk=ada.pk)
    session.refresh_from_db()
    assert (answer.status_code, answer["Location"]) == (303, DONE)
    assert now_of(waiting).state == State.USED
    for model in (TotpDevice, Passkey, RecoveryCode, Enrolment):
        assert not model.objects.filter(user=ada).exists()
    assert not account.has_usable_password()
    assert account.security_epoch == ada.security_epoch + 1
    assert account.quarantined_until == timezone.now() + timedelta(hours=24)
    assert session.ended_at is not None
    assert browser.get("/accounts/").status_code == 302
    assert kinds_to(ada.email)[-2:] == ["recovery.recovered", "recovery.new_password"]
    assert recorded(Stream.user(ada.public_id)).count("account.recovery.complete") == 1


def test_the_link_works_once(way_back: str, ada: User) -> None:
    Client().post(way_back)
    epoch = User.objects.get(pk=ada.pk).security_epoch

    assert Client().post(way_back).status_code == 404
    assert Client().get(way_back).status_code == 404
    assert User.objects.get(pk=ada.pk).security_epoch == epoch


@pytest.mark.parametrize(("age", "status"), [(WAIT - SECOND, 303), (WAIT, 404)])
def test_the_link_works_for_three_days(
    way_back: str, ada: User, clock: time_machine.Traveller, age: timedelta, status: int
) -> None:
    """Without any sweep, as the clock says."""
    clock.shift(age)

    assert Client().post(way_back).status_code == status
    assert TotpDevice.objects.filter(user=ada).exists() is (status == 404)


def test_a_link_that_was_not_used_is_swept_away_and_told(
    way_back: str, waiting: RecoveryCase, ada: User, clock: time_machine.Traveller
) -> None:
    clock.shift(WAIT)

    assert swept() == 1

    assert (now_of(waiting).state, now_of(waiting).cause) == (State.EXPIRED, "time")
    assert kinds_to(ada.email)[-1] == "recovery.stopped"
    assert recorded(Stream.user(ada.public_id)).count("account.recovery.expire") == 1


def test_a_clock_that_is_set_back_makes_the_link_wait_again(
    way_back: str, ada: User, clock: time_machine.Traveller
) -> None:
    clock.shift(-SECOND)

    assert Client().post(way_back).status_code == 404
    clock.shift(SECOND)

    assert Client().post(way_back).status_code == 303


def test_another_cases_or_a_made_up_link_opens_nothing(
    way_back: str, waiting: RecoveryCase, ada: User
) -> None:
    cancel = link_in(ada.email, "recovery.ready").rstrip("/").rpartition("/")[2]

    assert Client().post(f"{PAGE}finish/{cancel}/").status_code == 404
    assert Client().post(f"{PAGE}finish/{'x' * 43}/").status_code == 404
    finish = way_back.rstrip("/").rpartition("/")[2]
    assert Client().post(f"{PAGE}cancel/{finish}/").status_code == 404
    assert now_of(waiting).state == State.READY


def test_a_cancelled_recovery_has_no_link(way_back: str, waiting: RecoveryCase, ada: User) -> None:
    Client().post(link_in(ada.email, "recovery.ready"))

    assert Client().post(way_back).status_code == 404
    assert TotpDevice.objects.filter(user=ada).exists()


@pytest.mark.parametrize("who", ["starter", "first", "second"])
@pytest.mark.parametrize("is_ready", [False, True])
def test_whoever_is_dismissed_meanwhile_takes_the_recovery_along(
    waiting: RecoveryCase, team: Staff, ada: User, clock: time_machine.Traveller, who: str, is_ready: bool
) -> None:
    boss = Actor.of(accounts.staff())
    clock.shift(WAIT)
    if is_ready:
        swept()
        path = link_in(ada.email, "recovery.way_back")
        people.deactivate(actor=boss, user=getattr(team, who))
        assert Client().get(path).status_code == 404
        assert Client().post(path).status_code == 404
    else:
        people.deactivate(actor=boss, user=getattr(team, who))
        swept()

    assert (now_of(waiting).state, now_of(waiting).cause) == (State.CANCELLED, "standing")
    assert TotpDevice.objects.filter(user=ada).exists()


@pytest.mark.parametrize("is_ready", [False, True])
def test_a_deactivated_account_is_not_recovered(
    waiting: RecoveryCase, ada: User, clock: time_machine.Traveller, is_ready: bool
) -> None:
    clock.shift(WAIT)
    path = ""
    if is_ready:
        swept()
        path = link_in(ada.email, "recovery.way_back")
    people.deactivate(actor=Actor.of(accounts.staff()), user=ada)

    if path:
        assert Client().post(path).status_code == 404
    else:
        swept()

    assert (now_of(waiting).state, now_of(waiting).cause) == (State.CANCELLED, "inactive")
    assert TotpDevice.objects.filter(user=ada).exists()


def test_nothing_ends_before_its_time_whatever_the_database_is_told(waiting: RecoveryCase) -> None:
    """The last line of defence: no wait is shorter, and no link stands before its end."""
    for change in (
        {"waits_until": waiting.started_at},
        {"state": State.READY, "ready_at": waiting.started_at, "link_hash": b"x" * 32},
        {"state": State.USED, "ended_at": waiting.started_at},
        {"second_approver": waiting.first_approver_id},
        {"second_approver": waiting.started_by_id},
        {"first_approver": waiting.user_id},
        {"state": State.OPEN},
        {"evidence": ""},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            RecoveryCase.objects.filter(pk=waiting.pk).update(**change)


def _come_back(ada: User) -> Client:
    """The whole way of a person: the mailed reset, the password, a new app, its recovery codes."""
    Client().post(link_in(ada.email, "recovery.new_password"), {"new_password": NEW_PASSWORD})
    return _enrol(ada)


def _enrol(ada: User) -> Client:
    """What the new password leads to, and nothing else."""
    client = Client()
    client.post(LOGIN, {"email": ada.email, "password": NEW_PASSWORD})
    assert client.get("/accounts/").status_code == 302
    found = SHOWN_KEY.search(client.get("/accounts/login/enrol/").content.decode())
    assert found
    shown = client.post("/accounts/login/enrol/", {"code": oathtool(found.group(1))}, follow=True)
    shown = shown.content.decode()
    client.post("/accounts/login/enrol/codes/", {"recovery_code": SHOWN_CODE.findall(shown)[0]})
    return client


def test_the_person_comes_back_by_mail_and_enrols_and_nothing_else(way_back: str, ada: User) -> None:
    Client().post(way_back)
    assert Client().post(LOGIN, {"email": ada.email, "password": PASSWORD}).status_code == 422

    client = _come_back(ada)

    assert client.get("/accounts/").status_code == 200
    assert AccountSession.objects.get(ended_at=None).method == "enrolment"


def test_the_quarantine_counts_from_the_return(
    way_back: str, waiting: RecoveryCase, ada: User, clock: time_machine.Traveller
) -> None:
    """A thief who waits a day before the first sign-in gains nothing."""
    organizations.founder(owner=ada)
    Client().post(way_back)
    clock.shift(timedelta(hours=30))
    Client().post("/accounts/password/reset/", {"email": ada.email})
    Client().post(path_to(ada.email), {"new_password": NEW_PASSWORD})

    client = _enrol(ada)

    returned_at, account = timezone.now(), User.objects.get(pk=ada.pk)
    assert account.quarantined_until == returned_at + timedelta(hours=24)
    clock.shift(timedelta(hours=1))
    sign_in(client, account)
    account.refresh_from_db()
    assert account.quarantined_until == returned_at + timedelta(hours=24)
    assert now_of(waiting).returned_at == returned_at


def test_keys_go_on_working(way_back: str, ada: User) -> None:
    key = credentials.personal(organizations.founder(owner=ada)).key

    Client().post(way_back)

    kept = ApiKey.objects.get(pk=key.pk)
    assert (kept.suspended_at, kept.revoked_at) == (None, None)


def test_a_locked_account_is_recovered_and_stays_locked(
    ada: User, team: Staff, clock: time_machine.Traveller
) -> None:
    """Who has locked it and lost every factor has no other way back; nothing is lifted for a day."""
    raise_alarm(actor=Actor.of(ada), user=ada)
    clock.shift(timedelta(minutes=5))
    approved_twice(team, started(team, ada))
    clock.shift(WAIT)
    swept()

    Client().post(link_in(ada.email, "recovery.way_back"))
    client = _come_back(ada)

    account = User.objects.get(pk=ada.pk)
    assert client.get("/accounts/").status_code == 200
    assert account.locked_at is not None
    with pytest.raises(RecoveredLatelyError):
        lift(actor=Actor.of(account), user=account, key_ids=[])


def test_who_did_not_want_it_locks_the_account(way_back: str, ada: User) -> None:
    Client().post(way_back)
    notice = [text for text in texts_to(ada.email) if "/accounts/lockdown/" in text][-1]

    path = notice[notice.index("/accounts/lockdown/") :].split()[0]
    Client().post(path)

    assert User.objects.get(pk=ada.pk).locked_at is not None


def test_after_a_recovery_the_next_one_starts_anew(way_back: str, ada: User, team: Staff) -> None:
    Client().post(way_back)

    case = started(team, ada)

    assert case.approvals == 0
    with pytest.raises(errors.LinkDeadError):
        finishing.finish(token=way_back.rstrip("/").rpartition("/")[2])
    asking.approve(actor=Actor.of(team.first), case=case)
