"""A signed-in person who shows again that it is them, and what that opens."""

from __future__ import annotations

import django_otp
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django_otp.models import Device

from accounts.sessions import rules
from accounts.sessions.actions.errors import SignInLapsedError, UnprovenDeviceError
from accounts.sessions.actions.evidence import target_of
from accounts.sessions.actions.use import follow
from accounts.sessions.events import SessionEvent
from accounts.sessions.models import AccountSession, StepUpGrant
from accounts.sessions.queries import open_grants, session_of
from kellexa_portal.audit import Stream, record
from kellexa_portal.core.actor import Actor
from kellexa_portal.web.stepup import Demand, Level


def reverify(request: HttpRequest, *, device: Device, factor: str) -> AccountSession:
    """Binds the session to ``device``, proved just now, under a new key (attack case 31, ASVS 7.2.4).

    ``factor`` is the kind of the device, as ``rules.FACTOR_OF_METHOD`` names it. Raises
    ``SignInLapsedError`` for a session that ended meanwhile, ``UnprovenDeviceError`` for another's device.
    """
    session = session_of(request)
    if device.user_id != session.user_id or not device.confirmed:
        raise UnprovenDeviceError
    now = timezone.now()
    updated = AccountSession.objects.unended().filter(pk=session.pk, epoch=F("user__security_epoch"))
    if not updated.update(proof_at=now, factor_at=now, factor=factor):
        raise SignInLapsedError
    session.proof_at, session.factor_at, session.factor = now, now, factor
    request.session.cycle_key()
    django_otp.login(request, device)
    follow(request)
    return session


def step_up(request: HttpRequest, *, demand: Demand, device: Device, factor: str) -> None:
    """Notes that ``device`` was shown just now for ``demand``; earns the one permission that it asks for."""
    with transaction.atomic():
        session = reverify(request, device=device, factor=factor)
        if demand.level is Level.ONCE:
            StepUpGrant.objects.create(
                session=session,
                action=demand.action,
                obj=demand.obj,
                factor=factor,
                expires_at=timezone.now() + rules.GRANT_LIFETIME,
            )
        record(
            SessionEvent.STEPPED_UP,
            actor=Actor.of(session.user),
            stream=Stream.user(session.user.public_id),
            target=target_of(session),
            changes={
                "level": demand.level.name.lower(),
                "factor": factor,
                "action": demand.action,
                "object": demand.obj,
            },
        )


def require_fresh_proof(*, session: AccountSession) -> None:
    """Forgets what the session has shown so far: whatever asks for a proof asks for a new one.

    For the portal's own doubts about a sign-in. The session stays: what is open to anybody signed in is.
    """
    with transaction.atomic():
        StepUpGrant.objects.filter(session=session, spent_at=None).delete()
        AccountSession.objects.filter(pk=session.pk).update(proof_at=rules.NEVER, factor="", factor_at=None)
    session.proof_at, session.factor, session.factor_at = rules.NEVER, "", None


def spend_grant(*, session: AccountSession, demand: Demand) -> bool:
    """Uses up the permission for ``demand``; true for one of any number of parallel requests."""
    wanted = open_grants(session, action=demand.action, obj=demand.obj)
    grant = wanted.order_by("pk").first()
    return grant is not None and bool(wanted.filter(pk=grant.pk).update(spent_at=timezone.now()))
