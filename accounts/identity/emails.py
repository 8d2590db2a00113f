"""The mails of sign-up and passwords. None carries text that a stranger typed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.identity import notices
from accounts.identity.events import IdentityEvent
from accounts.identity.models import EmailChange, PasswordReset, SignUp, User
from accounts.identity.rules import (
    EMAIL_CHANGE_LIFETIME,
    EMAIL_UNDO_LIFETIME,
    RESET_LIFETIME,
    SIGN_UP_LIFETIME,
    STAFF_INVITATION_LIFETIME,
    zone_named,
)
from kellexa_portal.core.ids import uuid7
from kellexa_portal.mail import defer
from kellexa_portal.mail.facts import Facts, account, origin
from kellexa_portal.mail.rendering import render
from kellexa_portal.web.links import absolute

FOLDER = "accounts/identity/mail"
DECOY_TOKEN = "0" * 43


def confirm_address(*, sign_up: SignUp, token: str) -> None:
    """To the address of a new sign-up: the link that makes the account."""
    _send(
        "confirm_address",
        to=sign_up.email,
        subject=_("Confirm your address to create your Kellexa account"),
        dedupe_key=f"accounts.confirm_address:{sign_up.public_id}",
        about=_about_link(
            url=absolute("accounts:signup_confirm", token=token),
            email=sign_up.email,
            zone=sign_up.time_zone,
            lifetime=SIGN_UP_LIFETIME,
        ),
    )


def already_registered(*, user: User) -> None:
    """To the owner of an address that somebody tried to sign up with: they have an account."""
    _send(
        "already_registered",
        to=user.email,
        subject=_("You already have a Kellexa account"),
        dedupe_key=f"accounts.already_registered:{uuid7()}",
        person=user.public_id,
        about={
            "facts": _facts(user.email, user.time_zone),
            "login_url": absolute("accounts:login"),
            "reset_url": absolute("accounts:password_reset"),
        },
    )


def password_reset(*, reset: PasswordReset, token: str) -> None:
    """To the owner of an account: the link to choose a new password."""
    _send(
        "password_reset",
        to=reset.user.email,
        subject=_("Choose a new password for your Kellexa account"),
        dedupe_key=f"accounts.password_reset:{reset.public_id}",
        person=reset.user.public_id,
        about=_about_reset(token, email=reset.user.email, zone=reset.user.time_zone),
    )


def password_reset_decoy(*, email: str) -> None:
    """Renders the mail of ``password_reset`` and sends nothing: the time of an address without an account."""
    render(f"{FOLDER}/password_reset", subject="", context=_about_reset(DECOY_TOKEN, email=email, zone="UTC"))


def password_changed(*, user: User, was_reset: bool) -> None:
    """To the owner of an account whose password was just replaced, by themselves or by somebody else."""
    notices.send(
        IdentityEvent.RESET_COMPLETED if was_reset else IdentityEvent.PASSWORD_CHANGED,
        kind="accounts.password_changed",
        user=user,
        subject=_("Your Kellexa password was changed"),
        template=f"{FOLDER}/password_changed",
        context={"facts": _facts(user.email, user.time_zone), "was_reset": was_reset},
        dedupe_key=f"accounts.password_changed:{uuid7()}",
    )


def confirm_new_address(*, change: EmailChange, token: str) -> None:
    """To the address that an account shall have: the link that its person uses while signed in."""
    _send(
        "confirm_new_address",
        to=change.new_email,
        subject=_("Confirm the new address of your Kellexa account"),
        dedupe_key=f"accounts.confirm_new_address:{change.public_id}",
        person=change.user.public_id,
        about=_about_link(
            url=absolute("accounts:email_confirm", token=token),
            email=change.new_email,
            zone=change.user.time_zone,
            lifetime=EMAIL_CHANGE_LIFETIME,
        ),
    )


def address_taken(*, change: EmailChange) -> None:
    """To an address that has an account, when the person of another one wanted it."""
    _send(
        "address_taken",
        to=change.new_email,
        subject=_("Somebody wanted to use your address at Kellexa"),
        dedupe_key=f"accounts.address_taken:{change.public_id}",
        about={"facts": _facts(change.new_email, "UTC")},
    )


def email_change_requested(*, change: EmailChange) -> None:
    """To the present address: another one was asked for, and nothing has changed yet."""
    notices.send(
        IdentityEvent.EMAIL_CHANGE_REQUESTED,
        kind="accounts.email_change_requested",
        user=change.user,
        subject=_("Another address was asked for your Kellexa account"),
        template=f"{FOLDER}/email_change_requested",
        context={"facts": _facts(change.old_email, change.user.time_zone)},
        dedupe_key=f"accounts.email_change_requested:{change.public_id}",
    )


def email_changed(*, user: User, change: EmailChange, undo_token: str) -> None:
    """To the new address and to the former one; each can object, the former can bring itself back."""
    facts = _facts(user.email, user.time_zone)
    notices.send(
        IdentityEvent.EMAIL_CHANGED,
        kind="accounts.email_changed",
        user=user,
        subject=_("The address of your Kellexa account was changed"),
        template=f"{FOLDER}/email_changed",
        context={"facts": facts},
        dedupe_key=f"accounts.email_changed:{change.public_id}",
    )
    _send(
        "email_moved_away",
        to=change.old_email,
        subject=_("Your address no longer belongs to your Kellexa account"),
        dedupe_key=f"accounts.email_moved_away:{change.public_id}",
        person=user.public_id,
        about={
            "facts": [*account(change.old_email, zone_named(user.time_zone)), *origin()],
            "url": absolute("accounts:email_undo", token=undo_token),
            "days": EMAIL_UNDO_LIFETIME.days,
        },
    )


def email_restored(*, user: User, change: EmailChange, displaced: str) -> None:
    """To the address that is back, and to the one that had taken its place."""
    notices.send(
        IdentityEvent.EMAIL_RESTORED,
        kind="accounts.email_restored",
        user=user,
        subject=_("The former address of your Kellexa account is back"),
        template=f"{FOLDER}/email_restored",
        context={"facts": _facts(user.email, user.time_zone)},
        dedupe_key=f"accounts.email_restored:{change.public_id}",
        also_to=displaced,
    )


def staff_invitation(*, reset: PasswordReset, token: str) -> None:
    """To a new member of the staff: the link to choose the first password."""
    _send(
        "staff_invitation",
        to=reset.user.email,
        subject=_("Your Kellexa staff account"),
        dedupe_key=f"accounts.staff_invitation:{reset.public_id}",
        person=reset.user.public_id,
        about=_about_link(
            url=absolute("accounts:password_reset_confirm", token=token),
            email=reset.user.email,
            zone=reset.user.time_zone,
            lifetime=STAFF_INVITATION_LIFETIME,
        ),
    )


def _send(
    kind: str,
    *,
    to: str,
    subject: str,
    dedupe_key: str,
    about: Mapping[str, object],
    person: UUID | None = None,
) -> None:
    defer(
        f"accounts.{kind}",
        to=to,
        subject=subject,
        template=f"{FOLDER}/{kind}",
        context=dict(about),
        dedupe_key=dedupe_key,
        person=person,
    )


def _about_reset(token: str, *, email: str, zone: str) -> dict[str, object]:
    url = absolute("accounts:password_reset_confirm", token=token)
    return _about_link(url=url, email=email, zone=zone, lifetime=RESET_LIFETIME)


def _about_link(*, url: str, email: str, zone: str, lifetime: timedelta) -> dict[str, object]:
    return {"url": url, "facts": _facts(email, zone), "hours": lifetime // timedelta(hours=1)}


def _facts(email: str, zone: str) -> Facts:
    """Which account, when, and from where: what a person needs to tell their own act from another's."""
    return [*account(email, zone_named(zone)), *origin()]
