"""The way back: a new password, the second factor, and a step-up for exactly this lock-down."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.credentials.actions import IssuedKey
from accounts.credentials.models import ApiKey
from accounts.identity import signals
from accounts.identity.access import NotPermittedError
from accounts.identity.models import User
from accounts.lockdown import actions, rules
from accounts.lockdown.models import Lockdown
from accounts.organizations.models import Membership
from accounts.sessions.models import AccountSession
from kellexa_portal.audit import Stream
from kellexa_portal.core.actor import Actor
from tests.accounts.identity.mailbox import kinds_to, path_to
from tests.accounts.lockdown.conftest import IsActive, renewed, the_lockdown
from tests.accounts.lockdown.notice import link_to
from tests.factories import credentials
from tests.factories.audit_support import recorded
from tests.factories.sign_in import NEW_PASSWORD, enrolled, may, new_person, prove_password, sign_in, totp_now

pytestmark = pytest.mark.django_db

PAGE = "/accounts/lockdown/"
LIFT = "/accounts/lockdown/lift/"
KEYS = "/accounts/lockdown/keys/"


def reset_password(user: User, new: str = NEW_PASSWORD) -> None:
    """Asks for the mailed link and chooses ``new`` by it."""
    Client().post("/accounts/password/reset/", {"email": user.email})
    answer = Client().post(path_to(user.email), {"new_password": new})
    assert answer.status_code == 302, answer.content.decode()


@pytest.fixture
def locked(ada: User, key: IssuedKey) -> Lockdown:
    """Ada's account, locked down."""
    return actions.raise_alarm(actor=Actor.of(ada), user=ada)


@pytest.fixture
def back(locked: Lockdown, ada: User) -> Client:
    """Ada's browser, signed in again with a new password and the factor, ten minutes ago."""
    renewed(ada)
    client = Client()
    sign_in(client, ada)
    at = timezone.now() - timedelta(minutes=11)
    AccountSession.objects.update(proof_at=at, factor_at=at)
    return client


def test_the_whole_way_back(locked: Lockdown, ada: User, key: IssuedKey, is_active: IsActive) -> None:
    device = enrolled(ada)
    reset_password(ada)
    client = Client()
    prove_password(client, User.objects.get(pk=ada.pk), password=NEW_PASSWORD)

    arrived = client.post("/accounts/login/verify/", {"code": totp_now(device)})
    shown = client.get(arrived["Location"]).content.decode()
    asked = client.post(LIFT, {"keys": [key.key.key_id]})

    assert arrived["Location"] == PAGE
    assert "Your account is locked down" in shown
    assert key.key.masked in shown
    assert asked["Location"].startswith("/accounts/verify/?q=")
    assert not is_active(key.token)
    assert Lockdown.objects.unlifted().exists()


def test_a_factor_shown_for_exactly_this_lifts_it(
    back: Client, ada: User, key: IssuedKey, is_active: IsActive
) -> None:
    may(back, "lockdown.lift", str(the_lockdown().public_id))

    answer = back.post(LIFT, {"keys": [key.key.key_id]})

    lockdown = the_lockdown()
    assert (answer.status_code, answer["Location"]) == (303, PAGE)
    assert (lockdown.lifted_by, lockdown.user) == (ada, ada)
    assert User.objects.get(pk=ada.pk).locked_at is None
    assert is_active(key.token)
    assert back.get("/accounts/").status_code == 200
    assert "account.lockdown.lift" in recorded(Stream.user(ada.public_id))


def test_what_was_chosen_comes_back_after_the_step_up(back: Client, key: IssuedKey) -> None:
    asked = back.post(LIFT, {"keys": [key.key.key_id]})

    page = back.post(asked["Location"], {"way": "totp", "code": totp_now(enrolled(the_lockdown().user))})
    shown = back.get(page["Location"]).content.decode()

    assert page["Location"] == LIFT
    assert "checked" in shown
    assert back.post(LIFT, {"keys": [key.key.key_id]})["Location"] == PAGE
    assert the_lockdown().lifted_at is not None


@pytest.mark.parametrize(
    ("action", "own"),
    [("lockdown.keys", True), ("lockdown.lift", False), ("organization.transfer", True)],
    ids=["another action", "another lock-down", "something else"],
)
def test_a_permission_for_anything_else_lifts_nothing(back: Client, action: str, own: bool) -> None:
    may(back, action, str(the_lockdown().public_id) if own else "0192f7a0-0000-7000-8000-000000000000")

    assert back.post(LIFT)["Location"].startswith("/accounts/verify/")
    assert the_lockdown().lifted_at is None


def test_a_recent_factor_alone_lifts_nothing(back: Client) -> None:
    AccountSession.objects.update(proof_at=timezone.now(), factor_at=timezone.now())

    assert back.post(LIFT)["Location"].startswith("/accounts/verify/")
    assert the_lockdown().lifted_at is None


def test_a_failure_gives_the_permission_back(back: Client) -> None:
    lockdown = the_lockdown()
    may(back, "lockdown.lift", str(lockdown.public_id))
    recovery = AccountSession.objects.create(
        user=lockdown.user, key_digest=b"x" * 32, epoch=0, level=2, method="recovery"
    )

    refused = back.post(LIFT)
    AccountSession.objects.filter(pk=recovery.pk).update(
        started_at=timezone.now() - rules.RECOVERY_QUARANTINE
    )

    assert refused.status_code == 409
    assert back.post(LIFT).status_code == 303
    assert the_lockdown().lifted_at is not None


