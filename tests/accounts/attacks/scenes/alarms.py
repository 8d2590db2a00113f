"""The lock-down, its way back, and what the portal finds odd by itself."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from accounts.anomalies.events import AnomalyEvent
from accounts.credentials.events import KeyEvent
from accounts.identity.models import User
from accounts.lockdown.events import LockdownEvent
from accounts.lockdown.models import Lockdown
from kellexa_portal.audit import Outcome
from tests.accounts.anomalies import past
from tests.accounts.attacks.scenes import Act, emits
from tests.accounts.attacks.scenes.people import signed_in
from tests.accounts.attacks.stranger import RESET
from tests.accounts.identity.mailbox import path_to
from tests.factories import accounts, credentials, organizations
from tests.factories.sign_in import PASSWORD, may, new_person

PAGE = "/accounts/lockdown/"


def _locked(person: User) -> Lockdown:
    signed_in(person).post(PAGE)
    User.objects.filter(pk=person.pk).update(locked_at=timezone.now() - timedelta(minutes=5))
    return Lockdown.objects.latest("pk")


def _back(person: User) -> Client:
    """The browser of ``person`` after the reset that a lock-down demands."""
    Client().post(RESET, {"email": person.email})
    Client().post(path_to(person.email), {"new_password": f"{PASSWORD} again"})
    person.refresh_from_db()
    return signed_in(person)


@emits(LockdownEvent.BEGUN)
def locking_down() -> Act:
    client = signed_in(new_person())
    return lambda: client.post(PAGE)


@emits(LockdownEvent.REPEATED)
def locking_down_again() -> Act:
    person = new_person()
    _locked(person)
    client = _back(person)
    return lambda: client.post(PAGE)


@emits(LockdownEvent.LIFTED)
def lifting_a_lockdown() -> Act:
    person = new_person()
    lockdown = _locked(person)
    client = _back(person)
    may(client, "lockdown.lift", str(lockdown.public_id))
    return lambda: client.post(f"{PAGE}lift/")


@emits(LockdownEvent.LINK_REFUSED, Outcome.DENIED)
def pressing_a_made_up_notice() -> Act:
    return lambda: Client().post(f"{PAGE}{'x' * 43}/")


@emits(LockdownEvent.CASE_CLOSED)
def closing_the_case() -> Act:
    lockdown = _locked(new_person())
    client = signed_in(accounts.staff())
    form = {"action": "close_selected", "_selected_action": [lockdown.pk]}
    return lambda: client.post("/admin/lockdown/lockdown/", form)


@emits(KeyEvent.SUSPENDED)
def locking_down_with_a_key() -> Act:
    place = organizations.founder(owner=new_person())
    credentials.personal(place)
    client = signed_in(place.user)
    return lambda: client.post(PAGE)


@emits(KeyEvent.RESUMED)
def bringing_a_key_back() -> Act:
    place = organizations.founder(owner=new_person())
    key = credentials.personal(place).key
    lockdown = _locked(place.user)
    client = _back(place.user)
    may(client, "lockdown.lift", str(lockdown.public_id))
    return lambda: client.post(f"{PAGE}lift/", {"keys": [key.key_id]})


def _sweep_twice() -> object:
    return [past.swept() for _ in range(2)]


@emits(AnomalyEvent.STUFFING)
def trying_many_accounts() -> Act:
    people = [new_person(f"person{number}@example.com") for number in range(20)]
    past.swept(at=past.NOON - 2 * past.HOUR)
    for person in people:
        past.wrong_password(person, at=past.NOON - past.MINUTE)
    return _sweep_twice


@emits(AnomalyEvent.MFA_GUESS)
def guessing_codes_behind_a_right_password() -> Act:
    person = new_person()
    past.swept(at=past.NOON - 2 * past.HOUR)
    for _ in range(3):
        past.wrong_code(person, at=past.NOON - past.MINUTE)
    return _sweep_twice


@emits(AnomalyEvent.AFTER_FAILURES)
def signing_in_after_many_failures() -> Act:
    person = new_person()
    past.signed_in(person, at=past.NOON - timedelta(days=1))
    past.swept(at=past.NOON - 2 * past.HOUR)
    for _ in range(10):
        past.wrong_password(person, at=past.NOON - 30 * past.MINUTE)
    return lambda: [past.signed_in(person, at=past.NOON - past.MINUTE), past.swept(), past.swept()]


@emits(AnomalyEvent.DORMANT)
def signing_in_after_half_a_year() -> Act:
    person = new_person()
    past.signed_in(person, at=past.NOON - timedelta(days=200))
    return lambda: past.signed_in(person)


@emits(AnomalyEvent.DRIFT)
def using_a_session_from_elsewhere() -> Act:
    person, client = new_person(), Client()
    past.signed_in(person, client=client)
    elsewhere = {"REMOTE_ADDR": past.AWAY_IP, "headers": {"user-agent": past.SAFARI}}
    return lambda: [client.get("/accounts/", **elsewhere) for _ in range(2)]
