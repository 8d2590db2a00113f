"""Reads behind the pages of API keys; each starts from a membership."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.credentials import access, ages, rules, scopes
from accounts.credentials.models import ApiKey, ApiKeyQuerySet
from accounts.identity.models import User
from accounts.organizations.models import Membership
from kellexa_portal.core.pagination import Order

STATE_LABELS: dict[rules.State, tuple[str, str | Promise]] = {
    rules.State.ACTIVE: ("ok", _("Active")),
    rules.State.EXPIRING: ("attention", _("Expires soon")),
    rules.State.RETIRING: ("info", _("Being replaced")),
    rules.State.SUSPENDED: ("danger", _("Suspended")),
    rules.State.EXPIRED: ("neutral", _("Expired")),
    rules.State.REVOKED: ("neutral", _("Revoked")),
}


NEVER = datetime(1970, 1, 1, tzinfo=UTC)
ORDERS = {
    "name": Order("name"),
    "end": Order("expires_at", is_instant=True),
    "use": Order("used_or_never_at", is_instant=True),
}
"""The ways to sort the list, by what its filter calls them."""

DUE = "due"
"""What the list's filter calls the keys to rotate: no state of a key, but one of its policy."""


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key as pages show it: its state in words and tone, its scopes as sentences, its days left."""

    key: ApiKey
    state: rules.State
    tone: str
    label: str | Promise
    scopes: list[scopes.Scope]
    days_left: int | None
    rotate_by: datetime | None

    @property
    def is_live(self) -> bool:
        return self.state in rules.LIVE

    @property
    def last_moment(self) -> datetime:
        """The last instant at which the key works, so that a date shown of it is its last day."""
        return self.key.expires_at - timedelta(microseconds=1)


def view_of(key: ApiKey, *, now: datetime, max_age: timedelta) -> KeyView:
    """What a page says of ``key`` at ``now`` where keys are rotated within ``max_age``.

    ``days_left`` counts whole days, as every distance here; ``rotate_by`` is given for a key that somebody
    has to rotate before its end. The words follow ``ApiKeyQuerySet.due``, so that a list, its filter and the
    checkup never disagree.
    """
    state = key.state_at(now)
    tone, label = STATE_LABELS[state]
    by = rules.rotate_by(created_at=key.created_at, expires_at=key.expires_at, max_age=max_age)
    is_current = state in {rules.State.ACTIVE, rules.State.EXPIRING}
    if is_current and by <= now:
        tone, label = "danger", _("Rotation overdue")
    elif state is rules.State.ACTIVE and by - now <= rules.EXPIRING_WITHIN:
        tone, label = "attention", _("Rotation due")
    rotate_by = by if is_current and by < key.expires_at else None
    days = (key.expires_at - now).days if state in rules.LIVE else None
    return KeyView(key, state, tone, label, scopes.meanings(key.scopes), days, rotate_by)


def max_age_in(membership: Membership) -> timedelta:
    """How old the organization lets its keys grow."""
    return ages.max_age_of(membership.organization)


def due(membership: Membership, *, now: datetime) -> ApiKeyQuerySet:
    """The keys that the person may see and somebody has to rotate soon, or should have rotated."""
    return access.visible_to(membership).due(now, max_age=max_age_in(membership))


def listed(membership: Membership, filters: Mapping[str, Any], *, now: datetime) -> ApiKeyQuerySet:
    """The keys that the person may see, narrowed by the cleaned fields of the list's filter."""
    keys = access.visible_to(membership).select_related("owner")
    keys = keys.annotate(used_or_never_at=Coalesce("last_used_at", Value(NEVER)))
    if text := filters.get("q"):
        keys = keys.filter(name__icontains=text)
    if (state := filters.get("state")) == DUE:
        keys = keys.due(now, max_age=max_age_in(membership))
    elif state:
        keys = keys.in_state(rules.State(state), now)
    for column in ("kind", "environment"):
        if value := filters.get(column):
            keys = keys.filter(**{column: value})
    if owner := filters.get("owner"):
        keys = keys.filter(owner__public_id=owner)
    return keys


def suspended_of(owner: User, *, now: datetime) -> list[ApiKey]:
    """The person's own keys that are stopped at ``now`` and may work again, whatever the organization."""
    found = ApiKey.objects.suspended(now).filter(owner=owner).select_related("organization")
    return list(found.order_by("organization__name", "name", "pk"))


def owners_of(membership: Membership) -> list[tuple[str, str]]:
    """The owners of the keys that the person may see: public id and name, for the filter."""
    found = access.visible_to(membership).order_by("owner__name", "owner__public_id")
    return [
        (str(public_id), name)
        for public_id, name in found.values_list("owner__public_id", "owner__name").distinct()
    ]


def find(membership: Membership, key_id: str) -> ApiKey | None:
    """The key, if the person may see it; foreign and unknown ids answer alike."""
    visible = access.visible_to(membership)
    return visible.select_related("organization", "owner", "revoked_by").filter(key_id=key_id).first()


def chosen(membership: Membership, key_ids: Iterable[str]) -> list[ApiKey]:
    """Those of the keys that the person may see, by name; a foreign or unknown id is as good as none."""
    visible = access.visible_to(membership).select_related("organization", "owner")
    return list(visible.filter(key_id__in=set(key_ids)).order_by("name", "pk"))


def found_by_nonce(membership: Membership, nonce: Any) -> ApiKey | None:
    """The key that the form with this nonce has already made."""
    return access.visible_to(membership).filter(form_nonce=nonce).first()


def family_of(membership: Membership, key: ApiKey) -> list[ApiKey]:
    """The key's line, newest first, as far as the person may see it."""
    return list(access.visible_to(membership).filter(family=key.family).order_by("-generation"))


def predecessor_of(key: ApiKey) -> ApiKey | None:
    """The key that ``key`` took the place of, if there is one."""
    return ApiKey.objects.filter(replaced_by=key, organization=key.organization_id).first()


def earlier_live(key: ApiKey, *, now: datetime) -> ApiKey | None:
    """The key of the same line that has not ended beside ``key``, if there is one."""
    return (
        ApiKey.objects.filter(family=key.family, organization=key.organization_id)
        .unended(now)
        .exclude(pk=key.pk)
        .first()
    )


def addressees(key: ApiKey, *, by: Membership | None = None) -> list[User]:
    """Who hears of the key: its owner, its contacts and who acts, as far as active members, each once.

    Who acts hears of it too: it may be somebody else with a stolen session.
    """
    people: Iterable[Any] = [
        row.user for row in key.contact_rows.select_related("user") if row.user.is_active
    ]
    owner = [key.owner] if key.owner.is_active else []
    members = set(
        Membership.objects.filter(organization=key.organization_id).values_list("user_id", flat=True)
    )
    acting = [by.user] if by is not None else []
    unique = {person.pk: person for person in [*owner, *people, *acting] if person.pk in members}
    return list(unique.values())
