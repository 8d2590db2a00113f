"""What the security checkup shows; every number starts from the person and their membership."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.credentials import access as key_access
from accounts.credentials import queries as key_queries
from accounts.identity.models import User
from accounts.mfa.queries import factor_since, recovery_codes_left
from accounts.organizations.models import Membership
from accounts.overview.rules import KeyFacts, SignInFacts, Standing, standing_of_keys, standing_of_sign_in
from accounts.sessions.queries import live_sessions_of

NAMES_ON_A_CARD = 3


@dataclass(frozen=True, slots=True)
class Card:
    """One responsibility: how it stands, one sentence of why, one thing to do."""

    icon: str
    title: str
    standing: Standing
    state: str
    why: str
    action: str
    url: str


@dataclass(frozen=True, slots=True)
class Checkup:
    """The whole page."""

    cards: list[Card]

    @property
    def open_count(self) -> int:
        return sum(card.standing is Standing.ATTENTION for card in self.cards)


def sign_in_facts(user: User) -> SignInFacts:
    return SignInFacts(
        password_changed_at=user.password_changed_at,
        factor_since=factor_since(user),
        recovery_codes_left=recovery_codes_left(user),
    )


def key_facts(membership: Membership) -> KeyFacts:
    """What stands out among the keys that this person may see, the most urgent first."""
    now = timezone.now()
    live = key_access.visible_to(membership).current(now).count()
    due = key_queries.due(membership, now=now).order_by("expires_at", "pk").values_list("name", flat=True)
    return KeyFacts(live=live, due_names=tuple(due))


def checkup_of(user: User, membership: Membership | None) -> Checkup:
    """The five responsibilities of the Security Policy, for this person, in the policy's order."""
    cards = [_sign_in_card(user)]
    if membership is not None:
        cards.append(_key_card(membership))
    cards += [_integration_card(), _exposure_card(), _activity_card(user)]
    return Checkup(cards)


def _sign_in_card(user: User) -> Card:
    facts = sign_in_facts(user)
    standing = standing_of_sign_in(facts)
    left = facts.recovery_codes_left
    codes = ngettext("%(n)d recovery code left", "%(n)d recovery codes left", left) % {"n": left}
    if standing is Standing.GOOD:
        why = _("Your password alone opens nothing; a second factor is asked each time.")
    else:
        why = _("Without recovery codes, losing your phone means losing your account.")
    return Card(
        icon="shield-check",
        title=_("Strong sign-in"),
        standing=standing,
        state=codes,
        why=why,
        action=_("Make new recovery codes") if standing is Standing.ATTENTION else _("Review sign-in"),
        url=reverse("mfa:recovery_codes" if standing is Standing.ATTENTION else "mfa:overview"),
    )


def _key_card(membership: Membership) -> Card:
    facts = key_facts(membership)
    standing = standing_of_keys(facts)
    if standing is Standing.ATTENTION:
        state = ngettext("%(n)d key to rotate", "%(n)d keys to rotate", facts.due) % {"n": facts.due}
        why = _("%(names)s. A key replaced in time never stops your workflows by surprise.") % {
            "names": ", ".join(f"“{name}”" for name in facts.due_names[:NAMES_ON_A_CARD])
        }
    elif facts.live:
        state = ngettext("%(n)d key, in order", "%(n)d keys, all in order", facts.live) % {"n": facts.live}
        why = _("None ends or grows too old in the next two weeks.")
    else:
        state = _("No keys yet")
        why = _("Create one when a program of yours needs to call Kellexa.")
    return Card(
        icon="key",
        title=_("API keys and webhook secrets"),
        standing=standing,
        state=state,
        why=why,
        action=_key_action(facts),
        url=_key_address(facts),
    )


def _key_action(facts: KeyFacts) -> str:
    if facts.due:
        return _("Rotate keys")
    return _("Review keys") if facts.live else _("Create a key")


def _key_address(facts: KeyFacts) -> str:
    """Where the card leads: to exactly the keys that it counted."""
    if facts.due:
        return f"{reverse('credentials:list')}?{urlencode({'state': key_queries.DUE})}"
    return reverse("credentials:list" if facts.live else "credentials:create")


def _integration_card() -> Card:
    return Card(
        icon="plug",
        title=_("Connected integrations"),
        standing=Standing.NEUTRAL,
        state=_("Not reviewed here yet"),
        why=_("Connections to other platforms are managed in Kellexa itself; remove unused ones."),
        action="",
        url="",
    )


def _exposure_card() -> Card:
    return Card(
        icon="eye-off",
        title=_("No secrets in logs and public webhooks"),
        standing=Standing.NEUTRAL,
        state=_("Yours to check"),
        why=_("A key that a workflow prints is given away. Our keys have a pattern that scanners find."),
        action=_("How to keep keys out of logs"),
        url=reverse("credentials:help"),
    )


def _activity_card(user: User) -> Card:
    count = live_sessions_of(user).count()
    return Card(
        icon="activity",
        title=_("Nothing suspicious"),
        standing=Standing.NEUTRAL,
        state=ngettext("%(n)d device signed in", "%(n)d devices signed in", count) % {"n": count},
        why=_("You know best which sign-ins are yours. If one isn’t, end it and change your password."),
        action=_("Review activity"),
        url=reverse("sessions:activity"),
    )
