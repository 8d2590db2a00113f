"""Makes or completes the demo's API keys, of every age and state."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts.credentials import scopes, seals, tokens
from accounts.credentials.actions import create_key, revoke_key, rotate_key
from accounts.credentials.models import ApiKey
from accounts.identity.models import User
from accounts.organizations.models import Membership
from kellexa_portal.core.actor import Actor
from kellexa_portal.dev.demo import cast
from kellexa_portal.dev.demo.book import Book

GATEWAY = "Gateway (demo)"


def ensure_keys(book: Book) -> list[ApiKey]:
    """Every key of the demo; one whose token the book has lost is made anew."""
    found: list[ApiKey] = []
    for wanted in cast.KEYS:
        by = Membership.objects.select_related("organization", "user").get(
            user=User.objects.with_email(cast.email_of(wanted.owner_role, wanted.organization)).get()
        )
        found += _known(book, by, wanted.name) or _make(book, by, wanted)
    return found


def ensure_gateway(book: Book) -> str:
    """The token with which the demo's gateway verifies keys."""
    by = Membership.objects.select_related("organization", "user").get(
        user=User.objects.with_email(cast.OPERATOR).get()
    )
    if not _known(book, by, GATEWAY):
        wanted = cast.DemoKey(
            GATEWAY, cast.PLATFORM, Membership.Role.OWNER, (scopes.KEYS_VERIFY,), lifetime=timedelta(days=365)
        )
        _make(book, by, wanted)
    return book.tokens[_entry(by, GATEWAY, 1)]


def token_of(book: Book, key: ApiKey) -> str:
    """The token of a key of the demo, from the book."""
    return next(token for token in book.tokens.values() if key.key_id in token)


def _entry(by: Membership, name: str, generation: int) -> str:
    return f"{by.organization.name}/{name}/{generation}"


def _known(book: Book, by: Membership, name: str) -> list[ApiKey]:
    keys = list(ApiKey.objects.filter(organization=by.organization, name=name).select_related("organization"))
    ids = {parsed.key_id for token in book.tokens.values() if (parsed := tokens.parse(token))}
    return [key for key in keys if key.key_id in ids]


def _make(book: Book, by: Membership, wanted: cast.DemoKey) -> list[ApiKey]:
    actor = Actor.of(by.user)
    issued = create_key(
        actor=actor,
        by=by,
        name=wanted.name,
        kind=wanted.kind,
        environment=wanted.environment,
        scope_names=wanted.scopes,
        allowed_networks=wanted.networks,
    )
    book.tokens[_entry(by, wanted.name, 1)] = issued.token
    keys = [_aged(issued.key, wanted)]
    if wanted.is_rotated:
        successor = rotate_key(actor=actor, by=by, key=issued.key, overlap=timedelta(days=2))
        book.tokens[_entry(by, wanted.name, 2)] = successor.token
        keys = [ApiKey.objects.select_related("organization").get(pk=issued.key.pk), successor.key]
    if wanted.is_revoked:
        keys = [revoke_key(actor=actor, key=issued.key, by=by, reason=ApiKey.RevokeReason.LEAKED)]
    return keys


def _aged(key: ApiKey, wanted: cast.DemoKey) -> ApiKey:
    """Moves a new key into the past; its seal is made again because dates authorise."""
    now = timezone.now()
    key.created_at = now - wanted.age
    key.expires_at = key.created_at + wanted.lifetime
    if wanted.used_ago is not None:
        key.last_used_at = now - wanted.used_ago
        key.last_used_ip_prefix = "192.0.2.0/24"
    key.seal = seals.seal_of(key)
    key.save()
    return key
