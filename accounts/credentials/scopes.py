"""The catalogue of scopes: each with its meaning in plain words and the right that a person needs for it.

Every endpoint of the API names one of these; a scope that stands nowhere here can't be granted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.organizations.access import Permission

KEYS_READ = "keys:read"
KEYS_VERIFY = "keys:verify"
KEYS_WRITE = "keys:write"


@dataclass(frozen=True, slots=True)
class Scope:
    """One right that a key can carry; ``needs`` is what its giver's role must include."""

    name: str
    meaning: str | Promise
    needs: Permission
    is_platform_only: bool = False


_DECLARED = (
    Scope("audit:read", _("Read the organization’s audit log"), Permission.AUDIT_VIEW),
    Scope("integrations:read", _("List connected integrations"), Permission.KEYS_VIEW_ALL),
    Scope("integrations:write", _("Disconnect integrations and fetch their tokens"), Permission.KEYS_MANAGE),
    Scope(KEYS_READ, _("List API keys and their last use, never their secrets"), Permission.KEYS_VIEW),
    Scope(
        KEYS_VERIFY, _("Check the API keys of every customer"), Permission.KEYS_MANAGE, is_platform_only=True
    ),
    Scope(KEYS_WRITE, _("Create, rotate and revoke API keys"), Permission.KEYS_CREATE_PERSONAL),
    Scope("scan:write", _("Send text to be searched for leaked secrets"), Permission.KEYS_VIEW),
    Scope("subprocessors:read", _("Read the list of sub-processors"), Permission.ORGANIZATION_VIEW),
    Scope("webhooks:read", _("List webhooks and their deliveries"), Permission.KEYS_VIEW_ALL),
    Scope("webhooks:write", _("Create, change and delete webhooks"), Permission.KEYS_MANAGE),
    Scope("workflows:read", _("Read workflows and the results of their runs"), Permission.ORGANIZATION_VIEW),
    Scope("workflows:run", _("Start and stop workflow runs"), Permission.KEYS_CREATE_PERSONAL),
)

CATALOGUE: dict[str, Scope] = {scope.name: scope for scope in _DECLARED}


def grantable(*, permissions: frozenset[Permission], is_platform: bool) -> list[Scope]:
    """The scopes that someone with ``permissions`` may give away, in the catalogue's order."""
    return [
        scope
        for scope in CATALOGUE.values()
        if scope.needs in permissions and (is_platform or not scope.is_platform_only)
    ]


def cut(names: Iterable[str], *, permissions: frozenset[Permission]) -> list[str]:
    """The part of ``names`` that someone with ``permissions`` has today; retired scopes fall away."""
    return [name for name in names if name in CATALOGUE and CATALOGUE[name].needs in permissions]


def meanings(names: Iterable[str]) -> list[Scope]:
    """The catalogue's entries for ``names``; a retired scope is shown by its name."""
    return [CATALOGUE.get(name) or Scope(name, name, Permission.ORGANIZATION_VIEW) for name in names]
