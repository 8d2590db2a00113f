"""The account of a person who came by an invitation: the mailed link has proved the address."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.identity import rules
from accounts.identity.events import IdentityEvent
from accounts.identity.models import SignUp, User
from kellexa_portal.audit import Stream, Target, record
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError, Fault


class AddressTakenError(DomainError):
    """The address has an account, perhaps since a moment ago."""

    code = "accounts.address_taken"
    fault = Fault.CONFLICT
    message = _("This address has an account. Sign in with it.")


def create_invited(*, email: str, name: str, hashed_password: str, time_zone: str) -> User:
    """A confirmed account, in the caller's transaction; unlike a sign-up it announces no organization.

    The caller vouches that a link mailed to ``email`` was used. Sign-ups that wait for the address die with
    their passwords, as when one of them is confirmed. Raises ``AddressTakenError``.
    """
    now = timezone.now()
    try:
        with transaction.atomic():
            user = User.objects.create(
                email=email,
                name=name,
                time_zone=rules.known_time_zone(time_zone),
                password=hashed_password,
                email_confirmed_at=now,
                password_changed_at=now,
            )
    except IntegrityError as error:
        raise AddressTakenError from error
    rivals = SignUp.objects.live(now).annotate(email_lower=Lower("email"))
    waiting = rivals.filter(email_lower=rules.canonical_email(email)).order_by("pk").select_for_update()
    SignUp.objects.filter(pk__in=list(waiting.values_list("pk", flat=True))).update(spent_at=now, password="")
    record(
        IdentityEvent.SIGN_UP_COMPLETED,
        actor=Actor.of(user),
        stream=Stream.user(user.public_id),
        target=Target("user", str(user.public_id)),
        reason="invited",
    )
    return user
