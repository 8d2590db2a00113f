"""One asks, two others approve; nobody vouches for themselves, and every address hears of each step."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from accounts.identity.access import NotPermittedError
from accounts.identity.actions import people
from accounts.identity.models import StaffAssignment, User
from accounts.recovery.actions import asking, errors
from accounts.recovery.models import RecoveryCase
from kellexa_portal.audit import Stream
from kellexa_portal.core.actor import Actor
from kellexa_portal.mail.models import OutboxMail
from kellexa_portal.ratelimit import TooManyAttempts
from tests.accounts.identity.mailbox import kinds_to, texts_to
from tests.accounts.recovery.steps import (
    EVIDENCE,
    LIST,
    START,
    WAIT,
    Staff,
    approve_page,
    approved_twice,
    approving,
    at_work,
    link_in,
    moved_lately,
    now_of,
    refuse_page,
    started,
)
from tests.factories import accounts
from tests.factories.audit_support import recorded
from tests.factories.sign_in import new_person, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

State = RecoveryCase.State
MAY_START = {"administrator", "incident_commander"}
MAY_APPROVE = {"administrator", "incident_commander", "dpo"}
MAY_LOOK = {*MAY_APPROVE, "platform_auditor"}
ROLES = [role.value for role in StaffAssignment.Role]


def _denials(user: User) -> int:
    return recorded(Stream.user(user.public_id)).count("account.recovery.deny")


def test_staff_ask_and_the_person_is_told_with_a_way_to_cancel(ada: User, team: Staff) -> None:
    answer = at_work(team.starter).post(START, {"email": ada.email, "evidence": EVIDENCE})

    case = RecoveryCase.objects.get()
    assert answer.status_code == 303
    assert answer["Location"] == f"{LIST}{case.pk}/change/"
    assert (case.user, case.started_by, case.state) == (ada, team.starter, State.OPEN)
    assert kinds_to(ada.email) == ["recovery.started"]
    assert "/accounts/recovery/cancel/" in link_in(ada.email, "recovery.started")
    assert recorded(Stream.user(ada.public_id)).count("account.recovery.start") == 1


def test_no_mail_names_the_staff_or_repeats_what_they_wrote(
    ada: User, case: RecoveryCase, team: Staff
) -> None:
    approved_twice(team, case)

    for text in texts_to(ada.email):
        for secret in (EVIDENCE, team.starter.name, team.starter.email, team.first.name, team.second.name):
            assert secret not in text


def test_the_former_address_is_told_while_it_can_bring_itself_back(ada: User, team: Staff) -> None:
    former = moved_lately(ada)

    case = started(team, ada)
    approved_twice(team, case)

    assert kinds_to(former) == ["recovery.started", "recovery.approved", "recovery.approved"]
    assert link_in(former, "recovery.started") != link_in(ada.email, "recovery.started")


def test_the_second_approval_begins_the_wait(case: RecoveryCase, ada: User, team: Staff) -> None:
    once = asking.approve(actor=Actor.of(team.first), case=case)
    assert (once.state, once.waits_until) == (State.OPEN, None)

    twice = asking.approve(actor=Actor.of(team.second), case=case)

    assert twice.state == State.WAITING
    assert twice.second_approved_at is not None
    assert twice.waits_until == twice.second_approved_at + WAIT
    assert kinds_to(ada.email) == ["recovery.started", "recovery.approved", "recovery.approved"]
    assert recorded(Stream.user(ada.public_id)).count("account.recovery.approve") == 2


def test_who_asked_does_not_approve(case: RecoveryCase, ada: User, team: Staff) -> None:
    approving(team.starter, case).post(approve_page(case))

    assert now_of(case).approvals == 0
    assert _denials(ada) == 1


def test_one_person_does_not_approve_twice(case: RecoveryCase, ada: User, team: Staff) -> None:
    for _time in range(2):
        approving(team.first, case).post(approve_page(case))

    assert (now_of(case).approvals, now_of(case).state) == (1, State.OPEN)
    assert _denials(ada) == 1


def test_a_third_approval_changes_nothing(waiting: RecoveryCase, ada: User) -> None:
    third = accounts.staff("administrator")

    with pytest.raises(errors.NotDueError):
        asking.approve(actor=Actor.of(third), case=waiting)

    assert now_of(waiting).waits_until == waiting.waits_until
    assert _denials(ada) == 1


def test_staff_neither_ask_for_themselves_nor_approve_it(team: Staff) -> None:
    with pytest.raises(errors.OwnAccountError):
        started(team, team.starter)
    case = started(team, team.first)
    with pytest.raises(errors.OwnAccountError):
        asking.approve(actor=Actor.of(team.first), case=case)

    assert now_of(case).approvals == 0
    assert (_denials(team.starter), _denials(team.first)) == (1, 1)


def test_a_colleague_is_recovered_by_others(team: Staff) -> None:
    lost = accounts.staff("triager")

    case = approved_twice(team, started(team, lost))

    assert case.state == State.WAITING


@pytest.mark.parametrize("role", ROLES)
def test_who_may_what_is_the_table_of_the_staff(role: str, case: RecoveryCase) -> None:
    person = accounts.staff(role)
    client = approving(person, case)
    other = new_person("bob@example.com")

    assert (client.get(LIST).status_code == 200) is (role in MAY_LOOK)
    assert (client.get(START).status_code == 200) is (role in MAY_START)
    start = client.post(START, {"email": other.email, "evidence": EVIDENCE}).status_code
    assert start == (303 if role in MAY_START else 403)
    approve = client.post(approve_page(case)).status_code
    assert approve == (303 if role in MAY_APPROVE else 403)
    assert now_of(case).approvals == (role in MAY_APPROVE)
    refuse = client.post(refuse_page(case)).status_code
    assert refuse == (303 if role in MAY_APPROVE else 403)


def test_customers_find_nothing_and_may_nothing(case: RecoveryCase, ada: User) -> None:
    client = Client()
    sign_in(client, ada)

    for path in (LIST, START, approve_page(case), refuse_page(case)):
        assert client.get(path).status_code == client.post(path).status_code == 404
    for act in (
        lambda: asking.start(actor=Actor.of(ada), user=new_person("bob@example.com"), evidence=EVIDENCE),
        lambda: asking.approve(actor=Actor.of(ada), case=case),
    ):
        with pytest.raises(NotPermittedError):
            act()


def test_strangers_are_sent_to_the_sign_in(client: Client, case: RecoveryCase) -> None:
    for path in (START, approve_page(case), refuse_page(case)):
        assert client.post(path)["Location"].startswith("/accounts/login/")


def test_an_approval_takes_a_factor_shown_for_exactly_this(case: RecoveryCase, team: Staff) -> None:
    other = started(team, new_person("bob@example.com"))
    client = approving(team.first, other)

    answer = client.post(approve_page(case))

    assert answer["Location"].startswith("/accounts/verify/")
    assert now_of(case).approvals == 0


def test_asking_takes_a_fresh_factor(ada: User, team: Staff, clock: time_machine.Traveller) -> None:
    client = at_work(team.starter)
    clock.shift(timedelta(minutes=11))

    assert client.get(START)["Location"].startswith("/accounts/verify/")
    assert client.post(START, {"email": ada.email, "evidence": EVIDENCE}).status_code == 303
    assert not RecoveryCase.objects.exists()


def test_a_form_with_faults_comes_back_as_it_was_typed(ada: User, team: Staff) -> None:
    client = at_work(team.starter)

    short = client.post(START, {"email": ada.email, "evidence": "She called."})
    unknown = client.post(START, {"email": "nobody@example.com", "evidence": EVIDENCE})

    assert (short.status_code, unknown.status_code) == (422, 422)
    assert ada.email in short.content.decode()
    assert "She called." in short.content.decode()
    assert EVIDENCE in unknown.content.decode()
    assert not RecoveryCase.objects.exists()


def test_a_second_case_is_refused_while_one_is_under_way(case: RecoveryCase, ada: User, team: Staff) -> None:
    answer = at_work(team.starter).post(START, {"email": ada.email, "evidence": EVIDENCE})

    assert answer.status_code == 422
    assert "A recovery of this account is under way." in answer.content.decode()
    assert RecoveryCase.objects.count() == 1
    assert _denials(ada) == 1


def test_a_case_that_ran_out_makes_room_before_any_sweep(
    case: RecoveryCase, ada: User, team: Staff, clock: time_machine.Traveller
) -> None:
    clock.shift(timedelta(days=7))

    started(team, ada)

    assert now_of(case).state == State.EXPIRED
    assert RecoveryCase.objects.unfinished().count() == 1


@pytest.mark.parametrize("fields", [{"is_active": False}, {"email_confirmed_at": None}])
def test_an_account_that_no_link_can_bring_back_is_refused(
    ada: User, team: Staff, fields: dict[str, object]
) -> None:
    User.objects.filter(pk=ada.pk).update(**fields)

    with pytest.raises(errors.CannotBeRecoveredError):
        started(team, ada)
    assert not OutboxMail.objects.exists()


def test_one_of_the_staff_asks_ten_times_a_day(team: Staff) -> None:
    for number in range(10):
        started(team, new_person(f"lost{number}@example.com"))

    with pytest.raises(TooManyAttempts):
        started(team, new_person("one.more@example.com"))


@pytest.mark.parametrize("who", ["starter", "first"])
def test_whoever_is_dismissed_takes_the_case_along(
    case: RecoveryCase, team: Staff, ada: User, who: str
) -> None:
    asking.approve(actor=Actor.of(team.first), case=case)
    people.deactivate(actor=Actor.of(accounts.staff()), user=getattr(team, who))

    answer = approving(team.second, case).post(approve_page(case), follow=True)

    assert "no longer may" in answer.content.decode()
    ended = now_of(case)
    assert (ended.state, ended.cause, ended.approvals) == (State.CANCELLED, "standing", 1)
    assert kinds_to(ada.email)[-1] == "recovery.stopped"


def test_a_dismissed_approver_approves_nothing(case: RecoveryCase, team: Staff) -> None:
    User.objects.filter(pk=team.first.pk).update(is_active=False)

    with pytest.raises(NotPermittedError):
        asking.approve(actor=Actor.of(team.first), case=case)


@pytest.mark.parametrize(
    ("age", "is_approved"), [(timedelta(days=7) - timedelta(seconds=1), True), (timedelta(days=7), False)]
)
def test_approvals_are_taken_for_seven_days(
    case: RecoveryCase, team: Staff, clock: time_machine.Traveller, age: timedelta, is_approved: bool
) -> None:
    clock.shift(age)

    if is_approved:
        asking.approve(actor=Actor.of(team.first), case=case)
    else:
        with pytest.raises(errors.NotDueError):
            asking.approve(actor=Actor.of(team.first), case=case)

    assert now_of(case).approvals == is_approved


def test_a_clock_that_is_set_back_shortens_no_wait(
    case: RecoveryCase, team: Staff, clock: time_machine.Traveller
) -> None:
    asking.approve(actor=Actor.of(team.first), case=case)
    first = now_of(case).first_approved_at
    clock.shift(-timedelta(days=30))

    asking.approve(actor=Actor.of(team.second), case=case)

    assert first is not None
    assert now_of(case).waits_until == first + WAIT


def test_the_pages_show_staff_everything_but_a_link(waiting: RecoveryCase, team: Staff) -> None:
    client = at_work(team.second)
    pages = [LIST, f"{LIST}{waiting.pk}/change/", approve_page(waiting), refuse_page(waiting)]

    shown = [client.get(path) for path in pages]

    assert {page.status_code for page in shown} == {200}
    assert EVIDENCE in shown[1].content.decode()
    for page in shown:
        assert "/accounts/recovery/" not in page.content.decode()
        assert "/accounts/password/reset/" not in page.content.decode()


def test_there_is_no_button_for_who_must_not_approve(case: RecoveryCase, team: Staff) -> None:
    asking.approve(actor=Actor.of(team.first), case=case)

    for person in (team.starter, team.first):
        shown = at_work(person)
        assert "<button" not in _main_of(shown.get(approve_page(case)).content.decode())
        assert approve_page(case) not in shown.get(f"{LIST}{case.pk}/change/").content.decode()
    assert "<button" in _main_of(at_work(team.second).get(approve_page(case)).content.decode())


def _main_of(page: str) -> str:
    return page[page.index('id="content"') :]


def test_unknown_cases_are_404_and_other_methods_405(case: RecoveryCase, team: Staff) -> None:
    client = at_work(team.first)
    nobody = "00000000-0000-0000-0000-000000000000"

    assert client.get(f"{LIST}{nobody}/approve/").status_code == 404
    assert client.post(f"{LIST}{nobody}/refuse/").status_code == 404
    for path in (START, approve_page(case), refuse_page(case)):
        assert client.delete(path).status_code == 405
