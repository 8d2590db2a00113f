"""Presses at the same moment, on real connections."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from accounts.identity.models import User
from accounts.lockdown.models import DisavowalLink, Lockdown
from accounts.organizations.models import Membership
from kellexa_portal.audit import Stream
from tests.accounts.identity.mailbox import kinds_to
from tests.accounts.lockdown.conftest import Notify, renewed
from tests.factories import organizations
from tests.factories.audit_support import recorded
from tests.factories.sign_in import may, new_person, sign_in
from tests.support.parallel import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def place() -> Membership:
    return organizations.founder("Acme", owner=new_person())


def test_one_link_pressed_ten_times_at_once_locks_down_once(ada: User, notice: str) -> None:
    statuses = at_once(10, lambda index: Client().post(notice).status_code)

    assert sorted(statuses) == [200] * 9 + [303]
    assert Lockdown.objects.count() == 1
    assert kinds_to(ada.email).count("lockdown.begun") == 1
    assert User.objects.get(pk=ada.pk).security_epoch == ada.security_epoch + 1
    assert recorded(Stream.user(ada.public_id)).count("account.lockdown.begin") == 1


def test_ten_links_pressed_at_once_make_one_lock_down(ada: User, notify: Notify) -> None:
    links = [notify(ada) for _ in range(10)]

    statuses = at_once(10, lambda index: Client().post(links[index]).status_code)

    assert statuses == [303] * 10
    assert Lockdown.objects.count() == 1
    assert not DisavowalLink.objects.filter(spent_at=None).exists()
    assert kinds_to(ada.email).count("lockdown.begun") == 1


def test_the_button_pressed_twice_at_once_is_one_lock_down(mine: Client, ada: User) -> None:
    def press(_index: int) -> int:
        browser = Client()
        browser.cookies[settings.SESSION_COOKIE_NAME] = mine.cookies[settings.SESSION_COOKIE_NAME].value
        return int(browser.post("/accounts/lockdown/").status_code)

    statuses = at_once(4, press)

    assert set(statuses) <= {302, 303}
    assert Lockdown.objects.count() == 1
    assert kinds_to(ada.email).count("lockdown.begun") == 1


def test_lifting_twice_at_once_lifts_once(mine: Client, ada: User) -> None:
    mine.post("/accounts/lockdown/")
    renewed(ada)
    sign_in(mine, ada)
    may(mine, "lockdown.lift", str(Lockdown.objects.get().public_id))

    def lift(_index: int) -> int:
        browser = Client()
        browser.cookies[settings.SESSION_COOKIE_NAME] = mine.cookies[settings.SESSION_COOKIE_NAME].value
        return int(browser.post("/accounts/lockdown/lift/").status_code)

    at_once(4, lift)

    assert Lockdown.objects.get().lifted_at is not None
    assert recorded(Stream.user(ada.public_id)).count("account.lockdown.lift") == 1
    assert kinds_to(ada.email).count("lockdown.lifted") == 1
