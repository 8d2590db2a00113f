"""The link of a notice: shows at GET, locks down at POST, once, and only the account it was mailed to."""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.credentials.actions import IssuedKey
from accounts.identity import known_browser
from accounts.identity.models import PendingSignIn, User
from accounts.lockdown import rules
from accounts.lockdown.actions import forget_old_links
from accounts.lockdown.models import DisavowalLink, Lockdown
from accounts.organizations.models import Membership
from kellexa_portal.audit import Stream
from kellexa_portal.core.actor import Actor
from kellexa_portal.redaction import RedactionFilter
from tests.accounts.identity.mailbox import kinds_to, texts_to
from tests.accounts.lockdown.conftest import IsActive, Notify, renewed, the_lockdown
from tests.accounts.lockdown.notice import disown, links_in, newest
from tests.factories import credentials, organizations
from tests.factories.audit_support import recorded
from tests.factories.sign_in import new_person, prove_password, sign_in

pytestmark = pytest.mark.django_db

HOME = "/accounts/"


def _known_browser(user: User) -> dict[str, str]:
    response = HttpResponse()
    known_browser.mark(response, user)
    return {name: morsel.value for name, morsel in response.cookies.items()}


def test_the_page_says_what_will_happen_and_changes_nothing(
    mine: Client, ada: User, notice: str, key: IssuedKey, is_active: IsActive
) -> None:
    answer = Client().get(notice)

    shown = answer.content.decode()
    assert answer.status_code == 200
    assert "The password was changed." in shown
    assert ada.email in shown
    assert not Lockdown.objects.exists()
    assert mine.get(HOME).status_code == 200
    assert is_active(key.token)


def test_a_scanner_may_open_the_link_as_often_as_it_likes(notice: str) -> None:
    for method in ("get", "head", "get"):
        assert getattr(Client(), method)(notice).status_code == 200

    assert not Lockdown.objects.exists()
    assert disown(notice).status_code == 303


def test_pressing_the_button_ends_every_session_and_stops_every_key(
    mine: Client, ada: User, notice: str, key: IssuedKey, is_active: IsActive
) -> None:
    other = Client()
    sign_in(other, ada)
    before = is_active(key.token)

    answer = disown(notice)

    assert (answer.status_code, answer["Location"]) == (303, "/accounts/lockdown/done/")
    assert before
    assert not is_active(key.token)
    for browser in (mine, other):
        assert browser.get(HOME)["Location"].startswith("/accounts/login/")
    lockdown = the_lockdown()
    assert (lockdown.cause, lockdown.event) == ("mail_link", "account.password.change")
    assert (lockdown.sessions_ended, lockdown.keys_suspended) == (2, 1)
    assert "account.lockdown.begin" in recorded(Stream.user(ada.public_id))


def test_half_sign_ins_and_known_browsers_end_too(ada: User, notice: str) -> None:
    half = Client()
    prove_password(half, ada)
    cookies = known_browser.BrowserCookies(_known_browser(ada))
    before = cookies.id_for(ada)

    disown(notice)

    ada.refresh_from_db()
    assert not PendingSignIn.objects.exists()
    assert before
    assert not cookies.id_for(ada)
    assert half.get("/accounts/login/verify/")["Location"] == "/accounts/login/"


def test_the_person_is_told_at_every_verified_address_and_without_a_link(ada: User, notice: str) -> None:
    disown(notice)

    mail = newest(ada.email)
    assert mail.kind == "lockdown.begun"
    assert links_in(mail) == set()
    assert "/accounts/password/reset/" in texts_to(ada.email)[-1]


def test_the_second_use_says_that_it_is_done_and_does_nothing(ada: User, notice: str) -> None:
    disown(notice)
    epoch = User.objects.get(pk=ada.pk).security_epoch

    again, shown = disown(notice), Client().get(notice)

    for answer in (again, shown):
        assert answer.status_code == 200
        assert "This link did so before" in answer.content.decode()
    assert User.objects.get(pk=ada.pk).security_epoch == epoch
    assert kinds_to(ada.email).count("lockdown.begun") == 1


