"""Writes what happened, at any time and from anywhere, and reads what was found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import time_machine
from django.db import transaction
from django.test import Client

from accounts.anomalies import actions
from accounts.anomalies.models import Anomaly
from accounts.credentials.events import KeyEvent
from accounts.identity.events import IdentityEvent
from accounts.identity.models import User
from accounts.mfa.events import MfaEvent
from accounts.sessions.models import AccountSession
from kellexa_portal.audit import Outcome, Stream, Target, record
from kellexa_portal.audit.catalogue import AuditEvent
from kellexa_portal.core import context
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.context import RequestContext
from kellexa_portal.core.ids import uuid7
from kellexa_portal.mail.models import OutboxMail
from tests.factories.sign_in import sign_in

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
BIT = timedelta(milliseconds=1)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

HOME_IP = "198.51.100.7"
AWAY_IP = "203.0.113.9"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Safari/605.1.15"
)


@contextmanager
def request(
    *, at: datetime = NOON, ip: str = HOME_IP, agent: str = FIREFOX, session: str = ""
) -> Iterator[None]:
    """The block happens at ``at``, in a request of this client."""
    facts = RequestContext(ip=ip, user_agent=agent, session_id=session)
    with time_machine.travel(at, tick=False), context.bound(facts), transaction.atomic():
        yield


def _anonymously(
    event: AuditEvent, user: User | None, *, at: datetime, ip: str = AWAY_IP, session: str = ""
) -> None:
    with request(at=at, ip=ip, session=session):
        stream = Stream.user(user.public_id) if user else Stream.system()
        target = Target("user", str(user.public_id)) if user else None
        record(event, actor=Actor.anonymous(), stream=stream, target=target, outcome=Outcome.FAILURE)


def wrong_password(user: User | None, *, at: datetime = NOON, ip: str = AWAY_IP) -> None:
    _anonymously(IdentityEvent.LOGIN_FAILED, user, at=at, ip=ip)


def wrong_code(user: User, *, at: datetime = NOON, session: str = "") -> None:
    _anonymously(MfaEvent.CODE_REFUSED, user, at=at, session=session)


def wrong_recovery_code(user: User, *, at: datetime = NOON) -> None:
    _anonymously(MfaEvent.RECOVERY_REFUSED, user, at=at)


def replaced_factor(user: User, *, at: datetime) -> None:
    with request(at=at):
        record(MfaEvent.REPLACED, actor=Actor.of(user), stream=Stream.user(user.public_id))


def changed_email(user: User, *, at: datetime) -> None:
    with request(at=at):
        record(IdentityEvent.EMAIL_CHANGED, actor=Actor.of(user), stream=Stream.user(user.public_id))


def made_key(user: User, *, at: datetime) -> None:
    with request(at=at):
        record(KeyEvent.CREATED, actor=Actor.of(user), stream=Stream.organization(uuid7()))


def signed_in(
    user: User, *, at: datetime = NOON, ip: str = HOME_IP, agent: str = FIREFOX, client: Client | None = None
) -> AccountSession:
    """A whole sign-in of ``user``, through the one door."""
    with request(at=at, ip=ip, agent=agent):
        return sign_in(client or Client(), user)


def swept(*, at: datetime = NOON, page: int = 500) -> actions.Sweep:
    return actions.sweep(actor=actions.PORTAL, now=at, page=page)


def found(rule: str) -> list[Anomaly]:
    return list(Anomaly.objects.filter(rule=rule).order_by("pk"))


def mails(rule: str) -> list[OutboxMail]:
    return list(OutboxMail.objects.filter(kind=f"anomalies.{rule}").order_by("pk"))
