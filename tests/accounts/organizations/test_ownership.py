"""Handing over the ownership, and the proofs that changes of people ask for."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.identity.models import User
from accounts.organizations import actions
from accounts.organizations.access import Forbidden
from accounts.organizations.models import Membership
from accounts.sessions.models import AccountSession
from kellexa_portal.audit import Stream
from kellexa_portal.core.actor import Actor
from tests.accounts.identity.mailbox import texts_to
from tests.factories import accounts, sign_in
from tests.factories.audit_support import recorded
from tests.factories.organizations import everyone, founder, invited, member, organization, passkey_policy

pytestmark = pytest.mark.django_db

HOME = "/accounts/organization/"
Role = Membership.Role


@pytest.fixture
def owner() -> Membership:
    return founder("Acme")


def _page(place: Membership, step: str = "") -> str:
    return f"{HOME}members/{place.public_id}/{step}"


def _stream(place: Membership) -> Stream:
    return Stream.organization(place.organization.public_id)


def _roles(place: Membership) -> dict[int, str]:
    return dict(Membership.objects.filter(organization=place.organization).values_list("user", "role"))


def _stale(session: AccountSession) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    AccountSession.objects.filter(pk=session.pk).update(proof_at=long_ago, factor_at=long_ago)


def _prove(client: Client, user: User, answer: object) -> None:
    """Follows a demand for a factor to its page and shows one."""
    page = str(answer["Location"])  # type: ignore[index]
    assert page.startswith("/accounts/verify/"), page
    shown = client.get(page).content.decode()
    way = re.search(r'name="way" value="(\w+)"', shown)
    code = sign_in.totp_now(sign_in.enrolled(user))
    client.post(page, {"way": way.group(1) if way else "totp", "code": code})


def test_an_owner_hands_over_after_a_factor_for_exactly_this(client: Client, owner: Membership) -> None:
    heir, other = member(owner.organization, Role.ADMIN), member(owner.organization)
    sign_in.sign_in(client, owner.user)
    path = _page(heir, "transfer/")

    asked = client.post(path)
    assert _roles(owner)[heir.user.pk] == "admin"
    _prove(client, owner.user, asked)
    assert client.post(_page(other, "transfer/")).status_code == 303
    answer = client.post(path)

    assert answer["Location"] == f"{HOME}members/"
    assert _roles(owner) == {owner.user.pk: "admin", heir.user.pk: "owner", other.user.pk: "member"}
    assert recorded(_stream(owner))[-1] == "org.ownership.transferred"
    assert "now an owner of Acme" in texts_to(heir.user.email)[-1]
    assert "no longer an owner of Acme" in texts_to(owner.user.email)[-1]
    assert client.post(path).status_code == 404


@pytest.mark.parametrize("own", [Role.ADMIN, Role.SECURITY, Role.MEMBER])
def test_nobody_else_hands_over(client: Client, owner: Membership, own: str) -> None:
    place, heir = member(owner.organization, own), member(owner.organization)
    sign_in.sign_in(client, place.user)

    assert client.post(_page(heir, "transfer/")).status_code in {403, 404}
    with pytest.raises(Forbidden):
        actions.transfer_ownership(actor=Actor.of(place.user), by=place, to=heir)


@pytest.mark.parametrize("heir", ["oneself", "an owner", "inactive", "without a passkey", "a stranger"])
def test_the_ownership_goes_to_somebody_who_can_use_it(
    owner: Membership, holders: set[int], heir: str
) -> None:
    if heir == "without a passkey":
        passkey_policy(owner.organization)
    candidates = {
        "oneself": owner,
        "an owner": member(owner.organization, Role.OWNER),
        "inactive": member(owner.organization, person=accounts.user(is_inactive=True)),
        "without a passkey": member(owner.organization),
        "a stranger": founder(),
    }

    with pytest.raises(actions.MemberNotFound if heir == "a stranger" else actions.UnfitOwner):
        actions.transfer_ownership(actor=Actor.of(owner.user), by=owner, to=candidates[heir])

    assert _roles(owner)[owner.user.pk] == "owner"


# --- Step-up ------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["members/", "policy/", "leave/", "member", "remove", "resend", "withdraw"])
def test_an_old_proof_changes_nobody(client: Client, owner: Membership, page: str) -> None:
    someone = member(owner.organization)
    invitation, _path = invited(owner)
    _stale(sign_in.sign_in(client, owner.user))
    paths = {
        "member": _page(someone),
        "remove": _page(someone, "remove/"),
        "resend": f"{HOME}invitations/{invitation.public_id}/resend/",
        "withdraw": f"{HOME}invitations/{invitation.public_id}/withdraw/",
    }
    before = recorded(_stream(owner))

    answer = client.post(paths.get(page, HOME + page), {"role": "owner", "email": "b@new.example"})

    assert answer.status_code == 303
    assert answer["Location"].startswith("/accounts/verify/")
    assert recorded(_stream(owner)) == before


def test_what_was_typed_survives_the_proof(client: Client, owner: Membership) -> None:
    _stale(sign_in.sign_in(client, owner.user))

    asked = client.post(f"{HOME}members/", {"email": "bea@new.example", "role": "auditor"})
    _prove(client, owner.user, asked)
    page = client.get(f"{HOME}members/").content.decode()

    assert 'value="bea@new.example"' in page
    assert '<option value="auditor" selected>' in page


def test_every_page_of_a_person_draws_for_those_who_manage(client: Client) -> None:
    place = organization("Acme")
    people = everyone(place)
    sign_in.sign_in(client, people["admin"].user)

    for role, someone in people.items():
        page = client.get(_page(someone)).content.decode()
        assert someone.user.email in page
        assert ("Save role" in page) is (role != "owner")
        assert client.get(_page(someone, "remove/")).status_code == 200
