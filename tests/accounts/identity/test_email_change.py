"""Changing the address of an account, and bringing the former one back."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connections
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.identity.actions import addresses
from accounts.identity.models import EmailChange, PasswordReset, User
from accounts.sessions.models import AccountSession
from kellexa_portal.audit import Stream
from kellexa_portal.core.actor import Actor
from kellexa_portal.mail import body
from kellexa_portal.mail.models import OutboxMail
from tests.factories.audit_support import recorded
from tests.factories.sign_in import new_person, sign_in

pytestmark = pytest.mark.django_db

PAGE = "/accounts/email/"
NEW = "ada@new.example"


@pytest.fixture
def ada(client: Client) -> User:
    person = new_person()
    sign_in(client, person)
    return person


def link_in(kind: str) -> str:
    """The path of the one link of this kind of page in the newest such mail."""
    mail = OutboxMail.objects.filter(kind=f"accounts.{kind}").latest("pk")
    found = re.search(r"https?://[^/\s]+(/accounts/email/(?:confirm|undo)/[\w-]+/)", body.of(mail).text)
    assert found is not None
    return found[1]


def asked_for(client: Client, email: str = NEW) -> str:
    """The path of the link that the new address was mailed."""
    answer = client.post(PAGE, {"email": email})
    assert answer.status_code == 200, answer.content.decode()
    return link_in("confirm_new_address")


def moved(client: Client) -> str:
    """Moves the account to ``NEW``; answers the path of the link that the former address was mailed."""
    assert client.post(asked_for(client)).status_code == 302
    return link_in("email_moved_away")


def test_the_address_moves_once_its_link_is_used(client: Client, ada: User) -> None:
    link = asked_for(client)
    shown = client.get(link)
    ada.refresh_from_db()
    before = ada.email

    answer = client.post(link)

    ada.refresh_from_db()
    assert (shown.status_code, before) == (200, "ada@example.com")
    assert (answer.status_code, ada.email) == (302, NEW)
    assert client.get(PAGE).status_code == 200
    assert recorded(Stream.user(ada.public_id))[-2:] == ["account.email.request", "account.email.change"]


def test_both_addresses_are_told(client: Client, ada: User) -> None:
    moved(client)

    told = OutboxMail.objects.values_list("kind", "recipient")

    assert {
        ("accounts.email_change_requested", "ada@example.com"),
        ("accounts.confirm_new_address", NEW),
        ("accounts.email_changed", NEW),
        ("accounts.email_moved_away", "ada@example.com"),
    } <= set(told)


def test_every_other_session_and_reset_link_ends(client: Client, ada: User) -> None:
    """Case 34, and a new key for the one that goes on (case 31)."""
    elsewhere = Client()
    other = sign_in(elsewhere, ada)
    PasswordReset.objects.create(
        user=ada,
        epoch=ada.security_epoch,
        token_hash=b"x" * 32,
        expires_at=timezone.now() + timedelta(hours=1),
    )
    old_key = client.cookies[settings.SESSION_COOKIE_NAME].value

    moved(client)

    other.refresh_from_db()
    assert other.end_reason == AccountSession.EndReason.EMAIL
    assert elsewhere.get(PAGE).status_code == 302
    assert client.get(PAGE).status_code == 200
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != old_key
    assert not PasswordReset.objects.filter(spent_at=None).exists()


def test_the_link_works_once(client: Client, ada: User) -> None:
    link = asked_for(client)
    client.post(link)

    assert client.get(link).status_code == 404
    assert client.post(link).status_code == 404


@pytest.mark.parametrize("death", ["late", "newer link", "epoch", "made up"])
def test_a_dead_link_changes_nothing(client: Client, ada: User, death: str) -> None:
    link = asked_for(client)
    if death == "late":
        past = timezone.now() - timedelta(seconds=1)
        EmailChange.objects.update(created_at=past - timedelta(hours=1), expires_at=past)
    elif death == "newer link":
        asked_for(client, "ada@newer.example")
    elif death == "epoch":
        EmailChange.objects.update(epoch=ada.security_epoch + 1)
    else:
        link = PAGE + "confirm/" + "x" * 43 + "/"

    assert client.get(link).status_code == 404
    assert client.post(link).status_code == 404
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"


def test_the_mailbox_alone_moves_no_account(client: Client, ada: User) -> None:
    """A mistyped address belongs to somebody: they get a link that opens nothing for them."""
    link = asked_for(client)
    stranger, eve = Client(), Client()
    sign_in(eve, new_person("eve@example.com"))

    assert stranger.post(link)["Location"].startswith("/accounts/login/")
    assert eve.get(link).status_code == 404
    assert eve.post(link).status_code == 404


def test_the_answer_never_tells_whose_address_it_is(client: Client, ada: User) -> None:
    """Case 30: an address with an account is answered like one without; its owner learns of it."""
    new_person("taken@example.com")

    free, taken = (client.post(PAGE, {"email": email}) for email in (NEW, "taken@example.com"))

    assert free.status_code == taken.status_code == 200
    assert _bare(free, NEW) == _bare(taken, "taken@example.com")
    assert OutboxMail.objects.get(recipient="taken@example.com").kind == "accounts.address_taken"


def _bare(answer: HttpResponse, email: str) -> str:
    """The page without the address and without its form tokens, which differ each time."""
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode()).replace(email, "")


def test_an_address_taken_meanwhile_is_not_taken_twice(client: Client, ada: User) -> None:
    link = asked_for(client)
    new_person(NEW)

    assert client.post(link).status_code == 404
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"


@pytest.mark.parametrize("typed", ["ada@example.com", "ADA@Example.com", " ada@example.com "])
def test_the_present_address_is_no_new_one(client: Client, ada: User, typed: str) -> None:
    assert client.post(PAGE, {"email": typed}).status_code == 422
    assert not EmailChange.objects.exists()


@pytest.mark.parametrize(
    "typed", ["", "nobody", "mıke@example.com", "a@b@c.example", f"{'x' * 250}@a.example"]
)
def test_what_is_no_address_is_refused_beside_its_field(client: Client, ada: User, typed: str) -> None:
    answer = client.post(PAGE, {"email": typed})

    assert answer.status_code == 422
    assert answer.context["form"].errors["email"]


def test_two_values_mail_one_address(client: Client, ada: User) -> None:
    """Case 23: ``email=a&email=b`` mails the one that was checked."""
    client.post(PAGE, {"email": ["first@example.com", "second@example.com"]})

    mails = OutboxMail.objects.filter(kind="accounts.confirm_new_address")
    assert [mail.recipient for mail in mails] == [EmailChange.objects.get().new_email]


def test_asking_is_budgeted(client: Client, ada: User) -> None:
    answers = [client.post(PAGE, {"email": f"a{n}@new.example"}).status_code for n in range(6)]

    assert answers == [200] * 5 + [429]


def test_an_open_screen_moves_no_account(client: Client, ada: User) -> None:
    AccountSession.objects.update(factor_at=timezone.now() - timedelta(minutes=10))

    answer = client.post(PAGE, {"email": NEW})

    assert answer["Location"].startswith("/accounts/verify/?q=")
    assert not EmailChange.objects.exists()


# --- The way back --------------------------------------------------------------------------------


def test_the_former_address_brings_itself_back(client: Client, ada: User) -> None:
    undo = moved(client)
    owner = Client()
    shown = owner.get(undo)

    answer = owner.post(undo)

    ada.refresh_from_db()
    assert (shown.status_code, answer.status_code) == (200, 302)
    assert ada.email == "ada@example.com"
    assert client.get(PAGE)["Location"].startswith("/accounts/login/")
    assert recorded(Stream.user(ada.public_id))[-1] == "session.revoke_others"
    assert "account.email.restore" in recorded(Stream.user(ada.public_id))
    told = OutboxMail.objects.filter(kind="accounts.email_restored").values_list("recipient", flat=True)
    assert set(told) == {"ada@example.com", NEW}


def test_a_chain_of_changes_is_undone_from_its_first_address(client: Client, ada: User) -> None:
    """A thief who moves the account twice: the owner's link still works, the thief's own no longer does."""
    owners = moved(client)
    assert client.post(asked_for(client, "thief@evil.example")).status_code == 302
    thiefs = link_in("email_moved_away")

    assert Client().post(owners).status_code == 302
    assert Client().post(thiefs).status_code == 404
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"


def test_the_way_back_ends_after_seven_days_and_works_once(client: Client, ada: User) -> None:
    undo = moved(client)
    EmailChange.objects.update(undo_until=timezone.now())
    late = Client().post(undo).status_code
    EmailChange.objects.update(undo_until=timezone.now() + timedelta(seconds=30))

    assert (late, Client().post(undo).status_code, Client().post(undo).status_code) == (404, 302, 404)


def test_an_address_that_has_another_account_by_now_cannot_come_back(client: Client, ada: User) -> None:
    undo = moved(client)
    new_person("ada@example.com")

    assert Client().post(undo).status_code == 404
    ada.refresh_from_db()
    assert ada.email == NEW


@pytest.mark.django_db(transaction=True)
def test_parallel_uses_of_one_link_move_the_account_once(client: Client) -> None:
    person = new_person()
    sign_in(client, person)
    token = asked_for(client).split("/")[-2]

    def use(_: int) -> bool:
        try:
            addresses.change_email(actor=Actor.of(person), user=person, token=token, session_key="")
        except addresses.EmailLinkDeadError:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(use, range(6))) == 1
    assert OutboxMail.objects.filter(kind="accounts.email_moved_away").count() == 1


def test_a_quarantined_account_keeps_its_address(client: Client, ada: User) -> None:
    link = asked_for(client)
    User.objects.update(quarantined_until=timezone.now() + timedelta(hours=1))

    assert client.post(PAGE, {"email": "other@new.example"}).status_code == 403
    assert client.post(link).status_code == 403
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"


def test_the_way_back_is_open_in_quarantine(client: Client, ada: User) -> None:
    undo = moved(client)
    User.objects.update(quarantined_until=timezone.now() + timedelta(hours=1))

    assert Client().post(undo).status_code == 302


def test_a_dead_link_is_on_record_once_a_while(client: Client, ada: User) -> None:
    for _ in range(3):
        client.get(PAGE + "confirm/" + "x" * 43 + "/")
    Client(REMOTE_ADDR="192.0.2.7").get(PAGE + "undo/" + "x" * 43 + "/")

    assert recorded(Stream.user(ada.public_id)).count("account.email.deny") == 1
    assert recorded(Stream.system()).count("account.email.deny") == 1
