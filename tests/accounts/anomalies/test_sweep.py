"""What the sweep finds in the log, once, whatever happens to sweeps and clocks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from accounts.anomalies import queries
from accounts.anomalies.actions import sweeping
from accounts.anomalies.models import Anomaly, Progress
from accounts.identity.models import User
from kellexa_portal.audit import Stream
from kellexa_portal.mail import body
from tests.accounts.anomalies.past import (
    AWAY_IP,
    BIT,
    DAY,
    FIREFOX,
    HOME_IP,
    HOUR,
    MINUTE,
    NOON,
    SAFARI,
    SECOND,
    changed_email,
    found,
    made_key,
    mails,
    replaced_factor,
    signed_in,
    swept,
    wrong_code,
    wrong_password,
)
from tests.factories import accounts
from tests.factories.audit_support import recorded

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

LATER = NOON + 31 * MINUTE


@pytest.fixture
def crowd() -> list[User]:
    return [accounts.user(has_no_password=True) for _number in range(20)]


# --- Stuffing --------------------------------------------------------------------------------------


def test_twenty_accounts_failing_from_one_network_alert_the_staff(crowd: list[User]) -> None:
    for number, user in enumerate(crowd):
        wrong_password(user, at=NOON + number * 28 * SECOND)

    swept(at=LATER)

    [anomaly] = found("stuffing")
    assert (anomaly.subject, anomaly.facts, anomaly.user) == (AWAY_IP, {"accounts": 20}, None)
    assert "anomaly.stuffing" in recorded(Stream.staff())
    assert not mails("stuffing")


@pytest.mark.parametrize(
    "tries",
    [
        pytest.param(lambda crowd: [(user, AWAY_IP, 0) for user in crowd[:19]], id="nineteen"),
        pytest.param(lambda crowd: [(user, AWAY_IP, 0) for user in crowd[:19] * 2], id="nineteen-twice"),
        pytest.param(
            lambda crowd: [(user, AWAY_IP, 0) for user in crowd[:19]] + [(crowd[19], HOME_IP, 0)],
            id="the-twentieth-from-elsewhere",
        ),
        pytest.param(
            lambda crowd: [(user, AWAY_IP, 0) for user in crowd[:19]] + [(crowd[19], AWAY_IP, 600)],
            id="the-twentieth-ten-minutes-later",
        ),
    ],
)
def test_fewer_or_slower_is_an_office_on_a_monday(
    crowd: list[User], tries: Callable[[list[User]], list[tuple[User, str, int]]]
) -> None:
    for user, ip, after in tries(crowd):
        wrong_password(user, ip=ip, at=NOON + after * SECOND)

    swept(at=LATER)

    assert not Anomaly.objects.exists()


def test_addresses_without_an_account_count_each_as_one() -> None:
    for number in range(20):
        wrong_password(None, at=NOON + number * SECOND)

    swept(at=LATER)

    assert len(found("stuffing")) == 1


def test_the_64_of_an_ipv6_network_is_one_network(crowd: list[User]) -> None:
    for number, user in enumerate(crowd):
        wrong_password(user, ip=f"2001:db8::{number + 1:x}")

    swept(at=LATER)

    assert [anomaly.subject for anomaly in found("stuffing")] == ["2001:db8::/64"]


def test_what_the_first_sweep_saw_of_an_attack_counts_for_the_second(crowd: list[User]) -> None:
    for user in crowd[:10]:
        wrong_password(user)
    swept(at=NOON + MINUTE)
    for user in crowd[10:]:
        wrong_password(user, at=NOON + 2 * MINUTE)

    swept(at=NOON + 3 * MINUTE)

    assert len(found("stuffing")) == 1


def flood(count: int) -> None:
    for number in range(count):
        wrong_password(None, ip=f"10.{number // 250}.{number % 250}.1", at=NOON + number * SECOND)


@pytest.mark.parametrize(("count", "is_odd"), [(200, True), (199, False)], ids=["200", "199"])
def test_a_flood_from_everywhere(count: int, is_odd: bool) -> None:
    flood(count)

    swept(at=LATER, page=64)

    assert [anomaly.subject for anomaly in found("stuffing")] == ["everywhere"] * is_odd


@pytest.mark.parametrize(("usual", "is_odd"), [(66.6, True), (66.7, False)], ids=["over", "within"])
def test_a_flood_is_more_than_three_times_the_usual(
    monkeypatch: pytest.MonkeyPatch, usual: float, is_odd: bool
) -> None:
    flood(200)
    monkeypatch.setattr(queries, "baseline", lambda *, before: usual)

    swept(at=LATER)

    assert bool(found("stuffing")) is is_odd


def test_the_usual_is_the_average_of_seven_days() -> None:
    for ago in (HOUR, 3 * DAY, 7 * DAY - SECOND, 7 * DAY, 8 * DAY):
        wrong_password(None, at=NOON - ago)

    assert queries.baseline(before=NOON) == pytest.approx(3 / (7 * 144))


# --- The challenge ---------------------------------------------------------------------------------

LOGIN = "/accounts/login/"


def guesses_until_refused(ip: str) -> int:
    """How many guesses at different addresses are heard from ``ip``."""
    for number in range(40):
        form = {"email": f"nobody{number}@example.com", "password": "not-the-right-words-1"}
        if Client().post(LOGIN, form, REMOTE_ADDR=ip).status_code == 429:
            return number
    raise AssertionError("never refused")


def test_strangers_in_a_suspected_network_have_five_tries_others_the_usual(crowd: list[User]) -> None:
    for user in crowd:
        wrong_password(user)
    swept(at=LATER)

    assert guesses_until_refused(AWAY_IP) == 5
    assert guesses_until_refused(HOME_IP) == 20


def test_after_an_hour_the_suspicion_ends(crowd: list[User], clock: time_machine.Traveller) -> None:
    for user in crowd:
        wrong_password(user)
    swept(at=LATER)

    assert queries.is_challenged(AWAY_IP)
    clock.shift(HOUR - BIT)
    assert queries.is_challenged(AWAY_IP)
    clock.shift(BIT)
    assert not queries.is_challenged(AWAY_IP)


def test_a_flood_from_everywhere_suspects_every_network() -> None:
    flood(200)
    swept(at=LATER)

    assert queries.is_challenged("192.0.2.77")


def test_the_owners_known_browser_is_heard_in_a_suspected_network(crowd: list[User], ada: User) -> None:
    from tests.factories.sign_in import PASSWORD

    browser = Client()
    signed_in(ada, client=browser)
    headers = {"user-agent": FIREFOX}
    browser.get("/accounts/mfa/", REMOTE_ADDR=HOME_IP, headers=headers)
    browser.post("/accounts/logout/", REMOTE_ADDR=HOME_IP, headers=headers)
    for user in crowd:
        wrong_password(user)
    swept(at=LATER)
    guesses_until_refused(AWAY_IP)

    answer = browser.post(LOGIN, {"email": ada.email, "password": PASSWORD}, REMOTE_ADDR=AWAY_IP)

    assert answer.status_code == 302


# --- Codes guessed ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "is_odd"), [(3, True), (2, False)], ids=["three", "two"])
def test_wrong_codes_behind_the_right_password(ada: User, count: int, is_odd: bool) -> None:
    for number in range(count):
        wrong_code(ada, at=NOON + number * MINUTE)

    swept(at=LATER)

    assert [anomaly.user for anomaly in found("mfa_guess")] == [ada] * is_odd
    assert ("anomaly.mfa_guess" in recorded(Stream.user(ada.public_id))) is is_odd


def test_wrong_codes_of_others_and_of_a_step_up_are_not_added(ada: User, bob: User) -> None:
    wrong_code(ada)
    wrong_code(ada)
    wrong_code(bob)
    wrong_code(ada, session="0199-signed-in")

    swept(at=LATER)

    assert not found("mfa_guess")


def test_the_third_wrong_code_also_reaches_the_person_by_mail(ada: User, client: Client) -> None:
    """The mail is that of ``accounts.mfa``; this rule adds the row and no second mail."""
    from kellexa_portal.mail.models import OutboxMail
    from tests.factories.sign_in import enrolled, prove_password

    enrolled(ada)
    prove_password(client, ada)
    for number in range(3):
        client.post("/accounts/login/verify/", {"code": f"00000{number}"})

    swept()

    assert len(found("mfa_guess")) == 1
    assert OutboxMail.objects.filter(kind="mfa.wrong_codes").count() == 1
    assert not mails("mfa_guess")


# --- Takeover --------------------------------------------------------------------------------------


@pytest.fixture
def entered(ada: User) -> User:
    """Ada, whose account a new device just signed in to; she had signed in at home the day before."""
    signed_in(ada, at=NOON - DAY)
    signed_in(ada, ip=AWAY_IP, agent=SAFARI)
    return ada


def test_two_changes_by_a_new_device_put_the_account_into_quarantine(entered: User) -> None:
    replaced_factor(entered, at=NOON + MINUTE)
    made_key(entered, at=NOON + 29 * MINUTE)

    swept(at=LATER)

    [anomaly] = found("takeover")
    assert (anomaly.user, anomaly.facts) == (entered, {"minutes": 29.0})
    entered.refresh_from_db()
    assert entered.quarantined_until == NOON + DAY
    [mail] = mails("takeover")
    assert "For 24 hours nobody can make or rotate API keys" in body.of(mail).text
    assert {"anomaly.takeover", "account.quarantine.begin"} <= set(recorded(Stream.user(entered.public_id)))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([(made_key, 1)], id="one-change"),
        pytest.param([(made_key, 1), (made_key, 2)], id="one-kind-twice"),
        pytest.param([(changed_email, 1), (made_key, 30)], id="the-second-half-an-hour-later"),
        pytest.param([(changed_email, -1), (made_key, 1)], id="the-first-before-the-sign-in"),
    ],
)
def test_less_than_a_chain_is_an_ordinary_day(
    entered: User, changes: list[tuple[Callable[..., None], int]]
) -> None:
    for change, minutes in changes:
        change(entered, at=NOON + minutes * MINUTE)

    swept(at=LATER)

    assert not found("takeover")


def test_the_changes_of_another_person_do_not_count(entered: User, bob: User) -> None:
    made_key(entered, at=NOON + MINUTE)
    replaced_factor(bob, at=NOON + MINUTE)
    changed_email(bob, at=NOON + MINUTE)

    swept(at=LATER)

    assert not found("takeover")


def test_a_known_device_may_change_what_it_likes(ada: User) -> None:
    signed_in(ada, at=NOON - DAY)
    signed_in(ada)
    replaced_factor(ada, at=NOON + MINUTE)
    made_key(ada, at=NOON + MINUTE)

    swept(at=LATER)

    assert not found("takeover")


def test_the_first_sign_in_of_all_is_no_new_device(ada: User) -> None:
    signed_in(ada)
    replaced_factor(ada, at=NOON + MINUTE)
    made_key(ada, at=NOON + MINUTE)

    swept(at=LATER)

    assert not found("takeover")


def test_the_chain_is_seen_when_its_last_link_is_read_by_a_later_sweep(entered: User) -> None:
    changed_email(entered, at=NOON + MINUTE)
    swept(at=NOON + MINUTE)
    made_key(entered, at=NOON + 2 * MINUTE)

    swept(at=NOON + 3 * MINUTE)

    assert len(found("takeover")) == 1


# --- Once ------------------------------------------------------------------------------------------


def everything(ada: User, crowd: list[User]) -> None:
    signed_in(ada, at=NOON - DAY)
    signed_in(ada, ip=AWAY_IP, agent=SAFARI)
    changed_email(ada, at=NOON + MINUTE)
    made_key(ada, at=NOON + 2 * MINUTE)
    for number in range(3):
        wrong_code(ada, at=NOON + number * SECOND)
    for user in crowd:
        wrong_password(user)


def test_a_second_sweep_finds_nothing_again(ada: User, crowd: list[User]) -> None:
    everything(ada, crowd)

    assert swept(at=LATER).found == 3
    assert swept(at=LATER).found == 0
    Progress.objects.all().delete()
    assert swept(at=LATER).found == 0

    assert Anomaly.objects.count() == 3
    assert len(mails("takeover")) == 1


@pytest.mark.parametrize("page", [1, 2, 7])
def test_pages_of_any_size_find_the_same(ada: User, crowd: list[User], page: int) -> None:
    everything(ada, crowd)

    assert swept(at=LATER, page=page).found == 3


def test_a_sweep_that_comes_hours_late_finds_the_same(ada: User, crowd: list[User]) -> None:
    swept(at=NOON - MINUTE)
    everything(ada, crowd)

    assert swept(at=NOON + 20 * HOUR).found == 3


@pytest.mark.parametrize("jump", [-2 * HOUR, 2 * HOUR], ids=["back", "forward"])
def test_a_clock_that_jumps_between_sweeps_hides_nothing(ada: User, jump: timedelta) -> None:
    wrong_code(ada, at=NOON - 5 * HOUR)
    swept(at=NOON)
    for number in range(3):
        wrong_code(ada, at=NOON + jump + number * SECOND)

    swept(at=NOON + jump + MINUTE)

    assert len(found("mfa_guess")) == 1


def test_the_first_sweep_of_an_installation_looks_back_an_hour(ada: User, bob: User) -> None:
    for number in range(3):
        wrong_code(ada, at=NOON - HOUR + number * SECOND)
        wrong_code(bob, at=NOON - HOUR - MINUTE + number * SECOND)

    swept(at=NOON)

    assert [anomaly.user for anomaly in found("mfa_guess")] == [ada]


def test_after_a_restore_into_another_cluster_the_sweep_begins_afresh(ada: User) -> None:
    Progress.objects.create(read_through=2**60, cluster="another")
    for number in range(3):
        wrong_code(ada, at=NOON + number * SECOND)

    assert swept(at=NOON + MINUTE).found == 1
    assert Progress.objects.get().read_through < 2**60


def test_old_findings_are_forgotten_by_the_hourly_purge(ada: User, clock: time_machine.Traveller) -> None:
    from accounts.identity.tasks import purge_expired

    for number in range(3):
        wrong_code(ada, at=NOON + number * SECOND)
    swept(at=NOON + MINUTE)

    clock.shift(400 * DAY)
    purge_expired()
    assert found("mfa_guess")
    clock.shift(MINUTE)
    purge_expired()
    assert not found("mfa_guess")


def test_nobody_but_the_portal_sweeps(ada: User) -> None:
    from accounts.identity.access import NotPermittedError
    from kellexa_portal.core.actor import Actor

    with pytest.raises(NotPermittedError):
        sweeping.sweep(actor=Actor.of(ada))


def test_the_beat_runs_it_each_minute(ada: User) -> None:
    from kellexa_portal.celery import app

    for number in range(3):
        wrong_code(ada, at=NOON - number * SECOND)
    entry = app.conf.beat_schedule["anomalies.sweep"]
    app.loader.import_default_modules()
    app.tasks[entry["task"]]()

    assert entry["schedule"] == 60
    assert len(found("mfa_guess")) == 1
