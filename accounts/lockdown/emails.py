"""The mails about a lock-down itself: to its person, and to the staff who look into it."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.identity import notices
from accounts.identity.models import User
from accounts.identity.rules import zone_named
from accounts.lockdown.events import LockdownEvent
from accounts.lockdown.models import Lockdown
from kellexa_portal.mail import defer
from kellexa_portal.mail.facts import Facts, account, moment, origin
from kellexa_portal.web.links import absolute

FOLDER = "accounts/lockdown/mail"


def locked_down(*, lockdown: Lockdown, user: User) -> None:
    """The account is locked down; how its person comes back. Without a link to do what is done already."""
    notices.send(
        LockdownEvent.BEGUN,
        kind="lockdown.begun",
        user=user,
        subject=_("Your Kellexa account is locked down"),
        template=f"{FOLDER}/locked_down",
        context={
            "facts": [*_facts(user), (_("Cause"), str(lockdown.get_cause_display())), *_stopped(lockdown)],
            "reset_url": absolute("accounts:password_reset"),
        },
        dedupe_key=f"lockdown.begun:{lockdown.public_id}",
        can_be_disowned=False,
    )


def lifted(*, lockdown: Lockdown, user: User, resumed: int) -> None:
    """The lock-down was lifted, by the person or by somebody in their place."""
    keys = ngettext("%(count)d key", "%(count)d keys", resumed) % {"count": resumed}
    notices.send(
        LockdownEvent.LIFTED,
        kind="lockdown.lifted",
        user=user,
        subject=_("The lock-down of your Kellexa account was lifted"),
        template=f"{FOLDER}/lifted",
        context={"facts": [*_facts(user), (_("Brought back"), keys)]},
        dedupe_key=f"lockdown.lifted:{lockdown.public_id}",
    )


def case_opened(*, lockdown: Lockdown, to: User) -> None:
    """To a member of the staff who works on cases: there is a new one, and where. It names no customer."""
    defer(
        "lockdown.case",
        to=to.email,
        subject=_("A customer’s account was locked down"),
        template=f"{FOLDER}/case_opened",
        context={
            "facts": [
                (_("Case"), str(lockdown.public_id)),
                (_("Cause"), str(lockdown.get_cause_display())),
                (_("When"), moment(lockdown.started_at, zone_named(to.time_zone))),
                *_stopped(lockdown),
            ],
            "url": absolute("admin:lockdown_lockdown_change", object_id=str(lockdown.pk)),
        },
        dedupe_key=f"lockdown.case:{lockdown.public_id}:{to.public_id}",
        person=to.public_id,
    )


def _facts(user: User) -> Facts:
    return [*account(user.email, zone_named(user.time_zone)), *origin()]


def _stopped(lockdown: Lockdown) -> Facts:
    sessions, keys = lockdown.sessions_ended, lockdown.keys_suspended
    return [
        (
            _("Signed out"),
            ngettext("%(count)d device", "%(count)d devices", sessions) % {"count": sessions},
        ),
        (_("Suspended"), ngettext("%(count)d API key", "%(count)d API keys", keys) % {"count": keys}),
    ]
