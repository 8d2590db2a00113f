"""Attacks on organizations, through HTTP as an attacker has it."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts.identity.models import User
from accounts.organizations.models import Invitation, Membership, MfaPolicy
from kellexa_portal.audit import Stream
from tests.accounts.identity.mailbox import kinds_to, texts_to
from tests.factories import accounts, sign_in
from tests.factories.audit_support import recorded
from tests.factories.organizations import everyone, founder, invited, joined_ago, member, passkey_policy

pytestmark = pytest.mark.django_db

HOME = "/accounts/organization/"
MEMBERS = f"{HOME}members/"
ADA = "ada@new.example"
NEWCOMER = {"name": "Ada Newcomer", "password": accounts.PASSWORD}
Role = Membership.Role


@pytest.fixture
def owner() -> Membership:
    return founder("Acme")


def _signed_in(person: User) -> Client:
    client = Client()
    sign_in.sign_in(client, person)
    return client


def test_an_invitation_used_twice_is_refused(owner: Membership) -> None:
    """Case 39 (Sentry CVE-2022-23485): an accepted invitation opens nothing a second time, for anybody."""
    _invitation, path = invited(owner, ADA)
    assert Client().post(path, NEWCOMER).status_code == 302
    ada = User.objects.with_email(ADA).get()

    assert Client().post(path, NEWCOMER | {"name": "Eve"}).status_code == 404
    assert _signed_in(ada).post(path).status_code == 404
    assert Membership.objects.filter(organization=owner.organization).count() == 2
    assert User.objects.with_email(ADA).get().name == "Ada Newcomer"


@pytest.mark.django_db(transaction=True)
def test_an_invitation_used_by_many_at_once_lets_one_in() -> None:
    """Case 39: of eight parallel uses one joins; the others find the link dead or the address taken."""
    place = founder("Acme")
    _invitation, path = invited(place, ADA)

    def join(number: int) -> int:
        try:
            return Client().post(path, NEWCOMER | {"name": f"Ada {number}"}).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(join, range(8)))

    assert answers[0] == 302
    assert set(answers[1:]) <= {404, 409}
    assert User.objects.with_email(ADA).count() == 1
    assert Membership.objects.filter(organization=place.organization).count() == 2


def test_an_invitation_used_after_its_person_was_removed_is_refused(owner: Membership) -> None:
    """Case 39 (Zulip CVE-2022-21706): a removed person does not come back by the link they joined with."""
    ada = accounts.user(email=ADA)
    _invitation, path = invited(owner, ADA)
    theirs = _signed_in(ada)
    assert theirs.post(path).status_code == 302
    place = Membership.objects.get(user=ada)
    assert _signed_in(owner.user).post(f"{MEMBERS}{place.public_id}/remove/").status_code == 302

    assert theirs.post(path).status_code == 404
    assert theirs.get(HOME).status_code == 404


@pytest.mark.parametrize("field", ["organization", "organization_id", "org", "public_id"])
def test_an_invitation_for_another_organization_is_refused(owner: Membership, field: str) -> None:
    """Case 39: the organization is the token's; one that is posted beside it is ignored."""
    target = founder("Globex")
    ada = accounts.user(email=ADA)
    _invitation, path = invited(owner, ADA)

    _signed_in(ada).post(f"{path}?{field}={target.organization.public_id}", _naming(target, field))

    assert [place.organization for place in Membership.objects.filter(user=ada)] == [owner.organization]


def _naming(target: Membership, field: str) -> dict[str, str]:
    return {field: str(target.organization.public_id)}


def test_an_invitation_for_another_address_is_refused(owner: Membership) -> None:
    """Case 39: a link that was forwarded gives its holder nothing, and does not tell what it offers."""
    invitation, path = invited(owner, ADA, Role.ADMIN)
    eve = founder("Evil").user
    theirs = _signed_in(eve)

    shown, posted = theirs.get(path), theirs.post(path, {"email": ADA})

    assert (shown.status_code, posted.status_code) == (403, 403)
    for page in (shown.content.decode(), posted.content.decode()):
        assert "another address" in page
        assert "Acme" not in page
        assert ADA not in page
    invitation.refresh_from_db()
    assert invitation.accepted_at is None
    assert not Membership.objects.filter(user=eve, organization=owner.organization).exists()
    assert recorded(Stream.organization(owner.organization.public_id))[-1] == "org.invite.denied"


