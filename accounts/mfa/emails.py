"""Notices about second factors, one purpose each. None holds a code, a seed or a link that signs in."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.identity.models import User
from accounts.identity.rules import zone_named
from accounts.mfa import rules
from accounts.sessions import devices
from kellexa_portal.core import context
from kellexa_portal.mail import defer
from kellexa_portal.web.links import absolute

Facts = list[tuple[str, str]]


def factor_enrolled(*, user: User, event_id: str) -> None:
    """An authenticator app was added."""
    _notify(
        user,
        kind="mfa.enrolled",
        subject=_("An authenticator app was added to your account"),
        template="factor_enrolled",
        dedupe_key=f"mfa.enrolled:{event_id}",
    )


def factor_replaced(*, user: User, event_id: str) -> None:
    """The authenticator app was replaced by another."""
    _notify(
        user,
        kind="mfa.replaced",
        subject=_("Your authenticator app was replaced"),
        template="factor_replaced",
        dedupe_key=f"mfa.replaced:{event_id}",
    )


def recovery_codes_renewed(*, user: User, event_id: str) -> None:
    """New recovery codes were made, the old ones stopped working."""
    _notify(
        user,
        kind="mfa.recovery_renewed",
        subject=_("New recovery codes were made for your account"),
        template="recovery_codes_renewed",
        dedupe_key=f"mfa.recovery_renewed:{event_id}",
    )


def recovery_code_used(*, user: User, left: int, event_id: str) -> None:
    """A recovery code was used; says how many are left and warns when few are."""
    left_text = ngettext("%(count)d recovery code", "%(count)d recovery codes", left) % {"count": left}
    _notify(
        user,
        kind="mfa.recovery_used",
        subject=_("A recovery code was used to sign in to your account"),
        template="recovery_code_used",
        dedupe_key=f"mfa.recovery_used:{event_id}",
        more=[(_("Still working"), left_text)],
        is_few=left <= rules.RECOVERY_CODES_FEW,
    )


def wrong_codes(*, user: User, event_id: str) -> None:
    """Somebody typed the right password and then several wrong codes."""
    _notify(
        user,
        kind="mfa.wrong_codes",
        subject=_("Wrong codes after your right password"),
        template="wrong_codes",
        dedupe_key=f"mfa.wrong_codes:{event_id}",
    )


def _notify(
    user: User,
    *,
    kind: str,
    subject: str,
    template: str,
    dedupe_key: str,
    more: Facts | None = None,
    **values: Any,
) -> None:
    defer(
        kind,
        to=user.email,
        subject=subject,
        template=f"accounts/mfa/mail/{template}",
        context={
            "facts": [*_facts(user), *(more or [])],
            "factors_url": absolute("mfa:overview"),
            "reset_url": absolute("accounts:password_reset"),
            **values,
        },
        dedupe_key=dedupe_key,
        person=user.public_id,
    )


def _facts(user: User) -> Facts:
    """Who, when, from where and with what: enough to recognise oneself by."""
    request = context.current()
    now = timezone.localtime(timezone.now(), zone_named(user.time_zone))
    return [
        (_("Account"), user.email),
        (_("When"), date_format(now, "j F Y, H:i T")),
        (_("Address"), request.ip or _("unknown")),
        (_("Device"), devices.label_of(request.user_agent) or _("unknown")),
    ]
