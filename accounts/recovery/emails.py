"""The mails of a recovery: every address hears of every step, one address alone gets the way back.

None names a member of the staff or carries what they wrote.
"""

from __future__ import annotations

import functools
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from accounts.identity import notices, queries, tokens
from accounts.identity.models import PasswordReset, User
from accounts.identity.rules import RESET_LIFETIME, zone_named
from accounts.recovery import rules
from accounts.recovery.events import RecoveryEvent
from accounts.recovery.models import CancelLink, RecoveryCase
from kellexa_portal.mail import defer
from kellexa_portal.mail.facts import Facts, account, moment, origin
from kellexa_portal.web.links import absolute

FOLDER = "accounts/recovery/mail"
HOUR = timedelta(hours=1)


def started(*, case: RecoveryCase) -> None:
    """Staff asked for a recovery; nothing happens before two others approve it."""
    _progress(
        RecoveryEvent.STARTED,
        case,
        step="started",
        subject=_("Somebody asked to recover your Kellexa account"),
        sentence=_(
            "Our staff were asked to recover your Kellexa account for somebody who has lost every way to "
            "sign in. Two other members of our staff have to approve it, then a wait of three days begins."
        ),
        facts=[],
    )


def approved(*, case: RecoveryCase) -> None:
    """One of the two approvals was given; with the second the wait has begun."""
    if case.waits_until is None:
        subject = _("The recovery of your Kellexa account was approved once")
        sentence = _(
            "A member of our staff approved the recovery of your Kellexa account. One more approval, and a "
            "wait of three days begins."
        )
        facts: Facts = []
    else:
        subject = _("Your Kellexa account will be recovered in three days")
        sentence = _(
            "Two members of our staff approved the recovery of your Kellexa account. When the wait is over "
            "we mail a link to the address of the account. It takes your passkeys, authenticator app, "
            "recovery codes and password away, so that new ones can be set up."
        )
        facts = [(_("Not before"), _moment(case.waits_until, case.user))]
    step = f"approved.{case.approvals}"
    _progress(RecoveryEvent.APPROVED, case, step=step, subject=subject, sentence=sentence, facts=facts)


def ready(*, case: RecoveryCase) -> None:
    """The wait is over; the link is in another mail, to the address of the account alone."""
    _progress(
        RecoveryEvent.READY,
        case,
        step="ready",
        subject=_("The recovery of your Kellexa account is ready"),
        sentence=_(
            "The wait for the recovery of your Kellexa account is over. We mailed the link that completes it "
            "to the address of the account. Until it is used you can still cancel."
        ),
        facts=_until(case),
    )


def _progress(
    event: RecoveryEvent, case: RecoveryCase, *, step: str, subject: str, sentence: str, facts: Facts
) -> None:
    notices.send(
        event,
        kind=f"recovery.{step.partition('.')[0]}",
        user=case.user,
        subject=subject,
        template=f"{FOLDER}/progress",
        context={"sentence": sentence, "facts": [*_about(case.user), *facts]},
        dedupe_key=f"recovery.{step}:{case.public_id}",
        objection=functools.partial(_link_to_cancel, case),
        also_to=queries.former_addresses(case.user),
    )


def way_back(*, case: RecoveryCase, token: str) -> None:
    """To the address of the account alone: the link that completes the recovery, once."""
    defer(
        "recovery.way_back",
        to=case.user.email,
        subject=_("Complete the recovery of your Kellexa account"),
        template=f"{FOLDER}/way_back",
        context={
            "facts": [*_about(case.user), *_until(case)],
            "url": absolute("recovery:finish", token=token),
            "hours": rules.LINK_LIFETIME // HOUR,
        },
        dedupe_key=f"recovery.way_back:{case.public_id}",
        person=case.user.public_id,
    )


def stopped(*, case: RecoveryCase, event: RecoveryEvent) -> None:
    """The recovery ended and nothing was changed; whoever did not cancel it can say so."""
    notices.send(
        event,
        kind="recovery.stopped",
        user=case.user,
        subject=_("Your Kellexa account will not be recovered"),
        template=f"{FOLDER}/stopped",
        context={"facts": [*_about(case.user), (_("Why"), str(case.get_cause_display()))]},
        dedupe_key=f"recovery.stopped:{case.public_id}",
        can_be_disowned=case.cause in {RecoveryCase.Cause.LINK, RecoveryCase.Cause.OWNER},
        also_to=queries.former_addresses(case.user),
    )


def recovered(*, case: RecoveryCase) -> None:
    """The recovery is complete; whoever did not want it locks the account down."""
    notices.send(
        RecoveryEvent.COMPLETED,
        kind="recovery.recovered",
        user=case.user,
        subject=_("Your Kellexa account was recovered"),
        template=f"{FOLDER}/recovered",
        context={"facts": [*_about(case.user), *origin()]},
        dedupe_key=f"recovery.recovered:{case.public_id}",
        also_to=queries.former_addresses(case.user),
    )


def new_password(*, case: RecoveryCase, reset: PasswordReset, token: str) -> None:
    """To the address of the account alone: the reset by which its person chooses a new password."""
    defer(
        "recovery.new_password",
        to=case.user.email,
        subject=_("Choose a new password for your Kellexa account"),
        template=f"{FOLDER}/new_password",
        context={
            "facts": _about(case.user),
            "url": absolute("accounts:password_reset_confirm", token=token),
            "hours": RESET_LIFETIME // HOUR,
        },
        dedupe_key=f"recovery.new_password:{reset.public_id}",
        person=case.user.public_id,
    )


def _link_to_cancel(case: RecoveryCase) -> str:
    """A link of its own for each mail: they lead to the same end, and tell apart who pressed."""
    token = tokens.new()
    CancelLink.objects.create(case=case, token_hash=tokens.digest(token))
    return absolute("recovery:cancel_link", token=token)


def _about(user: User) -> Facts:
    return account(user.email, zone_named(user.time_zone))


def _until(case: RecoveryCase) -> Facts:
    until = case.link_until
    return [(_("The link works until"), _moment(until, case.user))] if until is not None else []


def _moment(at: datetime, user: User) -> str:
    return moment(at, zone_named(user.time_zone))