@pytest.mark.parametrize("typed", ["eve@evil.example", "ADA@new.example", "ada@new.example,eve@evil.example"])
def test_a_newcomer_who_posts_another_address_gets_the_invited_one(owner: Membership, typed: str) -> None:
    """Case 39: the account is made for the address that the mail went to, whatever the form says."""
    _invitation, path = invited(owner, ADA)

    Client().post(path, NEWCOMER | {"email": typed, "is_staff": "on", "email_confirmed_at": "2020-01-01"})

    joined = Membership.objects.exclude(pk=owner.pk).get()
    assert (joined.user.email, joined.user.is_staff) == (ADA, False)


@pytest.mark.parametrize("has_account", [True, False])
def test_an_invitation_to_a_role_gives_no_higher_one(owner: Membership, has_account: bool) -> None:
    """Case 39: the role is the token's; one that is posted beside it is ignored."""
    browser = _signed_in(accounts.user(email=ADA)) if has_account else Client()
    _invitation, path = invited(owner, ADA, Role.AUDITOR)

    browser.post(f"{path}?role=owner", NEWCOMER | {"role": "owner", "is_owner": "on"})

    assert Membership.objects.get(user__email=ADA).role == "auditor"


@pytest.mark.parametrize("token", ["0" * 43, "x", "%00", "a" * 5000, "..", "%F0%9F%92%A5"])
def test_a_made_up_invitation_is_refused(token: str) -> None:
    """Case 39: there is nothing behind a token that nobody was sent."""
    path = f"{HOME}invitation/{token}/"

    assert Client().get(path).status_code in {400, 404}
    assert Client().post(path, NEWCOMER).status_code in {400, 404}


@pytest.mark.parametrize("has_account", [True, False])
def test_an_invitation_that_expired_a_second_ago_is_refused_before_any_sweep(
    owner: Membership, has_account: bool
) -> None:
    """Case 40 (authentik CVE-2025-64708): expiry is checked at use, and no cleaner has run."""
    browser = _signed_in(accounts.user(email=ADA)) if has_account else Client()
    invitation, path = invited(owner, ADA)
    assert browser.get(path).status_code == 200
    now = timezone.now()
    Invitation.objects.filter(pk=invitation.pk).update(
        sent_at=now - timedelta(days=7, seconds=1), expires_at=now - timedelta(seconds=1)
    )

    assert browser.get(path).status_code == 404
    assert browser.post(path, NEWCOMER).status_code == 404
    assert not Membership.objects.filter(user__email=ADA).exists()


@pytest.mark.parametrize("own", [Role.MEMBER, Role.SECURITY, Role.AUDITOR, Role.ADMIN])
@pytest.mark.parametrize("invites", [ADA, "themselves"])
def test_somebody_who_is_no_owner_invites_no_owner(owner: Membership, own: str, invites: str) -> None:
    """Case 41 (TOB-PYPI26-8): a member who invites an owner is refused, and the attempt is on record."""
    place = member(owner.organization, own)
    email = place.user.email.replace("@", "+2@") if invites == "themselves" else invites

    answer = _signed_in(place.user).post(MEMBERS, {"email": email, "role": "owner"})

    assert answer.status_code == 403
    assert not Invitation.objects.exists()
    assert kinds_to(email) == []
    assert recorded(Stream.organization(owner.organization.public_id))[-1] == "org.access.denied"


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "path",
    [
        "members/{member}/",
        "members/{member}/remove/",
        "members/{member}/transfer/",
        "invitations/{invitation}/resend/",
        "invitations/{invitation}/withdraw/",
    ],
)
def test_anothers_id_is_an_unknown_id(owner: Membership, method: str, path: str) -> None:
    """Case 43 (Sentry CVE-2023-36826, authentik GHSA-4r87-w2cx-fr3f): every method × a foreign id."""
    other = founder("Globex")
    victim = member(other.organization)
    invitation, link = invited(other, ADA)
    browser = _signed_in(owner.user)
    form = "role=owner&requirement=required"

    foreign = {"member": victim.public_id, "invitation": invitation.public_id}
    unknown = {"member": uuid4(), "invitation": uuid4()}
    answers = [
        browser.generic(
            method, HOME + path.format(**ids), form, content_type="application/x-www-form-urlencoded"
        )
        for ids in (foreign, unknown)
    ]

    assert answers[0].status_code == answers[1].status_code
    assert answers[0].status_code in {404, 405}
    assert Membership.objects.get(pk=victim.pk).role == "member"
    assert Client().get(link).status_code == 200


