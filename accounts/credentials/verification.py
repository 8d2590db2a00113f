"""Whether a token is good now, for this address and these scopes. Reads once and writes nothing.

Unknown, foreign, revoked, suspended, expired, out of place: the caller learns only yes or no, and each no
costs the same computations, an unknown id included (CWE-204, CWE-208). The reason is for the owner's audit
log.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from accounts.credentials import rules, scopes, seals, tokens
from accounts.credentials.models import ApiKey
from accounts.organizations.access import permissions_of
from accounts.organizations.models import Membership
from kellexa_portal.crypto import keyed_hash, matches

HASH_PURPOSE = "api-key"


class Denial(StrEnum):
    """Why a token is refused; never told to the one who shows it."""

    UNKNOWN = "unknown"
    TAMPERED = "tampered"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    OWNER_GONE = "owner_gone"
    NETWORK = "network"
    SCOPE = "scope"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one token: its key and what it may do today, or why not.

    ``key`` is set on a refusal too, but only for a token whose secret was right.
    """

    key: ApiKey | None
    scopes: tuple[str, ...] = ()
    denial: Denial | None = None

    @property
    def is_active(self) -> bool:
        return self.denial is None


def hash_of(token: str) -> bytes:
    """What is stored of a token: a peppered HMAC. A slow hash would protect 256 random bits no better."""
    return keyed_hash(token.encode(), purpose=HASH_PURPOSE)


def fetch(*presented: tokens.ParsedToken | None) -> dict[str, ApiKey]:
    """The keys that the tokens name, with what the verdict needs of owner and role, in one query."""
    ids = {token.key_id for token in presented if token is not None}
    if not ids:
        return {}
    role = Membership.objects.filter(organization=OuterRef("organization"), user=OuterRef("owner"))
    found = (
        ApiKey.objects.filter(key_id__in=ids)
        .select_related("organization", "owner")
        .annotate(owner_role=Subquery(role.values("role")[:1]))
    )
    return {key.key_id: key for key in found}


def judge(
    token: tokens.ParsedToken | None,
    found: Mapping[str, ApiKey],
    *,
    now: datetime,
    ip: str = "",
    needed: Iterable[str] = (),
) -> Verdict:
    """The verdict on ``token`` at ``now``; a bound key is refused when nobody says from where it is used.

    Everything is computed before anything is decided.
    """
    if token is None:
        return Verdict(None, denial=Denial.UNKNOWN)
    key = found.get(token.key_id) or _decoy()
    is_genuine = matches(token.text.encode(), bytes(key.hash), purpose=HASH_PURPOSE)
    is_intact = seals.is_intact(key)
    effective = tuple(effective_scopes(key))
    is_here = rules.is_address_allowed(ip, networks=key.allowed_networks)
    if not is_genuine or key.pk is None:
        return Verdict(None, denial=Denial.UNKNOWN)
    refusals = (
        (not is_intact, Denial.TAMPERED),
        (key.revoked_at is not None, Denial.REVOKED),
        (key.suspended_at is not None, Denial.SUSPENDED),
        (key.expires_at <= now, Denial.EXPIRED),
        (not _has_living_owner(key), Denial.OWNER_GONE),
        (not is_here, Denial.NETWORK),
        (not set(needed) <= set(effective), Denial.SCOPE),
    )
    for is_refused, denial in refusals:
        if is_refused:
            return Verdict(key, denial=denial)
    return Verdict(key, scopes=effective)


def effective_scopes(key: ApiKey) -> list[str]:
    """What the key may do today: a personal key never more than its owner's role still includes."""
    if not key.is_personal:
        return [name for name in key.scopes if name in scopes.CATALOGUE]
    return scopes.cut(key.scopes, permissions=permissions_of(_role_of(key)))


def _role_of(key: ApiKey) -> str:
    """The owner's role as ``fetch`` read it with the row; no role where there is no membership."""
    return getattr(key, "owner_role", None) or ""


def _has_living_owner(key: ApiKey) -> bool:
    """A personal key dies with its owner's account or membership; a service key is the organization's."""
    if not key.is_personal:
        return True
    return key.owner.is_active and not key.owner.is_staff and bool(_role_of(key))


@functools.lru_cache(maxsize=1)
def _decoy() -> ApiKey:
    """A key that no token opens, so that an unknown id costs what a known one costs."""
    now = timezone.now()
    key = ApiKey(
        organization_id=0,
        owner_id=0,
        kind=ApiKey.Kind.SERVICE,
        environment=ApiKey.Environment.LIVE,
        scopes=[scopes.KEYS_READ],
        allowed_networks=[],
        created_at=now,
        expires_at=now + timedelta(days=1),
    )
    key.hash = hash_of(tokens.new_token(kind=key.kind, environment=key.environment, key_id=key.key_id))
    key.seal = seals.seal_of(key)
    return key
