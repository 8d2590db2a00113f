"""What managing keys refuses, each with a stable code."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from kellexa_portal.core.errors import DomainError, Fault


class KeyNotFound(DomainError):
    """Unknown keys and keys of others are refused alike."""

    code = "not_found"
    fault = Fault.NOT_FOUND
    message = _("There is nothing at this address, or you may not see it.")


class InvalidKeyName(DomainError):
    code = "invalid_key_name"
    fault = Fault.INVALID
    message = _("A key’s name has 1 to 80 characters and no control characters.")


class InvalidKind(DomainError):
    code = "invalid_kind"
    fault = Fault.INVALID
    message = _("Choose one of the offered kinds of key.")


class InvalidEnvironment(DomainError):
    code = "invalid_environment"
    fault = Fault.INVALID
    message = _("Choose one of the offered environments.")


class InvalidScopes(DomainError):
    """A scope that doesn't exist, or that the person's own role doesn't include."""

    code = "invalid_scopes"
    fault = Fault.INVALID
    message = _("Choose at least one scope, and only scopes that your role includes.")


class InvalidExpiry(DomainError):
    code = "invalid_expiry"
    fault = Fault.INVALID
    message = _("A key expires after now and within 365 days.")


class InvalidNetworks(DomainError):
    code = "invalid_networks"
    fault = Fault.INVALID
    message = _("Allowed addresses are up to 50 IP addresses or networks such as 192.0.2.0/24.")


class InvalidOverlap(DomainError):
    code = "invalid_overlap"
    fault = Fault.INVALID
    message = _("The old key can go on working for 0 to 7 days.")


class InvalidReason(DomainError):
    code = "invalid_reason"
    fault = Fault.INVALID
    message = _("Choose one of the reasons.")


class InvalidContacts(DomainError):
    code = "invalid_contacts"
    fault = Fault.INVALID
    message = _("Contacts are active members of the organization, and only service keys have them.")


class AlreadyIssued(DomainError):
    """The same form was sent twice; the second answer must neither show a token nor make a key."""

    code = "key_already_created"
    fault = Fault.CONFLICT
    message = _("This key was already created. Its token was shown once and can’t be shown again.")


class AlreadyRotated(DomainError):
    code = "key_already_rotated"
    fault = Fault.CONFLICT
    message = _("This key already has a successor. Rotate the successor instead.")


class FamilyFull(DomainError):
    """A third live key would hide which one is still in use."""

    code = "key_family_full"
    fault = Fault.CONFLICT
    message = _("An earlier key of this line still works. Wait until it ends, or end it now.")


class KeyEnded(DomainError):
    code = "key_ended"
    fault = Fault.CONFLICT
    message = _("This key was revoked. Create a new one instead.")


class KeySuspended(DomainError):
    """A successor of a suspended key would bring it back without its owner's step-up."""

    code = "key_suspended"
    fault = Fault.CONFLICT
    message = _(
        "This key is suspended. Its owner brings it back under “Lock-down”; until then it can’t be rotated."
    )


class AlreadyRevoked(DomainError):
    code = "key_already_revoked"
    fault = Fault.CONFLICT
    message = _("This key was already revoked.")


class KeyTampered(DomainError):
    """To rotate an altered key would give the alteration a fresh seal."""

    code = "key_tampered"
    fault = Fault.CONFLICT
    message = _("This key’s record was altered outside the portal. Revoke it and create a new one.")


class EarlierKeyTampered(DomainError):
    """To end an altered key by time would give the alteration a fresh seal."""

    code = "earlier_key_tampered"
    fault = Fault.CONFLICT
    message = _("An earlier key of this line was altered outside the portal. Revoke it first.")
