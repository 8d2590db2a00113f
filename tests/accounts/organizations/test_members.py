"""Another role, leaving and removal: who may, what ends, and who hears of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.test import Client

from accounts.credentials import access as key_access
from accounts.credentials.actions import end_person
from accounts.credentials.models import ApiKey
from accounts.identity.access import NotPermittedError
from accounts.identity.models import User
from accounts.organizations import actions
from accounts.organizations.access import Forbidden
from accounts.organizations.models import Membership
from accounts.organizations.signals import member_removed, role_changed
from kellexa_portal.audit import Stream
from kellexa_portal.core.actor import Actor
from tests.accounts.identity.mailbox import kinds_to, texts_to
from tests.factories import credentials, sign_in
from tests.factories.audit_support import recorded
from tests.factories.organizations import founder, member

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


# --- Roles --------------------------------------------------------------------------------------


def test_an_owner_changes_a_role_and_the_person_hears_of_it(client: Client, owner: Membership) -> None:
    someone = member(owner.organization)
    sign_in.sign_in(client, owner.user)

    answer = client.post(_page(someone), {"role": "security"})

    assert answer["Location"] == f"{HOME}members/"
    assert _roles(owner)[someone.user.pk] == "security"
    assert recorded(_stream(owner))[-1] == "org.member.role.changed"
    mail = texts_to(someone.user.email)[-1]
    for part in ("Acme", owner.user.name, "Former role: Member", "New role: Security"):
        assert part in mail


def test_a_role_that_stays_is_no_event_and_no_mail(client: Client, owner: Membership) -> None:
    someone = member(owner.organization)
    sign_in.sign_in(client, owner.user)
    before = recorded(_stream(owner))

    client.post(_page(someone), {"role": "member"})

    assert recorded(_stream(owner)) == before
    assert kinds_to(someone.user.email) == []


@pytest.mark.parametrize(
    ("own", "former", "wanted", "status"),
    [
        ("owner", "admin", "owner", 302),
        ("owner", "owner", "member", 302),
        ("admin", "member", "admin", 302),
        ("admin", "admin", "auditor", 302),
        ("admin", "member", "owner", 403),
        ("admin", "owner", "member", 403),
        ("security", "member", "auditor", 403),
        ("member", "member", "owner", 403),
        ("auditor", "member", "auditor", 403),
        ("owner", "member", "root", 422),
        ("owner", "member", "", 422),
    ],
)
def test_who_may_change_which_role(
    client: Client, owner: Membership, own: str, former: str, wanted: str, status: int
) -> None:
    someone = member(owner.organization, former)
    sign_in.sign_in(client, (owner if own == "owner" else member(owner.organization, own)).user)

    answer = client.post(_page(someone), {"role": wanted})

    assert answer.status_code == status
    assert _roles(owner)[someone.user.pk] == (wanted if status == 302 else former)
    if status == 403:
        assert recorded(_stream(owner))[-1] == "org.access.denied"


def test_an_admin_does_not_promote_themselves(client: Client, owner: Membership) -> None:
    admin = member(owner.organization, Role.ADMIN)
    sign_in.sign_in(client, admin.user)

    assert client.post(_page(admin), {"role": "owner"}).status_code == 403


def test_the_last_owner_stays_one(client: Client, owner: Membership) -> None:
    inactive = member(owner.organization, Role.OWNER)
    User.objects.filter(pk=inactive.user.pk).update(is_active=False)
    sign_in.sign_in(client, owner.user)

    answer = client.post(_page(owner), {"role": "member"})

    assert answer.status_code == 422
    assert "at least one owner" in answer.content.decode()
    assert _roles(owner)[owner.user.pk] == "owner"


def test_a_weaker_role_holds_at_the_next_request(client: Client, owner: Membership) -> None:
    admin = member(owner.organization, Role.ADMIN)
    sign_in.sign_in(client, admin.user)
    assert client.get(f"{HOME}members/").status_code == 200

    actions.change_role(actor=Actor.of(owner.user), by=owner, member=admin, role="member")

    assert client.get(f"{HOME}members/").status_code == 403


def test_a_right_that_was_lost_meanwhile_is_not_used(owner: Membership) -> None:
    """The request read an admin; by the time the organization is held they are none."""
    admin, someone = member(owner.organization, Role.ADMIN), member(owner.organization)
    stale = Membership.objects.select_related("organization", "user").get(pk=admin.pk)
    actions.change_role(actor=Actor.of(owner.user), by=owner, member=admin, role="member")

    with pytest.raises(Forbidden):
        actions.change_role(actor=Actor.of(stale.user), by=stale, member=someone, role="admin")
    actions.remove_member(actor=Actor.of(owner.user), by=owner, member=admin)
    with pytest.raises(Forbidden):
        actions.invite(actor=Actor.of(stale.user), by=stale, email="x@new.example", role="member")


def test_the_apps_above_hear_of_a_role(owner: Membership) -> None:
    heard = []

    def listen(*, membership: Membership, before: str, **kwargs: object) -> None:
        heard.append((membership.role, before))

    role_changed.connect(listen)
    try:
        someone = member(owner.organization)
        actions.change_role(actor=Actor.of(owner.user), by=owner, member=someone, role="auditor")
    finally:
        role_changed.disconnect(listen)

    assert heard == [("auditor", "member")]


# --- Removal and leaving ------------------------------------------------------------------------


def test_a_removed_persons_open_session_loses_the_organization_at_once(
    client: Client, owner: Membership
) -> None:
    someone = member(owner.organization, Role.ADMIN)
    theirs = Client()
    sign_in.sign_in(theirs, someone.user)
    assert theirs.get(f"{HOME}members/").status_code == 200
    sign_in.sign_in(client, owner.user)

    answer = client.post(_page(someone, "remove/"))

    assert answer["Location"] == f"{HOME}members/"
    assert theirs.get(HOME).status_code == 404
    assert theirs.get("/accounts/keys/").status_code == 404
    assert theirs.get("/accounts/sessions/").status_code == 200
    assert recorded(_stream(owner))[-1] == "org.member.removed"
    assert "You were removed from Acme" in texts_to(someone.user.email)[-1]


def test_what_a_removed_person_held_in_the_organization_ends(owner: Membership) -> None:
    someone = member(owner.organization)
    elsewhere = founder("Globex", owner=someone.user)
    personal = credentials.personal(someone).key
    kept = credentials.personal(elsewhere).key
    service = credentials.api_key(owner, contacts=[someone.user])
    foreign = credentials.api_key(elsewhere)
    assert key_access.visible_to(someone).filter(pk=service.pk).exists()

    actions.remove_member(actor=Actor.of(owner.user), by=owner, member=someone)

    personal.refresh_from_db()
    assert (personal.revoked_at is not None, personal.revoke_reason) == (True, "person_left")
    assert not service.contact_rows.exists()
    assert not service.exceptions.exists()
    for untouched in (service, kept, foreign):
        untouched.refresh_from_db()
        assert untouched.revoked_at is None
    assert {"key.revoked", "key.contacts.changed"} <= set(recorded(_stream(owner)))
    assert "key.revoked" not in recorded(_stream(elsewhere))


def test_a_person_who_comes_back_finds_no_exception_waiting(owner: Membership) -> None:
    someone = member(owner.organization)
    service = credentials.api_key(owner, contacts=[someone.user])

    actions.remove_member(actor=Actor.of(owner.user), by=owner, member=someone)
    back = member(owner.organization, person=someone.user)

    assert not key_access.may_view(back, service)
    assert not key_access.may_rotate(back, service)


def test_only_the_portal_ends_what_a_person_held(owner: Membership) -> None:
    with pytest.raises(NotPermittedError):
        end_person(actor=Actor.of(owner.user), organization=owner.organization, user=owner.user)


def test_a_removal_that_fails_revokes_nothing(owner: Membership) -> None:
    someone = member(owner.organization)
    credentials.personal(someone)

    def fail(**kwargs: object) -> None:
        raise RuntimeError

    member_removed.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            actions.remove_member(actor=Actor.of(owner.user), by=owner, member=someone)
    finally:
        member_removed.disconnect(fail)

    assert not ApiKey.objects.filter(revoked_at__isnull=False).exists()
    assert Membership.objects.filter(pk=someone.pk).exists()


@pytest.mark.parametrize("own", [Role.SECURITY, Role.MEMBER, Role.AUDITOR])
def test_others_remove_nobody(client: Client, owner: Membership, own: str) -> None:
    someone = member(owner.organization)
    sign_in.sign_in(client, member(owner.organization, own).user)

    assert client.post(_page(someone, "remove/")).status_code == 403
    assert Membership.objects.filter(pk=someone.pk).exists()


def test_an_admin_removes_no_owner(client: Client, owner: Membership) -> None:
    sign_in.sign_in(client, member(owner.organization, Role.ADMIN).user)

    assert client.post(_page(owner, "remove/")).status_code == 403


@pytest.mark.parametrize("own", [Role.ADMIN, Role.SECURITY, Role.MEMBER, Role.AUDITOR])
def test_everyone_may_leave(client: Client, owner: Membership, own: str) -> None:
    place = member(owner.organization, own)
    sign_in.sign_in(client, place.user)

    answer = client.post(f"{HOME}leave/")

    assert answer["Location"] == "/accounts/"
    assert not Membership.objects.filter(pk=place.pk).exists()
    assert client.get(HOME).status_code == 404
    assert "You left Acme" in texts_to(place.user.email)[-1]


@pytest.mark.parametrize("way", ["leave", "remove"])
def test_the_last_owner_cannot_go(client: Client, owner: Membership, way: str) -> None:
    member(owner.organization, Role.ADMIN)
    sign_in.sign_in(client, owner.user)

    path = f"{HOME}leave/" if way == "leave" else _page(owner, "remove/")

    assert client.post(path).status_code == 409
    assert _roles(owner)[owner.user.pk] == "owner"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["leave", "weaken"])
def test_of_two_owners_who_go_at_once_one_stays(way: str) -> None:
    first = founder()
    second = member(first.organization, Role.OWNER)

    def go(place: Membership) -> str:
        try:
            if way == "leave":
                actions.leave(actor=Actor.of(place.user), by=place)
            else:
                actions.change_role(actor=Actor.of(place.user), by=place, member=place, role="member")
        except actions.LastOwner:
            return "stays"
        finally:
            connections.close_all()
        return "goes"

    with ThreadPoolExecutor(2) as pool:
        fates = sorted(pool.map(go, [first, second]))

    assert fates == ["goes", "stays"]
    assert Membership.objects.filter(organization=first.organization, role="owner").count() == 1
