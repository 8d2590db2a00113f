"""The mails of sign-up and passwords. None carries text that a stranger typed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.identity.models import PasswordReset, SignUp, User
from accounts.identity.rules import RESET_LIFETIME, SIGN_UP_LIFETIME, STAFF_INVITATION_LIFETIME, zone_named
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
    _send(
        "password_changed",
        to=user.email,
        subject=_("Your Kellexa password was changed"),
        dedupe_key=f"accounts.password_changed:{uuid7()}",
        person=user.public_id,
        about={
            "facts": _facts(user.email, user.time_zone),
            "was_reset": was_reset,
            "reset_url": absolute("accounts:password_reset"),
        },
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
