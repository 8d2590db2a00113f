"""What people do in a recovery, step by step."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from django.test import Client
from django.utils import timezone

from accounts.identity.models import EmailChange, User
from accounts.recovery.actions import asking, sweeping
from accounts.recovery.models import RecoveryCase
from kellexa_portal.core.actor import Actor
from kellexa_portal.mail import body
from kellexa_portal.mail.models import OutboxMail
from tests.factories.sign_in import may, sign_in

NOON = "2026-11-23T12:00:07Z"
WAIT = timedelta(hours=72)
SECOND = timedelta(seconds=1)
LIST = "/admin/recovery/recoverycase/"
START = f"{LIST}start/"
PAGE = "/accounts/recovery/"
DONE = f"{PAGE}done/"
EVIDENCE = "Called back at the number in the contract; knew the last two invoices and the founding date."
PORTAL = Actor.system("recovery")
LINK = re.compile(r"https?://\S+/accounts/(?:recovery/(?:cancel|finish)|password/reset)/[\w-]{43}/")


@dataclass(frozen=True, slots=True)
class Staff:
    """One who asks, two who approve."""

    starter: User
    first: User
    second: User


def started(team: Staff, user: User) -> RecoveryCase:
    return asking.start(actor=Actor.of(team.starter), user=user, evidence=EVIDENCE)


def approved_twice(team: Staff, case: RecoveryCase) -> RecoveryCase:
    for approver in (team.first, team.second):
        asking.approve(actor=Actor.of(approver), case=case)
    return now_of(case)


def swept() -> int:
    return sweeping.sweep(actor=PORTAL)


def now_of(case: RecoveryCase) -> RecoveryCase:
    """The case as it is written now."""
    return RecoveryCase.objects.get(pk=case.pk)


def link_in(address: str, kind: str) -> str:
    """The path of the one link in the newest mail of ``kind`` to ``address``."""
    mail = OutboxMail.objects.filter(recipient=address, kind=kind).order_by("pk").last()
    assert mail is not None, (address, kind)
    found = {*LINK.findall(body.of(mail).text), *LINK.findall(body.of(mail).html)}
    assert len(found) == 1, found
    return urlsplit(found.pop()).path


def at_work(person: User) -> Client:
    """A browser of a member of the staff, with a factor shown just now."""
    client = Client()
    sign_in(client, person)
    return client


def approve_page(case: RecoveryCase) -> str:
    return f"{LIST}{case.public_id}/approve/"


def refuse_page(case: RecoveryCase) -> str:
    return f"{LIST}{case.public_id}/refuse/"


def approving(person: User, case: RecoveryCase) -> Client:
    """The same with the permission for exactly this approval."""
    client = at_work(person)
    may(client, "recovery.approve", str(case.public_id))
    return client


def moved_lately(user: User, former: str = "ada.former@example.com") -> str:
    """Makes ``user`` somebody whose address was ``former`` until yesterday."""
    now = timezone.now()
    EmailChange.objects.create(
        user=user,
        epoch=user.security_epoch,
        old_email=former,
        new_email=user.email,
        token_hash=b"t" * 32,
        created_at=now - timedelta(days=1),
        expires_at=now,
        spent_at=now - timedelta(days=1),
        undo_hash=b"u" * 32,
        undo_until=now + timedelta(days=6),
    )
    return former
