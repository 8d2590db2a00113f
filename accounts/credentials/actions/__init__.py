"""Every write to API keys, one module for each part of a key's life."""

from accounts.credentials.actions.contacts import set_contacts
from accounts.credentials.actions.departures import end_person
from accounts.credentials.actions.ending import expire_due, require_revoker, revoke_key, revoke_keys
from accounts.credentials.actions.gateway import create_gateway_key
from accounts.credentials.actions.issuing import (
    IssuedKey,
    create_key,
    require_creator,
    require_rotator,
    rotate_key,
)
from accounts.credentials.actions.suspending import resume_keys, suspend_keys_of
from accounts.credentials.actions.usage import note_denial, note_use

__all__ = [
    "IssuedKey",
    "create_gateway_key",
    "create_key",
    "end_person",
    "expire_due",
    "note_denial",
    "note_use",
    "require_creator",
    "require_revoker",
    "require_rotator",
    "resume_keys",
    "revoke_key",
    "revoke_keys",
    "rotate_key",
    "set_contacts",
    "suspend_keys_of",
]
