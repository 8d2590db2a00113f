"""Every write to organizations, one module for each part of their life."""

from accounts.organizations.actions.errors import (
    AlreadyInvited,
    AlreadyMember,
    AnotherAddress,
    InvalidGrace,
    InvalidOrganizationName,
    InvitationDead,
    InvitationNotFound,
    LastOwner,
    MemberNotFound,
    NoSuchOrganization,
    NotCompliantYourself,
    StaffHaveNoMembership,
    UnfitOwner,
    UnknownRequirement,
    UnknownRole,
)
from accounts.organizations.actions.evidence import authorise
from accounts.organizations.actions.founding import add_member, create_organization, join_platform
from accounts.organizations.actions.invitations import (
    invite,
    purge_invitations,
    resend,
    stop_invitations_of,
    withdraw,
)
from accounts.organizations.actions.joining import accept, accept_as_newcomer, note_dead_invitation
from accounts.organizations.actions.members import change_role, leave, remove_member, transfer_ownership
from accounts.organizations.actions.policy import change_mfa_policy, remind_due

__all__ = [
    "AlreadyInvited",
    "AlreadyMember",
    "AnotherAddress",
    "InvalidGrace",
    "InvalidOrganizationName",
    "InvitationDead",
    "InvitationNotFound",
    "LastOwner",
    "MemberNotFound",
    "NoSuchOrganization",
    "NotCompliantYourself",
    "StaffHaveNoMembership",
    "UnfitOwner",
    "UnknownRequirement",
    "UnknownRole",
    "accept",
    "accept_as_newcomer",
    "add_member",
    "authorise",
    "change_mfa_policy",
    "change_role",
    "create_organization",
    "invite",
    "join_platform",
    "leave",
    "note_dead_invitation",
    "purge_invitations",
    "remind_due",
    "remove_member",
    "resend",
    "stop_invitations_of",
    "transfer_ownership",
    "withdraw",
]
