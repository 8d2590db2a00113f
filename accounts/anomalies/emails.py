"""The notices of findings: what was seen, what the portal did, and what to do now."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.anomalies.events import event_of
from accounts.anomalies.models import Anomaly
from accounts.identity import notices
from accounts.identity.models import User
from accounts.identity.rules import zone_named
from accounts.sessions.models import AccountSession
from kellexa_portal.mail.facts import Facts, moment
from kellexa_portal.web.links import absolute

TEMPLATE = "accounts/anomalies/mail/notice"


@dataclass(frozen=True, slots=True)
class Words:
    """The subject of a notice, what was seen, and what the portal did about it."""

    subject: str | Promise
    seen: str | Promise
    done: str | Promise


ASKS_AGAIN = gettext_lazy(
    "The sign-in was admitted, because its second factor was right. Before it can change anything that "
    "matters, it has to show a factor once more."
)
WORDS = {
    Anomaly.Rule.TRAVEL: Words(
        gettext_lazy("A sign-in to your Kellexa account from far away"),
        gettext_lazy(
            "Somebody signed in to your account from a place that nobody reaches in the time since your last "
            "visit."
        ),
        ASKS_AGAIN,
    ),
    Anomaly.Rule.AFTER_FAILURES: Words(
        gettext_lazy("A sign-in to your Kellexa account after many failures"),
        gettext_lazy("Somebody signed in to your account after many sign-ins that failed within an hour."),
        ASKS_AGAIN,
    ),
    Anomaly.Rule.DORMANT: Words(
        gettext_lazy("A sign-in to your Kellexa account after a long time"),
        gettext_lazy("Somebody signed in to your account, for the first time in more than half a year."),
        ASKS_AGAIN,
    ),
    Anomaly.Rule.DRIFT: Words(
        gettext_lazy("A session of your Kellexa account was ended"),
        gettext_lazy(
            "A signed-in session of yours suddenly came from another browser and another network at once. "
            "That happens when somebody copies a session."
        ),
        gettext_lazy("The session was ended at once. Sign in again to go on."),
    ),
    Anomaly.Rule.TAKEOVER: Words(
        gettext_lazy("Your Kellexa account is in quarantine for 24 hours"),
        gettext_lazy(
            "Soon after a new device had signed in to your account, several things that secure it were "
            "changed."
        ),
        gettext_lazy(
            "For 24 hours nobody can make or rotate API keys, change the address, hand over an organization "
            "or export in your name. Everything else goes on."
        ),
    ),
}


def tell(*, anomaly: Anomaly, user: User, session: AccountSession | None = None) -> None:
    """Tells ``user`` of ``anomaly`` at every verified address, with a way to say that it wasn't them."""
    words = WORDS[Anomaly.Rule(anomaly.rule)]
    notices.send(
        event_of(anomaly.rule),
        kind=f"anomalies.{anomaly.rule}",
        user=user,
        subject=str(words.subject),
        template=TEMPLATE,
        context={
            "facts": _facts(anomaly, user, session),
            "seen": str(words.seen),
            "done": str(words.done),
            "activity_url": absolute("sessions:activity"),
        },
        dedupe_key=f"anomalies.{anomaly.rule}:{anomaly.public_id}",
    )


def _facts(anomaly: Anomaly, user: User, session: AccountSession | None) -> Facts:
    """Which account and when; the device, network and way where the finding knows them."""
    facts = [(_("Account"), user.email), (_("When"), moment(anomaly.at, zone_named(user.time_zone)))]
    if session is not None:
        facts += [
            (_("Device"), session.device or _("unknown")),
            (_("Network"), session.ip_prefix or _("unknown")),
        ]
    named = {_("From"): anomaly.facts.get("from"), _("To"): anomaly.facts.get("to")}
    return facts + [(label, str(place)) for label, place in named.items() if place]
