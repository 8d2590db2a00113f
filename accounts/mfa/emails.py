"""Notices about second factors, one purpose each. None holds a code, a seed or a link that signs in."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.identity.models import User
from accounts.identity.rules import zone_named
from accounts.mfa import rules
from accounts.sessions import devices
from kellexa_portal.core import context
from kellexa_portal.mail import defer
from kellexa_portal.mail.facts import Facts, account
from kellexa_portal.web.links import absolute

FOLDER = "accounts/mfa/mail"


def factor_enrolled(*, user: User, event_id: str) -> None:
    """An authenticator app was added."""
    subject = _("An authenticator app was added to your account")
    _notify(user, "enrolled", event_id, template="factor_enrolled", subject=subject)


def factor_replaced(*, user: User, event_id: str) -> None:
    """The authenticator app was replaced by another."""
    subject = _("Your authenticator app was replaced")
    _notify(user, "replaced", event_id, template="factor_replaced", subject=subject)


def recovery_codes_renewed(*, user: User, event_id: str) -> None:
    """New recovery codes were made, the old ones stopped working."""
    subject = _("New recovery codes were made for your account")
    _notify(user, "recovery_renewed", event_id, template="recovery_codes_renewed", subject=subject)


def recovery_code_used(*, user: User, left: int, event_id: str) -> None:
    """A recovery code was used; says how many are left and warns when few are."""
    subject = _("A recovery code was used to sign in to your account")
    left_text = ngettext("%(count)d recovery code", "%(count)d recovery codes", left) % {"count": left}
    _notify(
        user,
        "recovery_used",
        event_id,
        template="recovery_code_used",
        subject=subject,
        more=[(_("Still working"), left_text)],
        is_few=left <= rules.RECOVERY_CODES_FEW,
    )


def wrong_codes(*, user: User, event_id: str) -> None:
    """Somebody typed the right password and then several wrong codes."""
    subject = _("Wrong codes after your right password")
    _notify(user, "wrong_codes", event_id, template="wrong_codes", subject=subject)


def _notify(
    user: User,
    name: str,
    event_id: str,
    *,
    template: str,
    subject: str,
    more: Facts | None = None,
    **values: Any,
) -> None:
    """Once for each event: ``event_id`` tells it from others of the same name."""
    defer(
        f"mfa.{name}",
        to=user.email,
        subject=subject,
        template=f"{FOLDER}/{template}",
        context={
            "facts": [*_facts(user), *(more or [])],
            "factors_url": absolute("mfa:overview"),
            "reset_url": absolute("accounts:password_reset"),
            **values,
        },
        dedupe_key=f"mfa.{name}:{event_id}",
        person=user.public_id,
    )


def _facts(user: User) -> Facts:
    """Who, when, from where and with what: enough to recognise oneself by."""
    request = context.current()
    return [
        *account(user.email, zone_named(user.time_zone)),
        (_("Address"), request.ip or _("unknown")),
        (_("Device"), devices.label_of(request.user_agent) or _("unknown")),
    ]
