"""What organizations refuse, each with a stable code."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from kellexa_portal.core.errors import DomainError, Fault


class StaffHaveNoMembership(DomainError):
    """Staff and customers are disjoint: a member of staff with a customer's rights could hide behind them."""

    code = "staff_have_no_membership"
    fault = Fault.CONFLICT
    message = _("Staff accounts can’t belong to a customer’s organization.")


class AlreadyMember(DomainError):
    code = "already_member"
    fault = Fault.CONFLICT
    message = _("This person already belongs to the organization.")


class InvalidOrganizationName(DomainError):
    code = "invalid_organization_name"
    fault = Fault.INVALID
    message = _("An organization’s name has 1 to 120 characters and no control characters.")


class UnknownRole(DomainError):
    code = "unknown_role"
    fault = Fault.INVALID
    message = _("Choose one of the offered roles.")


class NoSuchOrganization(DomainError):
    """Unknown and foreign organizations are refused alike."""

    code = "not_found"
    fault = Fault.NOT_FOUND
    message = _("There is nothing at this address, or you may not see it.")


class MemberNotFound(NoSuchOrganization):
    """Unknown people and members of other organizations are refused alike."""


class InvitationNotFound(NoSuchOrganization):
    """Unknown, ended and foreign invitations are refused alike."""


class LastOwner(DomainError):
    """Nobody could ever hand out the ownership again."""

    code = "last_owner"
    fault = Fault.CONFLICT
    message = _("An organization keeps at least one owner. Make somebody else an owner first.")


class UnfitOwner(DomainError):
    """The ownership goes to somebody who can use it, and not to oneself."""

    code = "unfit_owner"
    fault = Fault.CONFLICT
    message = _("Choose another active member who meets the organization’s sign-in policy.")


class AlreadyInvited(DomainError):
    code = "already_invited"
    fault = Fault.CONFLICT
    message = _("This address has an open invitation. Send it again, or withdraw it first.")


class InvitationDead(DomainError):
    """The link was used, withdrawn or replaced, has expired, or its sender may no longer invite."""

    code = "invitation_dead"
    fault = Fault.NOT_FOUND
    message = _("This invitation no longer works. Ask for a new one.")


class AnotherAddress(DomainError):
    """The invitation is for another address than that of the account that used it."""

    code = "invitation_for_another"
    fault = Fault.FORBIDDEN
    message = _("This invitation is for another address. Sign in with the account of that address.")


class UnknownRequirement(DomainError):
    code = "unknown_requirement"
    fault = Fault.INVALID
    message = _("Choose one of the offered requirements.")


class InvalidGrace(DomainError):
    code = "invalid_grace"
    fault = Fault.INVALID
    message = _("The time to comply is 0 to 30 days.")


class NotCompliantYourself(DomainError):
    """Whoever asks it of the others shows first that it can be done, and stays able to undo it."""

    code = "not_compliant_yourself"
    fault = Fault.CONFLICT
    message = _("Add a passkey to your own account before you ask it of everyone.")