def test_a_recovery_code_does_not_lift_within_a_day(back: Client, ada: User) -> None:
    sign_in(back, ada, method=AccountSession.Method.RECOVERY)
    may(back, "lockdown.lift", str(the_lockdown().public_id))

    answer = back.post(LIFT)

    assert answer.status_code == 409
    assert "recovery code" in answer.content.decode()
    assert the_lockdown().lifted_at is None
    assert "account.lockdown.lift_deny" in recorded(Stream.user(ada.public_id))


def test_keys_that_were_not_chosen_stay_suspended_until_they_are(
    back: Client, place: Membership, key: IssuedKey, is_active: IsActive
) -> None:
    may(back, "lockdown.lift", str(the_lockdown().public_id))
    back.post(LIFT)
    stopped = is_active(key.token)
    offered = back.get(PAGE).content.decode()

    asked = back.post(KEYS, {"keys": [key.key.key_id]})
    may(back, "lockdown.keys", str(place.user.public_id))
    answer = back.post(KEYS, {"keys": [key.key.key_id]})

    assert not stopped
    assert key.key.masked in offered
    assert asked["Location"].startswith("/accounts/verify/")
    assert answer["Location"] == PAGE
    assert is_active(key.token)


def test_keys_do_not_come_back_before_the_lock_down_is_lifted(
    back: Client, ada: User, key: IssuedKey
) -> None:
    may(back, "lockdown.keys", str(ada.public_id))

    assert back.post(KEYS, {"keys": [key.key.key_id]})["Location"] == PAGE
    with pytest.raises(actions.StillLockedDownError):
        actions.bring_keys_back(actor=Actor.of(ada), user=ada, key_ids=[key.key.key_id])
    assert ApiKey.objects.get(pk=key.key.pk).suspended_at is not None


def test_a_key_that_expired_meanwhile_is_neither_offered_nor_brought_back(
    back: Client, key: IssuedKey, is_active: IsActive
) -> None:
    credentials.expired(ApiKey.objects.get(pk=key.key.pk))
    shown = back.get(PAGE).content.decode()
    may(back, "lockdown.lift", str(the_lockdown().public_id))

    answer = back.post(LIFT, {"keys": [key.key.key_id]})

    assert key.key.masked not in shown
    assert answer.status_code in {303, 422}
    assert not is_active(key.token)


def test_the_key_of_somebody_else_can_not_be_chosen(back: Client, is_active: IsActive) -> None:
    theirs = credentials.issued()
    actions.raise_alarm(actor=Actor.of(theirs.key.owner), user=theirs.key.owner)
    mine = Lockdown.objects.exclude(user=theirs.key.owner).get()
    may(back, "lockdown.lift", str(mine.public_id))

    answer = back.post(LIFT, {"keys": [theirs.key.key_id]})

    assert answer.status_code == 422
    assert not is_active(theirs.token)


def test_only_the_person_lifts(locked: Lockdown, ada: User) -> None:
    renewed(ada)

    for actor in (Actor.of(new_person("eve@example.com")), Actor.system("tests"), Actor.anonymous()):
        with pytest.raises(NotPermittedError):
            actions.lift(actor=actor, user=ada, key_ids=[])

    assert the_lockdown().lifted_at is None


def test_nothing_is_lifted_before_the_password_is_new(locked: Lockdown, ada: User) -> None:
    with pytest.raises(actions.NotLockedDownError):
        actions.lift(actor=Actor.of(ada), user=ada, key_ids=[])


def test_an_account_can_be_locked_down_again(back: Client, ada: User) -> None:
    may(back, "lockdown.lift", str(the_lockdown().public_id))
    back.post(LIFT)

    back.post(PAGE)

    assert Lockdown.objects.filter(user=ada).count() == 2
    assert Lockdown.objects.unlifted().count() == 1


def test_the_mail_about_lifting_can_be_disowned(back: Client, ada: User) -> None:
    may(back, "lockdown.lift", str(the_lockdown().public_id))
    back.post(LIFT)

    path = link_to(ada.email, "lockdown.lifted")

    assert Client().post(path).status_code == 303
    assert kinds_to(ada.email).count("lockdown.begun") == 2
    assert back.get("/accounts/").status_code == 302


def test_other_apps_hear_of_it_and_of_its_end(ada: User) -> None:
    heard: list[tuple[str, object]] = []

    def down(**news: object) -> None:
        heard.append(("down", news["lockdown"]))

    def up(**news: object) -> None:
        heard.append(("up", news["lockdown"]))

    signals.locked_down.connect(down)
    signals.lockdown_lifted.connect(up)
    try:
        lockdown = actions.raise_alarm(actor=Actor.of(ada), user=ada)
        actions.lift(actor=Actor.of(ada), user=renewed(ada), key_ids=[])
    finally:
        signals.locked_down.disconnect(down)
        signals.lockdown_lifted.disconnect(up)

    assert heard == [("down", lockdown.public_id), ("up", lockdown.public_id)]
