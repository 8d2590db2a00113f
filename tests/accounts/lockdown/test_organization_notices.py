"""What somebody does to an organization in a person's name is told to that person, with a way to object."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.identity.models import User
from accounts.organizations import actions
from accounts.organizations.models import Membership
from kellexa_portal.core.actor import Actor
from kellexa_portal.mail.models import OutboxMail
from tests.accounts.lockdown.notice import disown, link_to, links_in, newest
from tests.accounts.mfa.passkey_pages import held
from tests.factories.organizations import founder, member

pytestmark = pytest.mark.django_db

Act = Callable[[Membership, Membership], object]


def _changes_role(owner: Membership, other: Membership) -> None:
    actions.change_role(actor=Actor.of(owner.user), by=owner, member=other, role="admin")


def _removes(owner: Membership, other: Membership) -> None:
    actions.remove_member(actor=Actor.of(owner.user), by=owner, member=other)


def _hands_over(owner: Membership, other: Membership) -> None:
    actions.transfer_ownership(actor=Actor.of(owner.user), by=owner, to=other)


def _asks_for_passkeys(owner: Membership, other: Membership) -> None:
    held(owner.user)
    actions.change_mfa_policy(
        actor=Actor.of(owner.user), by=owner, requirement="phishing_resistant", grace_days=14
    )


ACTS: dict[str, Act] = {
    "role_changed": _changes_role,
    "member_removed": _removes,
    "ownership_transferred": _hands_over,
    "mfa_policy_changed": _asks_for_passkeys,
}


@pytest.fixture
def owner() -> Membership:
    return founder()


@pytest.fixture
def other(owner: Membership) -> Membership:
    return member(owner.organization, Membership.Role.MEMBER)


@pytest.mark.parametrize("name", ACTS)
def test_whoever_acted_can_say_that_it_was_not_them(name: str, owner: Membership, other: Membership) -> None:
    ACTS[name](owner, other)

    disown(link_to(owner.user.email, f"organizations.{name}"))

    locked = User.objects.filter(locked_at__isnull=False)
    assert [user.pk for user in locked] == [owner.user_id]


@pytest.mark.parametrize("name", ["role_changed", "member_removed", "ownership_transferred"])
def test_whom_it_befell_is_told_without_a_link_that_locks_anybody(
    name: str, owner: Membership, other: Membership
) -> None:
    ACTS[name](owner, other)

    assert links_in(newest(other.user.email, f"organizations.{name}")) == set()


def test_who_left_can_say_that_it_was_not_them(owner: Membership, other: Membership) -> None:
    actions.leave(actor=Actor.of(other.user), by=other)

    disown(link_to(other.user.email, "organizations.member_removed"))

    assert User.objects.get(pk=other.user_id).locked_at is not None
    assert not OutboxMail.objects.filter(recipient=owner.user.email).exists()


def test_the_other_owners_hear_of_a_policy(owner: Membership, other: Membership) -> None:
    second = member(owner.organization, Membership.Role.OWNER)

    _asks_for_passkeys(owner, other)

    mails = OutboxMail.objects.filter(kind="organizations.mfa_policy_changed")
    assert {mail.recipient for mail in mails} == {owner.user.email, second.user.email}
    assert links_in(newest(second.user.email)) == set()