def test_another_notice_locks_again_what_was_opened_since(
    ada: User, notice: str, notify: Notify, key: IssuedKey
) -> None:
    other = notify(ada)
    disown(notice)
    renewed(ada)
    back = Client()
    sign_in(back, ada)

    answer = disown(other)

    assert answer.status_code == 303
    assert back.get(HOME).status_code == 302
    lockdown = the_lockdown()
    assert lockdown.repeated_at is not None
    assert (lockdown.sessions_ended, lockdown.keys_suspended) == (1, 1)
    assert kinds_to(ada.email).count("lockdown.begun") == 1
    assert User.objects.get(pk=ada.pk).needs_new_password


@pytest.mark.parametrize(("late", "status"), [(timedelta(0), 404), (timedelta(seconds=-5), 303)])
def test_the_link_works_for_seven_days_and_not_at_their_end(
    notice: str, late: timedelta, status: int
) -> None:
    now = timezone.now()
    DisavowalLink.objects.update(created_at=now - timedelta(days=8), expires_at=now - late)

    answer = disown(notice)

    assert answer.status_code == status
    assert Lockdown.objects.exists() is (status == 303)


def test_a_link_is_made_for_seven_days(notice: str) -> None:
    link = DisavowalLink.objects.get()

    assert abs(link.expires_at - link.created_at - timedelta(days=7)) < timedelta(seconds=5)


def test_an_expired_link_is_on_the_record_of_its_person(ada: User, notice: str) -> None:
    now = timezone.now()
    DisavowalLink.objects.update(created_at=now - timedelta(days=8), expires_at=now - timedelta(days=1))

    answer = Client().get(notice)

    assert answer.status_code == 404
    assert "older than 7 days" in answer.content.decode()
    assert "account.lockdown.deny" in recorded(Stream.user(ada.public_id))


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_that_never_was_is_dead(db: None, method: str) -> None:
    answer = getattr(Client(), method)(f"/accounts/lockdown/{secrets.token_urlsafe(32)}/")

    assert answer.status_code == 404
    assert not Lockdown.objects.exists()


def test_the_link_reaches_its_own_account_whoever_holds_it(ada: User, notice: str) -> None:
    stranger = organizations.founder("Elsewhere").user
    theirs = Client()
    sign_in(theirs, stranger)

    disown(notice, theirs)

    assert the_lockdown().user == ada
    stranger.refresh_from_db()
    assert stranger.locked_at is None
    assert theirs.get(HOME).status_code == 200


def test_the_keys_of_others_go_on(place: Membership, notice: str, is_active: IsActive) -> None:
    colleague = organizations.member(place.organization, Membership.Role.ADMIN)
    tokens = [credentials.issued(colleague).token, credentials.issued().token]

    disown(notice)

    assert [is_active(token) for token in tokens] == [True, True]


def test_a_foreign_page_can_not_press_the_button(notice: str) -> None:
    strict = Client(enforce_csrf_checks=True)

    assert strict.post(notice).status_code == 403
    assert not Lockdown.objects.exists()


def test_the_token_stands_in_no_table_and_no_log(notice: str, caplog: pytest.LogCaptureFixture) -> None:
    token = urlsplit(notice).path.split("/")[3]

    with caplog.at_level(logging.INFO, "kellexa.requests"):
        Client().get(notice)

    lines = [r.getMessage() for r in caplog.records if RedactionFilter().filter(r)]
    assert lines
    assert not any(token in line for line in lines)
    assert bytes(DisavowalLink.objects.get().token_hash) != token.encode()


def test_a_deactivated_account_can_be_locked_down_too(ada: User, notice: str, key: IssuedKey) -> None:
    User.objects.update(is_active=False)

    assert disown(notice).status_code == 303
    assert the_lockdown().keys_suspended == 1


def test_worthless_links_are_forgotten_after_a_month(notice: str) -> None:
    now = timezone.now()
    link = DisavowalLink.objects.get()
    old = now - rules.KEEP_LINKS_FOR - timedelta(seconds=1)
    kept = forget_old_links(actor=Actor.system("tests"), now=now)
    DisavowalLink.objects.filter(pk=link.pk).update(created_at=old - timedelta(days=7), expires_at=old)

    assert kept == 0
    assert forget_old_links(actor=Actor.system("tests"), now=now) == 1


def test_staff_lock_themselves_down_as_customers_do(notify: Notify) -> None:
    sam = new_person("sam@staff.example", is_staff=True)
    path = notify(sam)

    assert disown(path).status_code == 303
    assert the_lockdown().user == sam
