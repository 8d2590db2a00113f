"""The second-factor policy: when it holds for whom, what it closes, and who is told in time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.mfa.models import Enrolment, Passkey
from accounts.organizations import actions, compliance, queries, rules
from accounts.organizations.models import Membership, MfaPolicy, MfaReminder
from kellexa_portal.audit import Stream
from kellexa_portal.celery import app
from kellexa_portal.core.actor import Actor
from kellexa_portal.mail.models import OutboxMail
from tests.accounts.identity.mailbox import texts_to
from tests.factories import accounts, sign_in
from tests.factories.audit_support import recorded
from tests.factories.organizations import founder, joined_ago, member, passkey_policy

HOME = "/accounts/organization/"
DAY = timedelta(days=1)
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
SYSTEM = Actor.system("tests")


@pytest.fixture
def owner() -> Membership:
    return joined_ago(founder("Acme"), 100 * DAY)


def _stream(place: Membership) -> Stream:
    return Stream.organization(place.organization.public_id)


def _mails(kind: str = "organizations.passkey_due") -> list[str]:
    return list(OutboxMail.objects.filter(kind=kind).order_by("pk").values_list("recipient", flat=True))


# --- The date -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("set_at", "joined_at", "grace", "due"),
    [
        (NOON, NOON - 50 * DAY, 14, NOON + 14 * DAY),
        (NOON - 50 * DAY, NOON, 14, NOON + 14 * DAY),
        (NOON, NOON, 0, NOON),
        (NOON, NOON - DAY, 30, NOON + 30 * DAY),
    ],
    ids=["member before", "joined later", "no grace", "longest"],
)
def test_the_date_is_a_grace_after_the_later_of_policy_and_joining(
    set_at: datetime, joined_at: datetime, grace: int, due: datetime
) -> None:
    assert rules.due_at(set_at=set_at, joined_at=joined_at, grace_days=grace) == due


@pytest.mark.parametrize(
    ("left", "stage"),
    [
        (8 * DAY, None),
        (7 * DAY + timedelta(seconds=1), None),
        (7 * DAY, 7),
        (3 * DAY + timedelta(seconds=1), 7),
        (3 * DAY, 3),
        (DAY, 1),
        (timedelta(seconds=1), 1),
        (timedelta(0), 0),
        (-90 * DAY, 0),
    ],
)
def test_the_most_urgent_stage_is_told(left: timedelta, stage: int | None) -> None:
    assert rules.stage_at(due_at=NOON + left, now=NOON) == stage


# --- What it closes -----------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(("overdue", "status"), [(-timedelta(minutes=1), 200), (timedelta(seconds=1), 403)])
def test_the_organization_closes_at_the_date_and_not_before(
    client: Client, owner: Membership, overdue: timedelta, status: int
) -> None:
    passkey_policy(owner.organization, grace_days=14, set_ago=14 * DAY + overdue)
    sign_in.sign_in(client, owner.user)

    pages = ("", "members/", "policy/", "audit/")
    answers = {client.get(HOME + page).status_code for page in pages}
    answers |= {client.get(path).status_code for path in ("/accounts/keys/", "/accounts/keys/create/")}

    assert answers == {status}


@pytest.mark.django_db
def test_the_closed_page_says_what_to_do_and_the_account_stays_open(
    client: Client, owner: Membership
) -> None:
    passkey_policy(owner.organization, grace_days=0, set_ago=DAY)
    other = founder("Globex", owner=owner.user)
    sign_in.sign_in(client, owner.user)

    answer = client.get(HOME)
    page = answer.content.decode()

    assert "Add a passkey" in page
    assert "/accounts/mfa/" in page
    assert "Switch to Globex" in page
    assert answer["Cache-Control"] == "no-store, private"
    assert client.get("/accounts/mfa/").status_code == 200
    assert client.get("/accounts/sessions/").status_code == 200
    client.post(f"{HOME}switch/", {"organization": str(other.organization.public_id)})
    assert client.get(HOME).context["organization"] == other.organization


@pytest.mark.django_db
def test_nobody_is_expelled_and_a_passkey_opens_at_once(
    client: Client, owner: Membership, holders: set[int]
) -> None:
    passkey_policy(owner.organization, grace_days=0, set_ago=DAY)
    sign_in.sign_in(client, owner.user)
    assert client.get(HOME).status_code == 403
    assert Membership.objects.filter(pk=owner.pk).exists()

    holders.add(owner.user.pk)

    assert client.get(HOME).status_code == 200


@pytest.mark.django_db
def test_a_closed_person_writes_nothing_but_may_leave(client: Client, owner: Membership) -> None:
    admin = joined_ago(member(owner.organization, Membership.Role.ADMIN), 50 * DAY)
    passkey_policy(owner.organization, grace_days=0, set_ago=DAY)
    sign_in.sign_in(client, admin.user)

    writes = {
        "policy/": {"requirement": "required", "grace_days": "30"},
        "members/": {"email": "x@new.example", "role": "member"},
        f"members/{owner.public_id}/remove/": {},
    }

    assert {client.post(HOME + path, form).status_code for path, form in writes.items()} == {403}
    assert client.post(f"{HOME}leave/").status_code == 302


@pytest.mark.django_db
def test_somebody_who_joins_later_has_the_whole_grace(client: Client, owner: Membership) -> None:
    passkey_policy(owner.organization, grace_days=14, set_ago=50 * DAY)
    sign_in.sign_in(client, member(owner.organization).user)

    answer = client.get(HOME)

    assert answer.status_code == 200
    assert "asks for a passkey" in answer.content.decode()


@pytest.mark.django_db
def test_while_no_app_answers_nobody_complies(monkeypatch: pytest.MonkeyPatch, owner: Membership) -> None:
    monkeypatch.setattr(compliance, "_answers", [])

    assert compliance.phishing_resistant_among([owner.user.pk]) == set()


@pytest.mark.django_db
@pytest.mark.parametrize("is_confirmed", [True, False])
def test_a_confirmed_passkey_complies_and_a_draft_does_not(owner: Membership, is_confirmed: bool) -> None:
    """Asked of the app that keeps factors, as it registered itself."""
    person, stranger = owner.user, founder().user
    session = sign_in.sign_in(Client(), person)
    draft = None if is_confirmed else Enrolment(user=person, session=session)
    if draft is not None:
        draft.seal_seed(sign_in.enrolled(person).open_seed())
        draft.save()
    Passkey.objects.create(
        user=person,
        name="Phone",
        confirmed=is_confirmed,
        enrolment=draft,
        credential_id=b"credential",
        credential_id_sha256="0" * 64,
        public_key=b"key",
    )

    found = compliance.phishing_resistant_among([person.pk, stranger.pk])

    assert found == ({person.pk} if is_confirmed else set())


@pytest.mark.django_db
def test_an_organization_without_the_policy_costs_no_query_more(client: Client, owner: Membership) -> None:
    sign_in.sign_in(client, owner.user)

    def cost() -> int:
        with CaptureQueriesContext(connection) as found:
            assert client.get("/accounts/keys/").status_code == 200
        return len(found)

    cost()
    without = cost()
    passkey_policy(owner.organization, grace_days=14)

    assert cost() == without


@pytest.mark.django_db
def test_the_list_says_who_complies_in_one_query_more(
    client: Client, owner: Membership, holders: set[int]
) -> None:
    holders.add(owner.user.pk)
    passkey_policy(owner.organization, grace_days=14, set_ago=20 * DAY)
    late = joined_ago(member(owner.organization), 50 * DAY)
    sign_in.sign_in(client, owner.user)

    page = client.get(f"{HOME}members/")
    rows = {row.membership.pk: (row.complies, row.is_closed) for row in page.context["rows"]}

    assert rows == {owner.pk: (True, False), late.pk: (False, True)}
    assert "Missing, closed to them" in page.content.decode()


# --- Choosing it --------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_owner_with_a_passkey_asks_everyone_for_one(
    client: Client, owner: Membership, holders: set[int]
) -> None:
    holders.add(owner.user.pk)
    sign_in.sign_in(client, owner.user)

    answer = client.post(f"{HOME}policy/", {"requirement": "phishing_resistant", "grace_days": "21"})

    policy = MfaPolicy.objects.get()
    assert answer["Location"] == f"{HOME}policy/"
    assert (policy.requirement, policy.grace_days) == ("phishing_resistant", 21)
    assert recorded(_stream(owner))[-1] == "org.policy.mfa"


@pytest.mark.django_db
def test_whoever_has_none_asks_nobody_for_one(client: Client, owner: Membership) -> None:
    sign_in.sign_in(client, owner.user)

    answer = client.post(f"{HOME}policy/", {"requirement": "phishing_resistant", "grace_days": "14"})

    assert answer.status_code == 422
    assert "Add a passkey to your own account" in answer.content.decode()
    assert not MfaPolicy.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("requirement", "grace"),
    [("none", "14"), ("", "14"), ("required", "31"), ("required", "-1"), ("required", "x"), ("required", "")],
)
def test_what_is_not_offered_is_refused(
    client: Client, owner: Membership, requirement: str, grace: str
) -> None:
    sign_in.sign_in(client, owner.user)

    answer = client.post(f"{HOME}policy/", {"requirement": requirement, "grace_days": grace})

    assert answer.status_code == 422
    assert not MfaPolicy.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Membership.Role.SECURITY, Membership.Role.MEMBER, Membership.Role.AUDITOR])
def test_others_read_it_only(client: Client, owner: Membership, role: str) -> None:
    passkey_policy(owner.organization)
    sign_in.sign_in(client, member(owner.organization, role).user)

    page = client.get(f"{HOME}policy/").content.decode()
    answer = client.post(f"{HOME}policy/", {"requirement": "required", "grace_days": "30"})

    assert "Save policy" not in page
    assert "A passkey" in page
    assert answer.status_code == 403
    assert MfaPolicy.objects.get().asks_for_passkey


@pytest.mark.django_db
def test_a_shorter_grace_holds_at_once_and_does_not_move_the_beginning(
    owner: Membership, holders: set[int]
) -> None:
    holders.add(owner.user.pk)
    someone = joined_ago(member(owner.organization), 50 * DAY)
    set_at = passkey_policy(owner.organization, grace_days=30, set_ago=10 * DAY).set_at
    now = timezone.now()

    actions.change_mfa_policy(
        actor=Actor.of(owner.user), by=owner, requirement="phishing_resistant", grace_days=5
    )

    policy = MfaPolicy.objects.get()
    fresh = Membership.objects.select_related("organization").get(pk=someone.pk)
    assert policy.set_at == set_at
    assert policy.due_at(fresh) == set_at + 5 * DAY
    assert queries.is_closed_to(fresh, now=now)


@pytest.mark.django_db
@pytest.mark.parametrize("values", [{"requirement": "none"}, {"grace_days": 31}])
def test_the_database_knows_no_other_policy(owner: Membership, values: dict[str, object]) -> None:
    passkey_policy(owner.organization)

    with pytest.raises(IntegrityError), transaction.atomic():
        MfaPolicy.objects.update(**values)


# --- Telling in time ----------------------------------------------------------------------------


@pytest.mark.django_db
def test_each_stage_is_told_once(owner: Membership) -> None:
    policy = passkey_policy(owner.organization, grace_days=14)
    due = policy.set_at + 14 * DAY

    told = [
        actions.remind_due(actor=SYSTEM, now=due - left)
        for left in (8 * DAY, 7 * DAY, 6 * DAY, 3 * DAY, 2 * DAY, DAY, DAY / 2, 0 * DAY, -DAY, -20 * DAY)
    ]

    assert told == [0, 1, 0, 1, 0, 1, 0, 1, 0, 0]
    assert _mails() == [owner.user.email] * 4
    assert recorded(_stream(owner)).count("org.policy.reminded") == 4
    texts = texts_to(owner.user.email)
    assert "needs a passkey" not in texts[0]
    assert "closed to you until you add one" in texts[-1]


@pytest.mark.django_db
def test_after_an_outage_one_mail_tells_the_most_urgent(owner: Membership) -> None:
    policy = passkey_policy(owner.organization, grace_days=14)

    assert actions.remind_due(actor=SYSTEM, now=policy.set_at + 13 * DAY) == 1
    assert MfaReminder.objects.get().stage == 1


@pytest.mark.django_db
def test_who_complies_is_inactive_or_has_left_is_not_told(owner: Membership, holders: set[int]) -> None:
    holders.add(owner.user.pk)
    member(owner.organization, person=accounts.user(is_inactive=True))
    gone = member(owner.organization)
    passkey_policy(owner.organization, grace_days=0)
    actions.remove_member(actor=Actor.of(owner.user), by=owner, member=gone)

    assert actions.remind_due(actor=SYSTEM, now=timezone.now() + DAY) == 0


@pytest.mark.django_db
def test_the_floor_alone_reminds_nobody(owner: Membership) -> None:
    policy = passkey_policy(owner.organization, grace_days=0)
    policy.requirement = MfaPolicy.Requirement.REQUIRED
    policy.save()

    assert actions.remind_due(actor=SYSTEM, now=timezone.now() + 90 * DAY) == 0


@pytest.mark.django_db
def test_another_date_is_told_anew(owner: Membership) -> None:
    policy = passkey_policy(owner.organization, grace_days=14)
    now = policy.set_at + 8 * DAY
    actions.remind_due(actor=SYSTEM, now=now)

    passkey_policy(owner.organization, grace_days=10, set_ago=timezone.now() - policy.set_at)

    assert actions.remind_due(actor=SYSTEM, now=now) == 1
    assert sorted(MfaReminder.objects.values_list("stage", flat=True)) == [3, 7]


@pytest.mark.django_db(transaction=True)
def test_parallel_sweeps_tell_once() -> None:
    place = joined_ago(founder(), 50 * DAY)
    passkey_policy(place.organization, grace_days=0)
    now = timezone.now() + DAY

    def sweep(_: int) -> int:
        try:
            return actions.remind_due(actor=SYSTEM, now=now)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(sweep, range(4))) == 1
    assert _mails() == [place.user.email]


def test_the_beat_sweeps() -> None:
    assert app.conf.beat_schedule["organizations.remind_due"]["task"] == "organizations.remind_due"
