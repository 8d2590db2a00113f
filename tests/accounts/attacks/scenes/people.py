"""Sign-up, the password, the address, and what staff do to accounts."""

from __future__ import annotations

from django.core.management import call_command
from django.test import Client

from accounts.identity import quarantine
from accounts.identity.events import IdentityEvent
from accounts.identity.models import User
from kellexa_portal.audit import Outcome
from kellexa_portal.core.actor import Actor
from tests.accounts.attacks.scenes import Act, emits
from tests.accounts.attacks.stranger import (
    LOGIN,
    NEW_PASSWORD,
    PASSWORD_PAGE,
    RESET,
    SIGNUP,
    WRONG,
    deactivated,
    guess,
)
from tests.accounts.credentials.pages import CREATE, typed
from tests.accounts.identity.mailbox import path_to
from tests.accounts.identity.wishes import EMAIL, wish
from tests.factories import accounts, organizations
from tests.factories.sign_in import PASSWORD, new_person, sign_in

EMAIL_PAGE = "/accounts/email/"
NEXT = "ada.next@example.com"
PEOPLE = "/admin/accounts/user/"


def signed_in(person: User) -> Client:
    """A browser of ``person``."""
    client = Client()
    sign_in(client, person)
    return client


@emits(IdentityEvent.SIGN_UP_STARTED)
def asking_for_an_account() -> Act:
    return lambda: Client().post(SIGNUP, wish())


@emits(IdentityEvent.SIGN_UP_STARTED)
def asking_for_an_account_that_exists() -> Act:
    new_person(EMAIL)
    return lambda: Client().post(SIGNUP, wish())


@emits(IdentityEvent.SIGN_UP_COMPLETED)
def confirming_a_sign_up() -> Act:
    client = Client()
    client.post(SIGNUP, wish())
    return lambda: client.post(path_to(EMAIL))


@emits(IdentityEvent.SIGN_UP_REFUSED, Outcome.DENIED)
def opening_a_made_up_sign_up() -> Act:
    return lambda: Client().get(f"/accounts/signup/confirm/{'x' * 43}/")


@emits(IdentityEvent.SIGN_UP_REFUSED, Outcome.FAILURE)
def confirming_with_a_wrong_password() -> Act:
    Client().post(SIGNUP, wish())
    return lambda: Client().post(path_to(EMAIL), {"password": WRONG})


@emits(IdentityEvent.LOGIN_FAILED, Outcome.FAILURE)
def typing_a_wrong_password() -> Act:
    person = new_person()
    return lambda: guess(Client(), person.email)


@emits(IdentityEvent.LOGIN_FAILED, Outcome.FAILURE)
def typing_an_address_without_an_account() -> Act:
    return lambda: guess(Client(), "nobody@example.com")


@emits(IdentityEvent.LOGIN_DENIED, Outcome.DENIED)
def guessing_a_sixth_time() -> Act:
    person = new_person()
    for number in range(5):
        guess(Client(), person.email, ip=f"203.0.113.{number}")
    return lambda: guess(Client(), person.email, PASSWORD, ip="198.51.100.1")


@emits(IdentityEvent.LOGIN_DENIED, Outcome.DENIED)
def guessing_at_many_accounts_from_one_network() -> Act:
    for number in range(20):
        guess(Client(), f"person{number}@example.com")
    return lambda: [guess(Client(), f"late{number}@example.com") for number in range(3)]


@emits(IdentityEvent.PASSWORD_CHANGED)
def changing_the_password() -> Act:
    client = signed_in(new_person())
    return lambda: client.post(PASSWORD_PAGE, {"password": PASSWORD, "new_password": NEW_PASSWORD})


@emits(IdentityEvent.PASSWORD_CHANGE_FAILED, Outcome.FAILURE)
def changing_the_password_without_knowing_it() -> Act:
    client = signed_in(new_person())
    return lambda: client.post(PASSWORD_PAGE, {"password": WRONG, "new_password": NEW_PASSWORD})


@emits(IdentityEvent.RESET_REQUESTED)
def asking_for_a_reset() -> Act:
    person = new_person()
    return lambda: Client().post(RESET, {"email": person.email})


@emits(IdentityEvent.RESET_REQUESTED)
def asking_for_a_reset_without_an_account() -> Act:
    return lambda: Client().post(RESET, {"email": "nobody@example.com"})


@emits(IdentityEvent.RESET_COMPLETED)
def resetting_the_password() -> Act:
    person = new_person()
    Client().post(RESET, {"email": person.email})
    return lambda: Client().post(path_to(person.email), {"new_password": NEW_PASSWORD})


@emits(IdentityEvent.RESET_REFUSED, Outcome.DENIED)
def resetting_the_password_twice() -> Act:
    person = new_person()
    Client().post(RESET, {"email": person.email})
    path = path_to(person.email)
    Client().post(path, {"new_password": NEW_PASSWORD})
    return lambda: Client().post(path, {"new_password": f"{NEW_PASSWORD}-again"})


@emits(IdentityEvent.EMAIL_CHANGE_REQUESTED)
def asking_for_another_address() -> Act:
    client = signed_in(new_person())
    return lambda: client.post(EMAIL_PAGE, {"email": NEXT})


@emits(IdentityEvent.EMAIL_CHANGED)
def confirming_another_address() -> Act:
    client = signed_in(new_person())
    client.post(EMAIL_PAGE, {"email": NEXT})
    return lambda: client.post(path_to(NEXT))


@emits(IdentityEvent.EMAIL_RESTORED)
def bringing_the_former_address_back() -> Act:
    person = new_person()
    client = signed_in(person)
    client.post(EMAIL_PAGE, {"email": NEXT})
    client.post(path_to(NEXT))
    return lambda: Client().post(path_to(person.email))


@emits(IdentityEvent.EMAIL_REFUSED, Outcome.DENIED)
def confirming_an_address_that_was_taken_meanwhile() -> Act:
    client = signed_in(new_person())
    client.post(EMAIL_PAGE, {"email": NEXT})
    path = path_to(NEXT)
    new_person(NEXT)
    return lambda: client.post(path)


@emits(IdentityEvent.DEACTIVATED)
def deactivating_a_person() -> Act:
    person = new_person()
    return lambda: deactivated(person)


@emits(IdentityEvent.REACTIVATED)
def reactivating_a_person() -> Act:
    person = accounts.user(is_inactive=True)
    administrator = signed_in(accounts.staff())
    form = {"action": "reactivate_selected", "_selected_action": [person.pk]}
    return lambda: administrator.post(PEOPLE, form)


@emits(IdentityEvent.STAFF_CREATED)
def making_a_member_of_the_staff() -> Act:
    return lambda: call_command("create_staff", "sam@staff.example", "--name", "Sam", "--role", "dpo")


@emits(IdentityEvent.STAFF_ROLE_GRANTED)
def granting_a_role() -> Act:
    person = accounts.staff("triager", email="sam@staff.example")
    return lambda: call_command("create_staff", person.email, "--name", "Sam", "--role", "dpo")


@emits(IdentityEvent.QUARANTINE_REFUSED, Outcome.DENIED)
def making_a_key_in_quarantine() -> Act:
    place = organizations.founder(owner=new_person())
    client = signed_in(place.user)
    quarantine.begin(place.user, actor=Actor.system("tests"), reason="test")
    return lambda: client.post(CREATE, typed())


def at_login(person: User) -> Client:
    """A browser in which the password of ``person`` was typed."""
    client = Client()
    client.post(LOGIN, {"email": person.email, "password": PASSWORD})
    return client
