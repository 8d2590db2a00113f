"""Invitations: who may send which, what ends them, and what the mails say."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.identity import quarantine
from accounts.identity.models import User
from accounts.identity.signals import locked_down
from accounts.organizations import access, actions, limits, rules
from accounts.organizations.models import Invitation, Membership
from kellexa_portal.audit import Stream
from kellexa_portal.core.actor import Actor
from kellexa_portal.mail.models import OutboxMail
from kellexa_portal.ratelimit import TooManyAttempts
from kellexa_portal.settings import BASE_DIR
from tests.accounts.identity.mailbox import kinds_to, path_to, texts_to
from tests.factories import sign_in
from tests.factories.audit_support import recorded
from tests.factories.organizations import founder, invited, member

pytestmark = pytest.mark.django_db

MEMBERS = "/accounts/organization/members/"
Role = Membership.Role


@pytest.fixture
def owner() -> Membership:
    return founder("Acme")


def _stream(place: Membership) -> Stream:
    return Stream.organization(place.organization.public_id)


def _press(client: Client, invitation: Invitation, button: str) -> int:
    path = f"/accounts/organization/invitations/{invitation.public_id}/{button}/"
    return client.post(path).status_code


# --- Inviting -----------------------------------------------------------------------------------


def test_an_owner_invites_by_the_form_and_sees_it_listed(client: Client, owner: Membership) -> None:
    sign_in.sign_in(client, owner.user)

    answer = client.post(MEMBERS, {"email": "Ada@New.Example ", "role": "security"})

    page = client.get(MEMBERS).content.decode()
    assert (answer.status_code, answer["Location"]) == (302, MEMBERS)
    assert "Ada@new.example" in page
    assert "Send again" in page
    assert recorded(_stream(owner))[-1] == "org.invite.sent"


def test_the_mail_says_who_invites_where_and_carries_the_only_copy_of_the_token(owner: Membership) -> None:
    invitation, path = invited(owner)

    text = texts_to("ada@new.example")[0]
    token = path.rstrip("/").rpartition("/")[2]
    for part in ("Acme", owner.user.name, owner.user.email, "Member"):
        assert part in text
    assert token.encode() not in bytes(invitation.token_hash)
    assert len(bytes(invitation.token_hash)) == 32
    assert token not in str(Invitation.objects.values().get())


@pytest.mark.parametrize(
    ("own", "offered"),
    [
        (Role.OWNER, [Role.OWNER, Role.ADMIN, Role.SECURITY, Role.MEMBER, Role.AUDITOR]),
        (Role.ADMIN, [Role.ADMIN, Role.SECURITY, Role.MEMBER, Role.AUDITOR]),
        (Role.SECURITY, []),
        (Role.MEMBER, []),
        (Role.AUDITOR, []),
    ],
)
def test_nobody_hands_out_more_than_they_hold(owner: Membership, own: str, offered: list[str]) -> None:
    place = owner if own == Role.OWNER else member(owner.organization, own)

    assert access.roles_to_hand_out(place) == offered
    assert not access.may_hand_out(place, "root")


def test_the_form_offers_an_admin_no_owner(client: Client, owner: Membership) -> None:
    sign_in.sign_in(client, member(owner.organization, Role.ADMIN).user)

    page = client.get(MEMBERS).content.decode()

    assert '<option value="admin">' in page
    assert '<option value="owner">' not in page


def test_only_those_who_manage_members_see_invitations(client: Client, owner: Membership) -> None:
    invited(owner)
    sign_in.sign_in(client, member(owner.organization, Role.AUDITOR).user)

    page = client.get(MEMBERS).content.decode()

    assert "ada@new.example" not in page
    assert "Send invitation" not in page


@pytest.mark.parametrize("typed", ["ada@new.example", "ADA@NEW.EXAMPLE", "\uff41da@new.example"])
def test_an_address_has_one_open_invitation(client: Client, owner: Membership, typed: str) -> None:
    invited(owner)
    sign_in.sign_in(client, owner.user)

    answer = client.post(MEMBERS, {"email": typed, "role": "member"})

    assert answer.status_code == 422
    assert "open invitation" in answer.content.decode()
    assert Invitation.objects.count() == 1


def test_the_database_knows_one_open_invitation_an_address(owner: Membership) -> None:
    invitation, _path = invited(owner)
    invitation.pk, invitation.token_hash = None, b"x" * 32
    invitation.public_id, invitation.email = owner.public_id, "ADA@new.example"

    with pytest.raises(IntegrityError), transaction.atomic():
        invitation.save()


def test_an_expired_invitation_makes_room_for_another(owner: Membership) -> None:
    first, _path = invited(owner)
    _expire(first)

    second, _path = invited(owner)

    assert Invitation.objects.open().get() == second


def _expire(invitation: Invitation, *, ago: timedelta = timedelta(seconds=1)) -> None:
    now = timezone.now()
    Invitation.objects.filter(pk=invitation.pk).update(
        sent_at=now - rules.INVITATION_LIFETIME - ago, expires_at=now - ago
    )


def test_a_member_is_not_invited_again(client: Client, owner: Membership) -> None:
    someone = member(owner.organization)
    sign_in.sign_in(client, owner.user)

    answer = client.post(MEMBERS, {"email": someone.user.email.upper(), "role": "admin"})

    assert answer.status_code == 422
    assert "already belongs" in answer.content.decode()


def test_an_organization_cannot_flood_mailboxes(owner: Membership) -> None:
    for number in range(limits.INVITE_BY_ORGANIZATION.budget):
        invited(owner, f"person{number}@new.example")

    with pytest.raises(TooManyAttempts):
        invited(owner, "one-too-many@new.example")


def test_an_address_that_many_invite_gets_no_more_mail_and_nobody_is_told() -> None:
    for _ in range(limits.INVITE_MAIL_DAILY.budget + 2):
        invited(founder())

    assert Invitation.objects.count() == limits.INVITE_MAIL_DAILY.budget + 2
    assert len(kinds_to("ada@new.example")) == limits.INVITE_MAIL_DAILY.budget


def test_the_written_limits_are_the_running_ones() -> None:
    text = (BASE_DIR / "docs/adr/0012-organizations.md").read_text(encoding="utf-8")

    for limit in (limits.INVITE_BY_ORGANIZATION, limits.INVITE_MAIL_DAILY):
        hours = limit.period // timedelta(hours=1)
        assert f"| `{limit.name}` | {limit.budget} | {hours} h |" in text


# --- Again, and back ----------------------------------------------------------------------------


def test_sending_again_kills_the_former_link(client: Client, owner: Membership) -> None:
    invitation, old = invited(owner)
    _expire(invitation)
    sign_in.sign_in(client, owner.user)

    assert _press(client, invitation, "resend") == 302

    stranger, new = Client(), path_to("ada@new.example")
    assert new != old
    assert (stranger.get(old).status_code, stranger.get(new).status_code) == (404, 200)
    assert recorded(_stream(owner))[-1] == "org.invite.resent"


def test_a_withdrawn_invitation_is_dead(client: Client, owner: Membership) -> None:
    invitation, path = invited(owner)
    sign_in.sign_in(client, owner.user)

    assert _press(client, invitation, "withdraw") == 302

    assert recorded(_stream(owner))[-1] == "org.invite.withdrawn"
    assert Client().get(path).status_code == 404
    assert _press(client, invitation, "withdraw") == 404
    assert _press(client, invitation, "resend") == 404


def test_an_admin_neither_resends_nor_withdraws_what_an_owner_offered(
    client: Client, owner: Membership
) -> None:
    invitation, path = invited(owner, role=Role.OWNER)
    sign_in.sign_in(client, member(owner.organization, Role.ADMIN).user)

    assert _press(client, invitation, "resend") == 403
    assert _press(client, invitation, "withdraw") == 403
    assert Client().get(path).status_code == 200


@pytest.mark.parametrize("fate", ["removed", "weakened", "deactivated", "locked down"])
def test_an_invitation_falls_with_its_sender(owner: Membership, fate: str) -> None:
    sender = member(owner.organization, Role.ADMIN)
    _invitation, path = invited(sender)
    if fate == "removed":
        actions.remove_member(actor=Actor.of(owner.user), by=owner, member=sender)
    elif fate == "weakened":
        actions.change_role(actor=Actor.of(owner.user), by=owner, member=sender, role="member")
    elif fate == "deactivated":
        User.objects.filter(pk=sender.user.pk).update(is_active=False)
    else:
        User.objects.filter(pk=sender.user.pk).update(locked_at=timezone.now())

    assert Client().get(path).status_code == 404


def test_a_lock_down_ends_what_the_account_sent(owner: Membership) -> None:
    """A thief at an admin's session invites themselves; the admin's lock-down closes that door too."""
    admin = member(owner.organization, Role.ADMIN)
    _invitation, theirs = invited(admin, "thief@evil.example", Role.ADMIN)
    _invitation, kept = invited(owner, "ada@new.example")

    with transaction.atomic():
        locked_down.send(sender=None, user=admin.user, actor=Actor.of(admin.user), lockdown=admin.public_id)

    assert (Client().get(theirs).status_code, Client().get(kept).status_code) == (404, 200)
    assert recorded(_stream(owner)).count("org.invite.stopped") == 1
    assert Invitation.objects.open().count() == 2


def test_a_lock_down_does_not_stumble_over_an_invitation_of_the_same_instant(owner: Membership) -> None:
    """Also after the clock was set back: the database refuses a life of no length."""
    admin = member(owner.organization, Role.ADMIN)
    with time_machine.travel("2026-11-23T12:00:07Z", tick=False):
        invited(admin, "thief@evil.example", Role.ADMIN)
        with transaction.atomic():
            stopped = actions.stop_invitations_of(actor=Actor.system("tests"), user=admin.user)

    assert stopped == 1
    assert Invitation.objects.get(email="thief@evil.example").expires_at < timezone.now()


def test_in_quarantine_nobody_makes_an_owner(client: Client, owner: Membership) -> None:
    someone = member(owner.organization)
    invitation, _path = invited(owner, "earlier@new.example", Role.OWNER)
    with transaction.atomic():
        quarantine.begin(owner.user, actor=Actor.system("tests"), reason="test")
    sign_in.sign_in(client, owner.user)
    place = f"{MEMBERS}{someone.public_id}/"

    refused = [
        client.post(MEMBERS, {"email": "ada@new.example", "role": "owner"}),
        client.post(place, {"role": "owner"}),
        client.post(f"/accounts/organization/invitations/{invitation.public_id}/resend/"),
    ]
    with pytest.raises(quarantine.QuarantinedError):
        actions.transfer_ownership(actor=Actor.of(owner.user), by=owner, to=someone)

    assert [answer.status_code for answer in refused] == [403] * 3
    assert "quarantine" in refused[0].content.decode()
    assert client.post(place, {"role": "admin"}).status_code == 302


def test_invitations_of_people_who_never_came_are_forgotten(owner: Membership) -> None:
    old, _path = invited(owner, "old@new.example")
    invited(owner, "young@new.example")
    _expire(old, ago=rules.KEEP_ENDED_INVITATIONS_FOR + timedelta(seconds=1))

    assert actions.purge_invitations(now=timezone.now()) == 1
    assert Invitation.objects.get().email == "young@new.example"


def test_a_list_of_invitations_costs_the_same_whatever_its_length(client: Client, owner: Membership) -> None:
    sign_in.sign_in(client, owner.user)
    costs = []
    for number in range(12):
        invited(owner, f"person{number}@new.example")
        with CaptureQueriesContext(connection) as queries:
            client.get(MEMBERS)
        costs.append(len(queries))

    assert costs[1] == costs[-1]


def test_no_mail_of_an_invitation_is_sent_when_its_action_fails(owner: Membership) -> None:
    with pytest.raises(access.Forbidden):
        invited(member(owner.organization))

    assert not OutboxMail.objects.filter(kind="organizations.invitation").exists()
