"""Notices about second factors, one purpose each. None holds a code, a seed or a link that signs in."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.identity import notices
from accounts.identity.models import User
from accounts.identity.rules import zone_named
from accounts.mfa import rules
from accounts.mfa.events import MfaEvent
from accounts.sessions import devices
from kellexa_portal.core import context
from kellexa_portal.mail.facts import Facts, account
from kellexa_portal.web.links import absolute

FOLDER = "accounts/mfa/mail"


def factor_enrolled(*, user: User, event_id: str) -> None:
    """An authenticator app was added."""
    subject = _("An authenticator app was added to your account")
    _notify(MfaEvent.ENROLLED, user, "enrolled", event_id, template="factor_enrolled", subject=subject)


def factor_replaced(*, user: User, event_id: str) -> None:
    """The authenticator app was replaced by another."""
    subject = _("Your authenticator app was replaced")
    _notify(MfaEvent.REPLACED, user, "replaced", event_id, template="factor_replaced", subject=subject)


def clock_read_anew(*, user: User, event_id: str) -> None:
    """Two codes in a row told how far the authenticator's clock is off."""
    subject = _("The clock of your authenticator app was read anew")
    _notify(MfaEvent.RESYNCED, user, "resynced", event_id, template="clock_read_anew", subject=subject)


def recovery_codes_renewed(*, user: User, event_id: str) -> None:
    """New recovery codes were made, the old ones stopped working."""
    subject = _("New recovery codes were made for your account")
    _notify(
        MfaEvent.RECOVERY_RENEWED,
        user,
        "recovery_renewed",
        event_id,
        template="recovery_codes_renewed",
        subject=subject,
    )


def recovery_code_used(*, user: User, left: int, event_id: str) -> None:
    """A recovery code was used; says how many are left and warns when few are."""
    subject = _("A recovery code was used to sign in to your account")
    left_text = ngettext("%(count)d recovery code", "%(count)d recovery codes", left) % {"count": left}
    _notify(
        MfaEvent.RECOVERY_USED,
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
    _notify(MfaEvent.CODE_REFUSED, user, "wrong_codes", event_id, template="wrong_codes", subject=subject)


def passkey_added(*, user: User, name: str, event_id: str) -> None:
    """A passkey was added; it signs in without the password."""
    subject = _("A passkey was added to your account")
    _notify(
        MfaEvent.ENROLLED,
        user,
        "passkey_added",
        event_id,
        template="passkey_added",
        subject=subject,
        more=[(_("Passkey"), name)],
    )


def passkey_copied(*, user: User, name: str, event_id: str) -> None:
    """A passkey's counter went back; says what that means and what to do."""
    subject = _("One of your passkeys may have been copied")
    _notify(
        MfaEvent.PASSKEY_COUNTER,
        user,
        "passkey_copied",
        event_id,
        template="passkey_copied",
        subject=subject,
        more=[(_("Passkey"), name)],
    )


def factor_removed(*, user: User, name: str, event_id: str) -> None:
    """A passkey called ``name`` was removed, or the authenticator app when there is no name."""
    if name:
        subject, more = _("A passkey was removed from your account"), [(_("Passkey"), name)]
    else:
        subject, more = _("Your authenticator app was removed"), []
    _notify(
        MfaEvent.REMOVED,
        user,
        "removed",
        event_id,
        template="factor_removed",
        subject=subject,
        more=more,
        is_passkey=bool(name),
    )


def _notify(
    event: MfaEvent,
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
    notices.send(
        event,
        kind=f"mfa.{name}",
        user=user,
        subject=subject,
        template=f"{FOLDER}/{template}",
        context={
            "facts": [*_facts(user), *(more or [])],
            "factors_url": absolute("mfa:overview"),
            **values,
        },
        dedupe_key=f"mfa.{name}:{event_id}",
    )


def _facts(user: User) -> Facts:
    """Who, when, from where and with what: enough to recognise oneself by."""
    request = context.current()
    return [
        *account(user.email, zone_named(user.time_zone)),
        (_("Address"), request.ip or _("unknown")),
        (_("Device"), devices.label_of(request.user_agent) or _("unknown")),
    ]
