"""From the wish for an account to the account. Nothing here tells a stranger which addresses have one."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.identity import emails, limits, passwords, queries, rules, signals, tokens
from accounts.identity.events import IdentityEvent
from accounts.identity.models import SignUp, User
from kellexa_portal.audit import Outcome, Stream, Target, record, record_independently
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError, Fault
from kellexa_portal.ratelimit import raise_if_spent, spend


class SignUpLinkDeadError(DomainError):
    """The link was used, has expired, never existed, or another sign-up for the address came first."""

    code = "accounts.signup.link_dead"
    fault = Fault.NOT_FOUND
    message = _("This link no longer works.")


class SignUpPasswordWrongError(DomainError):
    """Another browser, and not the password that was chosen at the sign-up."""

    code = "accounts.signup.password_wrong"
    fault = Fault.INVALID
    message = _("This isn’t the password chosen when this account was asked for.")


def request_account(
    *,
    actor: Actor,
    email: str,
    name: str,
    organization_name: str,
    password: str,
    time_zone: str,
    browser: str,
) -> None:
    """Takes down the wish and mails the address: a link, or that there is an account already.

    The answer, and nearly the time, is the same either way; one hash is computed in both. No account exists
    before the link is confirmed. ``browser`` is the random secret of the browser that chose the password.
    Raises ``TooManyAttempts`` for a network that asks too often; an address that is asked for too often gets
    no further mail, and the asker is not told (a stranger must not fill a mailbox).
    """
    raise_if_spent(limits.SIGN_UP_BY_NETWORK, limits.network())
    hashed = passwords.make(password)
    may_mail = _may_mail(email)
    with transaction.atomic():
        known = queries.account_of(email)
        stream = Stream.user(known.public_id) if known else Stream.system()
        record(IdentityEvent.SIGN_UP_STARTED, actor=actor, stream=stream)
        if known is not None:
            if may_mail:
                emails.already_registered(user=known)
            return
        if may_mail:
            token = tokens.new()
            sign_up = SignUp.objects.create(
                email=email,
                name=name,
                organization_name=organization_name,
                time_zone=rules.known_time_zone(time_zone),
                password=hashed,
                token_hash=tokens.digest(token),
                browser_hash=tokens.digest(browser),
                expires_at=timezone.now() + rules.SIGN_UP_LIFETIME,
            )
            emails.confirm_address(sign_up=sign_up, token=token)


def _may_mail(email: str) -> bool:
    subject = limits.address(email)
    hourly = spend(limits.SIGN_UP_MAIL_HOURLY, subject)
    return hourly.allowed and spend(limits.SIGN_UP_MAIL_DAILY, subject).allowed


def needs_password(sign_up: SignUp, *, browser: str) -> bool:
    """Whether confirming asks for the password: in every browser but the one that chose it.

    Attack (pre-hijacking): a stranger signs up with my address and a password of theirs; I, who did want an
    account, click the link, and the stranger's password opens what I build.
    """
    return not browser or bytes(sign_up.browser_hash) != tokens.digest(browser)


def confirm_sign_up(*, actor: Actor, token: str, browser: str, password: str) -> User:
    """Turns the sign-up behind ``token`` into an account and announces it, in one transaction.

    Of several sign-ups for one address the first confirmed wins and the others die with it, however many
    are confirmed at once. Raises ``SignUpLinkDeadError``, ``SignUpPasswordWrongError`` and, after five wrong
    passwords, ``TooManyAttempts``.
    """
    sign_up = queries.live_sign_up(token)
    if sign_up is None:
        note_dead_link(actor=actor)
        raise SignUpLinkDeadError
    if needs_password(sign_up, browser=browser):
        _prove_password(actor=actor, sign_up=sign_up, password=password)
    with transaction.atomic():
        _spend(sign_up)
        user = _create_user(sign_up)
        record(
            IdentityEvent.SIGN_UP_COMPLETED,
            actor=Actor.of(user),
            stream=Stream.user(user.public_id),
            target=Target("user", str(user.public_id)),
        )
        signals.signed_up.send(sender=User, user=user, organization_name=sign_up.organization_name)
    return user


def _prove_password(*, actor: Actor, sign_up: SignUp, password: str) -> None:
    raise_if_spent(limits.CONFIRM_BY_SIGN_UP, str(sign_up.public_id))
    if passwords.matches(password, sign_up.password):
        return
    record_independently(
        IdentityEvent.SIGN_UP_REFUSED,
        actor=actor,
        stream=Stream.system(),
        target=Target("sign_up", str(sign_up.public_id)),
        outcome=Outcome.FAILURE,
        reason=SignUpPasswordWrongError.code,
    )
    raise SignUpPasswordWrongError


def note_dead_link(*, actor: Actor) -> None:
    """Puts on record that a link which no longer works was opened.

    Once a period and network: links can be made up by the thousand, and must not fill the evidence.
    """
    if spend(limits.DENIAL_ON_RECORD, f"signup:{limits.network()}").allowed:
        record_independently(
            IdentityEvent.SIGN_UP_REFUSED,
            actor=actor,
            stream=Stream.system(),
            outcome=Outcome.DENIED,
            reason=SignUpLinkDeadError.code,
        )


def _spend(sign_up: SignUp) -> None:
    """Uses up every live sign-up for the address, locked in one order so that rivals wait, not deadlock.

    Their hashes go too: a password that opens nothing needs no keeping.
    """
    now = timezone.now()
    rivals = (
        SignUp.objects.live(now)
        .annotate(email_lower=Lower("email"))
        .filter(email_lower=rules.canonical_email(sign_up.email))
    )
    locked = list(rivals.order_by("pk").select_for_update().values_list("pk", flat=True))
    if sign_up.pk not in locked:
        raise SignUpLinkDeadError
    SignUp.objects.filter(pk__in=locked).update(spent_at=now, password="")


def _create_user(sign_up: SignUp) -> User:
    now = timezone.now()
    try:
        with transaction.atomic():
            return User.objects.create(
                email=sign_up.email,
                name=sign_up.name,
                time_zone=sign_up.time_zone,
                password=sign_up.password,
                email_confirmed_at=now,
                password_changed_at=now,
            )
    except IntegrityError as error:
        raise SignUpLinkDeadError from error
