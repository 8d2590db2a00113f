"""Each event of the catalogue of notices: one mail to the person, with one link that works."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import time_machine
from django.db import transaction
from django.test import Client

from accounts.credentials import actions as keys
from accounts.identity import disavowal, emails, notices
from accounts.identity.events import IdentityEvent
from accounts.identity.models import User
from accounts.lockdown.models import DisavowalLink
from accounts.mfa import emails as mfa_emails
from accounts.organizations.models import Membership
from kellexa_portal.core.actor import Actor
from kellexa_portal.mail.models import OutboxMail
from tests.accounts.identity.mailbox import kinds_to, path_to
from tests.accounts.lockdown.conftest import the_lockdown
from tests.accounts.lockdown.notice import disown, links_in, newest
from tests.accounts.mfa.second_step import wrong_code
from tests.factories import credentials, organizations
from tests.factories.sign_in import (
    NEW_PASSWORD,
    PASSWORD,
    enrolled,
    new_person,
    oathtool,
    prove_password,
    sign_in,
    with_recovery_codes,
)

pytestmark = pytest.mark.django_db

SHOWN_KEY = re.compile(r'id="manual-key"[^>]*>([A-Z2-7 ]+)<')
SHOWN_CODE = re.compile(r"<li><code>([0-9A-Z-]{29})</code></li>")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

Happening = Callable[[User], None]


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2026-11-23T12:00:07Z", tick=False) as traveller:
        yield traveller


def _signed_in(user: User) -> Client:
    client = Client()
    sign_in(client, user)
    return client


def _place(user: User) -> Membership:
    return Membership.objects.get(user=user)


def password_changed(user: User) -> None:
    _signed_in(user).post("/accounts/password/", {"password": PASSWORD, "new_password": NEW_PASSWORD})


def password_reset(user: User) -> None:
    Client().post("/accounts/password/reset/", {"email": user.email})
    Client().post(path_to(user.email), {"new_password": NEW_PASSWORD})


def signed_in_from_a_new_device(user: User) -> None:
    client = Client(headers={"user-agent": FIREFOX})
    prove_password(client, user)
    client.post("/accounts/login/verify/", {"code": oathtool(enrolled(user).open_seed())})


def guessed_three_times(user: User) -> None:
    device, client = enrolled(user), Client()
    prove_password(client, user)
    for _guess in range(4):
        client.post("/accounts/login/verify/", {"code": wrong_code(device)})


def _enrol(client: Client) -> None:
    page = client.get("/accounts/login/enrol/").content.decode()
    found = SHOWN_KEY.search(page)
    assert found
    shown = client.post(
        "/accounts/login/enrol/", {"code": oathtool(found.group(1))}, follow=True
    ).content.decode()
    client.post("/accounts/login/enrol/codes/", {"recovery_code": SHOWN_CODE.findall(shown)[0]})


def enrolled_an_app(user: User) -> None:
    client = Client(headers={"user-agent": FIREFOX})
    prove_password(client, user)
    _enrol(client)


def replaced_the_app(user: User) -> None:
    client = _signed_in(user)
    client.post("/accounts/mfa/authenticator/", {"code": oathtool(enrolled(user).open_seed())})
    found = SHOWN_KEY.search(client.get("/accounts/mfa/authenticator/new/").content.decode())
    assert found
    client.post("/accounts/mfa/authenticator/new/", {"code": oathtool(found.group(1))})


def renewed_recovery_codes(user: User) -> None:
    _signed_in(user).post("/accounts/mfa/recovery-codes/", {"code": oathtool(enrolled(user).open_seed())})


def used_a_recovery_code(user: User) -> None:
    client = Client()
    enrolled(user)
    prove_password(client, user)
    client.post("/accounts/login/recover/", {"recovery_code": with_recovery_codes(user)[0]})


def added_a_passkey(user: User) -> None:
    with transaction.atomic():
        mfa_emails.passkey_added(user=user, name="Laptop", event_id="1")


def removed_a_factor(user: User) -> None:
    with transaction.atomic():
        mfa_emails.factor_removed(user=user, name="Laptop", event_id="1")


def created_a_key(user: User) -> None:
    credentials.issued(_place(user))


def rotated_a_key(user: User) -> None:
    key = credentials.api_key(_place(user))
    OutboxMail.objects.all().delete()
    keys.rotate_key(actor=Actor.of(user), by=_place(user), key=key)


def revoked_a_key(user: User) -> None:
    key = credentials.api_key(_place(user))
    OutboxMail.objects.all().delete()
    keys.revoke_key(actor=Actor.of(user), by=_place(user), key=key, reason="leaked")


EVENTS: dict[str, Happening] = {
    "accounts.password_changed": password_changed,
    "sessions.new_device": signed_in_from_a_new_device,
    "mfa.wrong_codes": guessed_three_times,
    "mfa.enrolled": enrolled_an_app,
    "mfa.replaced": replaced_the_app,
    "mfa.recovery_renewed": renewed_recovery_codes,
    "mfa.recovery_used": used_a_recovery_code,
    "mfa.passkey_added": added_a_passkey,
    "mfa.removed": removed_a_factor,
    "credentials.key_created": created_a_key,
    "credentials.key_rotated": rotated_a_key,
    "credentials.key_revoked": revoked_a_key,
}


@pytest.mark.parametrize("kind", EVENTS)
def test_the_event_sends_one_mail_with_one_working_link(kind: str) -> None:
    ada = new_person()
    organizations.founder("Acme", owner=ada)

    EVENTS[kind](ada)

    assert kinds_to(ada.email) == [kind]
    (path,) = links_in(newest(ada.email))
    shown = Client().get(path)
    assert shown.status_code == 200
    assert "What we told you" in shown.content.decode()
    assert disown(path).status_code == 303
    assert the_lockdown().user == ada


def test_a_reset_by_mail_can_be_disowned_too() -> None:
    ada = new_person()

    password_reset(ada)

    assert kinds_to(ada.email) == ["accounts.password_reset", "accounts.password_changed"]
    (path,) = links_in(newest(ada.email))
    assert "reset by a mailed link" in Client().get(path).content.decode()


def test_each_link_tells_its_own_event() -> None:
    ada = new_person()
    organizations.founder("Acme", owner=ada)
    created_a_key(ada)
    renewed_recovery_codes(ada)

    shown = [
        Client().get(links_in(newest(ada.email, kind)).pop()).content.decode()
        for kind in ("credentials.key_created", "mfa.recovery_renewed")
    ]

    assert "An API key was created." in shown[0]
    assert "New recovery codes were made" in shown[1]


def test_who_did_not_act_gets_no_link_that_locks_them_out() -> None:
    place = organizations.founder("Acme")
    colleague = organizations.member(place.organization, Membership.Role.SECURITY)
    key = credentials.api_key(place)

    keys.revoke_key(actor=Actor.of(colleague.user), by=colleague, key=key, reason="leaked")

    assert links_in(newest(place.user.email, "credentials.key_revoked")) == set()
    assert len(links_in(newest(colleague.user.email, "credentials.key_revoked"))) == 1


def test_an_address_that_was_never_verified_gets_no_notice() -> None:
    ada = new_person()
    User.objects.update(email_confirmed_at=None)
    ada.refresh_from_db()

    added_a_passkey(ada)

    assert kinds_to(ada.email) == []
    assert not DisavowalLink.objects.exists()


def test_a_mail_that_is_there_already_gets_no_second_link() -> None:
    ada = new_person()

    added_a_passkey(ada)
    added_a_passkey(ada)

    assert kinds_to(ada.email) == ["mfa.passkey_added"]
    assert DisavowalLink.objects.count() == 1


def test_every_address_gets_a_link_of_its_own() -> None:
    ada = new_person()

    with transaction.atomic():
        notices.send(
            IdentityEvent.PASSWORD_CHANGED,
            kind="accounts.password_changed",
            user=ada,
            subject="Changed",
            template=f"{emails.FOLDER}/password_changed",
            context={"facts": []},
            dedupe_key="one",
            also_to="former@example.com",
        )

    paths = [links_in(newest(address)) for address in (ada.email, "former@example.com")]
    assert [len(found) for found in paths] == [1, 1]
    assert paths[0] != paths[1]


def test_the_link_dies_with_a_change_that_is_undone() -> None:
    ada = new_person()

    with transaction.atomic():
        emails.password_changed(user=ada, was_reset=False)
        transaction.set_rollback(True)

    assert not DisavowalLink.objects.exists()
    assert kinds_to(ada.email) == []


def test_without_a_maker_the_mail_has_no_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disavowal, "_makers", [])
    ada = new_person()

    added_a_passkey(ada)

    assert links_in(newest(ada.email)) == set()
