"""Organizations: their people, invitations and policies."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client

from accounts.organizations.events import OrganizationEvent
from accounts.organizations.models import Invitation, Membership
from accounts.organizations.tasks import remind_due
from kellexa_portal.audit import Outcome
from tests.accounts.attacks.scenes import Act, emits
from tests.accounts.attacks.scenes.people import confirming_a_sign_up, signed_in
from tests.accounts.mfa.passkey_pages import held
from tests.factories import accounts, organizations
from tests.factories.sign_in import may, new_person

HOME = "/accounts/organization/"
MEMBERS = f"{HOME}members/"
INVITED = "ada@new.example"
Role = Membership.Role


def _owner() -> tuple[Membership, Client]:
    owner = organizations.founder("Acme", owner=new_person())
    return owner, signed_in(owner.user)


@emits(OrganizationEvent.CREATED)
def founding_an_organization() -> Act:
    return confirming_a_sign_up()


@emits(OrganizationEvent.MEMBER_ADDED)
def joining_an_organization() -> Act:
    return accepting_an_invitation()


@emits(OrganizationEvent.MEMBER_ROLE_CHANGED)
def changing_a_role() -> Act:
    owner, client = _owner()
    someone = organizations.member(owner.organization)
    return lambda: client.post(f"{MEMBERS}{someone.public_id}/", {"role": Role.ADMIN})


@emits(OrganizationEvent.MEMBER_REMOVED)
def removing_a_person() -> Act:
    owner, client = _owner()
    someone = organizations.member(owner.organization)
    return lambda: client.post(f"{MEMBERS}{someone.public_id}/remove/")


@emits(OrganizationEvent.MEMBER_REMOVED)
def leaving() -> Act:
    owner, _client = _owner()
    client = signed_in(organizations.member(owner.organization).user)
    return lambda: client.post(f"{HOME}leave/")


@emits(OrganizationEvent.OWNERSHIP_TRANSFERRED)
def handing_the_ownership_over() -> Act:
    owner, client = _owner()
    someone = organizations.member(owner.organization, Role.ADMIN)
    may(client, "organization.transfer", str(someone.public_id))
    return lambda: client.post(f"{MEMBERS}{someone.public_id}/transfer/")


@emits(OrganizationEvent.INVITE_SENT)
def inviting() -> Act:
    _place, client = _owner()
    return lambda: client.post(MEMBERS, {"email": INVITED, "role": Role.MEMBER})


@emits(OrganizationEvent.INVITE_RESENT)
def inviting_again() -> Act:
    owner, client = _owner()
    invitation, _path = organizations.invited(owner, INVITED)
    return lambda: client.post(f"{HOME}invitations/{invitation.public_id}/resend/")


@emits(OrganizationEvent.INVITE_WITHDRAWN)
def taking_an_invitation_back() -> Act:
    owner, client = _owner()
    invitation, _path = organizations.invited(owner, INVITED)
    return lambda: client.post(f"{HOME}invitations/{invitation.public_id}/withdraw/")


@emits(OrganizationEvent.INVITE_STOPPED)
def locking_down_who_invited() -> Act:
    owner, client = _owner()
    invitation, _path = organizations.invited(owner, INVITED)
    earlier = invitation.created_at - timedelta(hours=1)
    Invitation.objects.update(created_at=earlier, sent_at=earlier)
    return lambda: client.post("/accounts/lockdown/")


@emits(OrganizationEvent.INVITE_ACCEPTED)
def accepting_an_invitation() -> Act:
    owner, _client = _owner()
    _invitation, path = organizations.invited(owner, INVITED)
    return lambda: Client().post(path, {"name": "Ada", "password": accounts.PASSWORD})


@emits(OrganizationEvent.INVITE_DENIED, Outcome.DENIED)
def using_a_made_up_invitation() -> Act:
    return lambda: Client().post(f"{HOME}invitation/{'x' * 43}/")


@emits(OrganizationEvent.MFA_POLICY_CHANGED)
def asking_for_passkeys() -> Act:
    owner, client = _owner()
    held(owner.user)
    form = {"requirement": "phishing_resistant", "grace_days": "14"}
    return lambda: client.post(f"{HOME}policy/", form)


@emits(OrganizationEvent.MFA_REMINDER_SENT)
def reminding_of_the_policy() -> Act:
    owner, _client = _owner()
    organizations.joined_ago(owner, timedelta(days=100))
    organizations.passkey_policy(owner.organization, grace_days=14, set_ago=timedelta(days=7, hours=1))
    return lambda: [remind_due() for _ in range(2)]


@emits(OrganizationEvent.ACCESS_DENIED, Outcome.DENIED)
def inviting_without_the_right() -> Act:
    owner, _client = _owner()
    client = signed_in(organizations.member(owner.organization, Role.AUDITOR).user)
    return lambda: client.post(MEMBERS, {"email": INVITED, "role": Role.MEMBER})
