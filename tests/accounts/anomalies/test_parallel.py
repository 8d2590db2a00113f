"""Sweeps at the same moment, killed sweeps, and transactions that commit late; on real connections."""

from __future__ import annotations

import time
from threading import Event, Thread

import pytest
from django.db import connections, transaction

from accounts.anomalies.actions import findings, sweeping
from accounts.anomalies.models import Anomaly, Progress
from accounts.identity.models import User
from accounts.mfa.events import MfaEvent
from kellexa_portal.audit import Outcome, Stream, record
from kellexa_portal.audit.queries import events_of
from kellexa_portal.core import context
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.context import RequestContext
from kellexa_portal.mail.models import OutboxMail
from tests.factories.sign_in import new_person
from tests.support.parallel import at_once

pytestmark = pytest.mark.django_db(transaction=True)

PORTAL = findings.PORTAL


def wrong_code(user: User) -> None:
    with context.bound(RequestContext()), transaction.atomic():
        stream = Stream.user(user.public_id)
        record(MfaEvent.CODE_REFUSED, actor=Actor.anonymous(), stream=stream, outcome=Outcome.FAILURE)


def alarms(user: User) -> int:
    return events_of(Stream.user(user.public_id)).filter(name="anomaly.mfa_guess").count()


def test_of_sweeps_at_once_one_finds() -> None:
    ada = new_person()
    for _number in range(3):
        wrong_code(ada)

    done = at_once(6, lambda _: sweeping.sweep(actor=PORTAL).found)

    assert sum(done) == 1
    assert (Anomaly.objects.count(), alarms(ada)) == (1, 1)


def test_the_unique_row_holds_where_the_lock_would_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if two workers got past the cursor's lock with the same page."""
    ada = new_person()
    for _number in range(3):
        wrong_code(ada)
    monkeypatch.setattr(sweeping.queries, "was_told", lambda *args, **kwargs: False)
    events = list(events_of(Stream.user(ada.public_id)).filter(name="auth.mfa.fail"))

    def judge(_: int) -> int:
        with transaction.atomic():
            return sweeping._judge(events)

    assert sum(at_once(4, judge)) == 1
    assert (Anomaly.objects.count(), alarms(ada)) == (1, 1)


def test_a_sweep_that_dies_leaves_nothing_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ada = new_person()
    for _number in range(3):
        wrong_code(ada)

    def die(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sweeping, "_advance", die)
        with pytest.raises(KeyboardInterrupt):
            sweeping.sweep(actor=PORTAL)
    assert (Anomaly.objects.count(), alarms(ada), OutboxMail.objects.count()) == (0, 0, 0)

    assert sweeping.sweep(actor=PORTAL).found == 1


def test_what_commits_late_is_read_although_later_rows_were_read_before() -> None:
    ada, bob = new_person(), new_person("bob@example.com")
    sweeping.sweep(actor=PORTAL)
    written, may_commit, seen = Event(), Event(), 0

    def slowly() -> None:
        try:
            with transaction.atomic():
                for _number in range(3):
                    wrong_code(ada)
                written.set()
                may_commit.wait(timeout=30)
        finally:
            connections.close_all()

    late = Thread(target=slowly)
    late.start()
    try:
        assert written.wait(timeout=30)
        for _number in range(3):
            wrong_code(bob)
        seen = sweeping.sweep(actor=PORTAL).found
    finally:
        may_commit.set()
        late.join(timeout=30)

    assert seen == 1
    assert sweeping.sweep(actor=PORTAL).found == 1
    assert (alarms(ada), alarms(bob)) == (1, 1)


def test_what_was_read_is_not_read_for_ever() -> None:
    """Other databases of the same cluster may hold the horizon back for a moment."""
    ada = new_person()
    wrong_code(ada)
    assert sweeping.sweep(actor=PORTAL).read == 1

    end = time.monotonic() + 30
    while sweeping.sweep(actor=PORTAL).read and time.monotonic() < end:
        time.sleep(0.2)

    assert sweeping.sweep(actor=PORTAL).read == 0
    assert Progress.objects.count() == 1