def test_a_place_id_of_ones_other_organization_does_nothing_here(owner: Membership) -> None:
    """Case 43: an owner of two organizations acts in the one that is chosen, and in no other by its ids."""
    second = founder("Globex", owner=owner.user)
    victim = member(second.organization)

    answer = _signed_in(owner.user).post(f"{MEMBERS}{victim.public_id}/remove/")

    assert answer.status_code == 404
    assert Membership.objects.filter(pk=victim.pk).exists()


def test_one_organizations_policy_never_touches_anothers_people(owner: Membership) -> None:
    """Case 44 (Sentry CVE-2026-27197): a policy closes the organization that chose it and no other."""
    strict = founder("Strict")
    both = joined_ago(member(strict.organization), timedelta(days=50))
    home = joined_ago(member(owner.organization, person=both.user), timedelta(days=40))
    passkey_policy(strict.organization, grace_days=0, set_ago=timedelta(days=10))
    browser, neighbour = _signed_in(both.user), _signed_in(owner.user)

    assert browser.get(HOME).status_code == 403
    assert neighbour.get(HOME).status_code == 200
    browser.post(f"{HOME}switch/", {"organization": str(home.organization.public_id)})
    assert browser.get(HOME).status_code == 200
    assert "passkey" not in browser.get(HOME).content.decode()


def test_one_organizations_owner_sets_no_policy_for_another(owner: Membership) -> None:
    """Case 44: the organization is the one acted in; one that is posted is ignored."""
    target = founder("Globex")
    form = {"requirement": "required", "grace_days": "3", "organization": str(target.organization.public_id)}

    _signed_in(owner.user).post(f"{HOME}policy/?organization={target.organization.public_id}", form)

    assert MfaPolicy.objects.get().organization == owner.organization


KINDS = ("unknown", "known", "inactive", "staff", "elsewhere")


def _address(kind: str, number: int) -> str:
    email = f"{kind}{number}@probe.example"
    if kind == "known":
        accounts.user(email=email)
    elif kind == "inactive":
        accounts.user(email=email, is_inactive=True)
    elif kind == "staff":
        accounts.staff(email=email)
    elif kind == "elsewhere":
        founder(owner=accounts.user(email=email))
    return email


def test_inviting_does_not_tell_known_addresses_from_unknown_ones(owner: Membership) -> None:
    """Case 30 for inviters: the answer, the list, the mail and the median time are the same for all."""
    browser = _signed_in(owner.user)
    seconds: dict[str, list[float]] = {kind: [] for kind in KINDS}
    answers, mails = set(), set()
    for number in range(8):
        for kind in KINDS:
            email = _address(kind, number)
            began = time.perf_counter()
            answer = browser.post(MEMBERS, {"email": email, "role": "member"})
            seconds[kind].append(time.perf_counter() - began)
            answers.add((answer.status_code, answer["Location"]))
            page = browser.get(MEMBERS).content.decode()
            assert email in page
            text = texts_to(email)[-1]
            mails.add(text[: text.index("Works until")])

    medians = {kind: statistics.median(times) for kind, times in seconds.items()}
    assert answers == {(302, MEMBERS)}
    assert len(mails) == 1
    assert max(medians.values()) < 2 * min(medians.values()) + 0.01, medians


def test_every_role_below_stays_out_of_every_write(owner: Membership) -> None:
    """Case 41: whoever lacks the right meets 403 at each address that writes, whatever they post."""
    people = everyone(owner.organization)
    invitation, _path = invited(owner, ADA)
    victim = people["auditor"]
    writes = [
        ("members/", {"email": "x@new.example", "role": "member"}),
        (f"members/{victim.public_id}/", {"role": "owner"}),
        (f"members/{victim.public_id}/remove/", {}),
        (f"invitations/{invitation.public_id}/resend/", {}),
        (f"invitations/{invitation.public_id}/withdraw/", {}),
        ("policy/", {"requirement": "required", "grace_days": "1"}),
    ]

    for role in ("security", "member", "auditor"):
        browser = _signed_in(people[role].user)
        assert {browser.post(HOME + path, form).status_code for path, form in writes} == {403}, role
