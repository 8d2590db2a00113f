"""Attacks on and around the lock-down, through HTTP as an attacker has it."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from accounts.identity.models import User
from accounts.lockdown.actions import raise_alarm
from accounts.lockdown.models import Lockdown
from accounts.organizations.models import Membership
from accounts.sessions.models import AccountSession
from kellexa_portal.core.actor import Actor
from tests.accounts.identity.mailbox import path_to
from tests.accounts.lockdown.conftest import renewed
from tests.accounts.lockdown.notice import link_to
from tests.factories import credentials, organizations
from tests.factories.sign_in import (
    PASSWORD,
    enrolled,
    may,
    new_person,
    prove_password,
    sign_in,
    totp_now,
    with_recovery_codes,
)

pytestmark = pytest.mark.django_db

PAGE = "/accounts/lockdown/"
LIFT = "/accounts/lockdown/lift/"
LOGIN = "/accounts/login/"
HOME = "/accounts/"


@pytest.fixture
def ada() -> User:
    return organizations.founder("Acme", owner=new_person()).user


def _lock(user: User) -> Lockdown:
    return raise_alarm(actor=Actor.of(user), user=user)


def test_a_thief_with_password_and_phone_stays_out_of_a_locked_account(ada: User) -> None:
    """Case 14 (Keycloak CVE-2026-9798): the lock holds although password and code are right."""
    enrolled(ada)
    _lock(ada)

    thief = Client()
    answer = thief.post(LOGIN, {"email": ada.email, "password": PASSWORD})

    assert answer["Location"] == "/accounts/password/reset/"
    assert thief.get("/accounts/login/verify/")["Location"] == LOGIN
    assert thief.get(HOME).status_code == 302


def test_a_thief_who_holds_the_mailbox_still_meets_the_factor(ada: User) -> None:
    """Case 28 (Keycloak #8920): the reset that a lock-down demands skips no second factor."""
    enrolled(ada)
    _lock(ada)
    thief = Client()
    thief.post("/accounts/password/reset/", {"email": ada.email})
    thief.post(path_to(ada.email), {"new_password": "a thief chose these five words"})

    thief.post(LOGIN, {"email": ada.email, "password": "a thief chose these five words"})

    assert thief.get(HOME).status_code == 302
    assert thief.get(PAGE).status_code == 302
    assert Lockdown.objects.unlifted().exists()


def test_a_half_sign_in_from_before_completes_nothing(ada: User) -> None:
    """Case 28: a right password typed before the lock-down is worth nothing after it."""
    device, half = enrolled(ada), Client()
    prove_password(half, ada)
    _lock(ada)

    answer = half.post("/accounts/login/verify/", {"code": totp_now(device)})

    assert answer["Location"] == LOGIN
    assert not AccountSession.objects.exists()


def test_a_reset_link_from_before_opens_nothing(ada: User) -> None:
    """Case 27 (Keycloak CVE-2026-37982): a thief's mailed link dies with the lock-down."""
    Client().post("/accounts/password/reset/", {"email": ada.email})
    path = path_to(ada.email)
    _lock(ada)

    answer = Client().post(path, {"new_password": "a thief chose these five words"})

    assert answer.status_code == 404
    assert User.objects.get(pk=ada.pk).needs_new_password


def test_the_cookie_of_a_locked_account_is_refused_at_its_next_request(ada: User) -> None:
    """Case 32 (authentik CVE-2025-29928): the thief's cookie, kept aside, opens nothing."""
    victim = Client()
    sign_in(victim, ada)
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = victim.cookies[settings.SESSION_COOKIE_NAME].value

    victim.post(PAGE)

    assert thief.get(HOME).status_code == 302
    assert thief.post(LIFT).status_code == 302
    assert Lockdown.objects.unlifted().exists()


def test_keys_stop_with_the_account(ada: User) -> None:
    """Case 33 (Zulip CVE-2016-4427): sessions and keys end at once, and keys of others do not."""
    key = credentials.issued(Membership.objects.get(user=ada))
    other, gateway = credentials.issued(), credentials.gateway()
    _lock(ada)

    answers = [
        Client()
        .post(
            "/api/v1/keys/verify",
            {"token": token},
            content_type="application/json",
            headers={"Authorization": f"Bearer {gateway.token}"},
        )
        .json()["active"]
        for token in (key.token, other.token)
    ]
    own = Client().get("/api/v1/keys/self", headers={"Authorization": f"Bearer {key.token}"})

    assert answers == [False, True]
    assert own.status_code == 401


def test_recovery_codes_lift_no_lock_down(ada: User) -> None:
    """Design 4: a recovery code never satisfies S3, nor does the app that it enrolled a moment ago."""
    enrolled(ada)
    codes = with_recovery_codes(ada)
    lockdown = _lock(ada)
    renewed(ada)
    thief = Client()
    sign_in(thief, User.objects.get(pk=ada.pk), method=AccountSession.Method.RECOVERY)
    may(thief, "lockdown.lift", str(lockdown.public_id))

    by_code = thief.post(
        "/accounts/verify/", {"way": "recovery", "recovery_code": codes[0], "code": codes[0]}
    )
    answer = thief.post(LIFT)

    assert by_code.status_code != 303
    assert answer.status_code == 409
    assert Lockdown.objects.unlifted().exists()


def test_the_link_of_another_person_reaches_only_them(ada: User) -> None:
    """Case 43 (authentik GHSA-4r87-w2cx-fr3f): a stranger's link, posted in one's own session, is theirs."""
    eve = organizations.founder("Eve").user
    theirs = Client()
    sign_in(theirs, eve)
    credentials.issued(Membership.objects.get(user=eve))
    path = link_to(eve.email, "credentials.key_created")
    mine = Client()
    sign_in(mine, ada)

    mine.post(path)

    assert mine.get(HOME).status_code == 200
    assert theirs.get(HOME).status_code == 302
    assert Lockdown.objects.get().user == eve


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "delete"])
def test_only_a_post_locks_down(ada: User, method: str) -> None:
    """ASVS 3.5.3: what scanners and prefetchers send changes nothing."""
    credentials.issued(Membership.objects.get(user=ada))
    path = link_to(ada.email)

    getattr(Client(), method)(path)

    assert not Lockdown.objects.exists()


def test_posted_fields_choose_neither_person_nor_state(ada: User) -> None:
    """Case 29 (Zitadel CVE-2026-27946): ``user``, ``lifted_at`` and the like are ignored."""
    eve = new_person("eve@example.com")
    client = Client()
    sign_in(client, eve)

    client.post(PAGE, {"user": str(ada.public_id), "lifted_at": "2026-01-01", "cause": "staff"})

    lockdown = Lockdown.objects.get()
    assert (lockdown.user, lockdown.cause, lockdown.lifted_at) == (eve, "page", None)
