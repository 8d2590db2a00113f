"""Attacks on passkeys that other products fell to, each by its number in the reference."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client
from django.utils import timezone
from django_otp_webauthn.models import WebAuthnUserHandle

from accounts.identity.models import PendingSignIn, User
from accounts.mfa.models import Passkey, PasskeyChallenge
from accounts.sessions.models import AccountSession
from tests.accounts.mfa.passkey_pages import (
    ADD,
    ADD_BEGIN,
    BEGIN,
    ENROL,
    ENROL_BEGIN,
    JSON,
    STEP_UP_BEGIN,
    VERIFY,
    VERIFY_BEGIN,
    ask,
    held,
    post_form,
    post_json,
)
from tests.factories.sign_in import enrolled, new_person, prove_password, sign_in
from tests.support.passkeys import SoftPasskey, encode

OVERVIEW = "/accounts/mfa/"


@pytest.fixture
def ada(db: None) -> User:
    return new_person()


def is_signed_in(client: Client) -> bool:
    return client.get(OVERVIEW).status_code == 200


def test_half_a_sign_in_adds_and_removes_no_passkey(client: Client, ada: User) -> None:
    """Case 3 (otp-webauthn GHSA-8r76-c459-ww98, Keycloak CVE-2026-3429)."""
    _key, row = held(ada)
    prove_password(client, ada)
    options = {"challenge": "AAAA", "user": {"id": "AAAA"}}
    answer = json.dumps(SoftPasskey().create(options))

    for begin in (ADD_BEGIN, ENROL_BEGIN, STEP_UP_BEGIN):
        assert client.post(begin, "{}", content_type=JSON).status_code in {302, 303}
    for path in (ADD, ENROL, f"/accounts/mfa/passkeys/{row.public_id}/remove/"):
        assert client.post(path, {"credential": answer, "name": "Thief"}).status_code in {302, 303}

    assert list(Passkey.objects.values_list("pk", flat=True)) == [row.pk]
    assert not PasskeyChallenge.objects.exists()


def test_anothers_passkey_is_out_of_reach(client: Client, ada: User) -> None:
    """Case 4 (wagtail-2fa CVE-2020-5240)."""
    bob = new_person("bob@example.com")
    _key, row = held(bob)
    held(bob)
    sign_in(client, ada)

    for path in (
        f"/accounts/mfa/passkeys/{row.public_id}/",
        f"/accounts/mfa/passkeys/{row.public_id}/remove/",
    ):
        assert client.get(path).status_code == 404
        assert client.post(path, {"name": "Mine now"}).status_code == 404

    row.refresh_from_db()
    assert row.name == "Laptop"


def test_the_same_answer_opens_nothing_twice(client: Client, ada: User) -> None:
    """Case 5 (django-mfa2 CVE-2022-42731); a synced passkey, whose counter would not notice."""
    key, _row = held(ada, is_synced=True)
    answer = key.get(ask(client, BEGIN))
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value

    post_json(client, answer)
    again = [post_json(browser, answer).status_code for browser in (client, thief, Client())]

    assert again == [422, 422, 422]
    assert not is_signed_in(thief)
    assert AccountSession.objects.count() == 1


def test_an_answer_is_used_up_even_when_it_is_refused(client: Client, ada: User) -> None:
    """Case 5: a first use that fails leaves no second one."""
    key, row = held(ada, is_synced=True)
    answer = key.get(ask(client, BEGIN))
    Passkey.objects.filter(pk=row.pk).update(public_key=SoftPasskey()._cose(-7))
    post_json(client, answer)
    Passkey.objects.filter(pk=row.pk).update(public_key=key._cose(-7))

    assert post_json(client, answer).status_code == 422
    assert not is_signed_in(client)


@pytest.mark.django_db(transaction=True)
def test_of_ten_answers_at_once_one_signs_in() -> None:
    """Cases 5 and 11."""
    key, _row = held(new_person(), is_synced=True)
    client = Client()
    answer = key.get(ask(client, BEGIN))
    barrier = Barrier(10)

    def send(_number: int) -> int:
        browser = Client()
        browser.cookies[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value
        try:
            barrier.wait(timeout=30)
            return post_json(browser, answer).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        statuses = sorted(pool.map(send, range(10)))

    assert statuses == [200] + [422] * 9
    assert AccountSession.objects.count() == 1


LIES: dict[str, dict[str, Any]] = {
    "person not verified (case 6)": {"is_verified": False},
    "page of another site": {"origin": "https://localhost.evil.example"},
    "another port": {"origin": "http://localhost:8001"},
    "another scheme": {"origin": "https://localhost:8000"},
    "another host's key": {"host": "evil.example"},
    "another challenge": {"challenge": b"\x00" * 32},
    "no challenge": {"challenge": b""},
    "a creation": {"kind": "webauthn.create"},
    "another's signature": {"signer": SoftPasskey()},
    "in a frame of another site": {"client": {"crossOrigin": True}},
    "below another site": {"client": {"topOrigin": "https://evil.example"}},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_signs_nobody_in(client: Client, ada: User, lie: str) -> None:
    """Case 6 (allauth 65.21.1) and its neighbours: who was verified, where, for whom and for what."""
    key, _row = held(ada)

    answer = post_json(client, key.get(ask(client, BEGIN), **LIES[lie]))

    assert answer.status_code == 422
    assert not is_signed_in(client)
    assert not AccountSession.objects.exists()


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_finishes_no_sign_in(client: Client, ada: User, lie: str) -> None:
    """Case 6, after the password."""
    key, _row = held(ada)
    prove_password(client, ada)

    post_form(client, VERIFY, key.get(ask(client, VERIFY_BEGIN), **LIES[lie]))

    assert not is_signed_in(client)
    assert PendingSignIn.objects.get().tries == 1


def test_an_unverified_person_makes_no_passkey(client: Client, ada: User) -> None:
    """Case 6, at the creation."""
    sign_in(client, ada)

    answer = SoftPasskey().create(ask(client, ADD_BEGIN), is_verified=False)

    assert post_form(client, ADD, answer, name="Thief").status_code == 422
    assert not Passkey.objects.exists()


@pytest.mark.parametrize("handle", [b"", b"\x01" * 64], ids=["none", "another"])
def test_a_passkey_signs_in_whose_it_says_it_is(client: Client, ada: User, handle: bytes) -> None:
    key, _row = held(ada)

    answer = post_json(client, key.get(ask(client, BEGIN), handle=handle))

    assert answer.status_code == 422


def test_a_question_answered_in_another_browser_counts_for_nothing(client: Client, ada: User) -> None:
    """Case 7: the question is bound to the browser that asked."""
    key, _row = held(ada)
    options = ask(client, BEGIN)
    other = Client()
    ask(other, BEGIN)

    assert post_json(other, key.get(options)).status_code == 422
    assert not is_signed_in(other)
    assert is_signed_in(client) is False


def test_a_question_for_one_purpose_serves_no_other(client: Client, ada: User) -> None:
    """Case 20: an answer given to sign in steps up nothing, and the other way round."""
    key, _row = held(ada)
    stranger = Client()
    for_sign_in = ask(stranger, BEGIN)
    sign_in(client, ada)
    for_step_up = ask(client, STEP_UP_BEGIN)

    step_up = post_form(client, "/accounts/verify/", key.get(for_sign_in), way="passkey")
    log_in = post_json(stranger, key.get(for_step_up))

    assert (step_up.status_code, log_in.status_code) == (422, 422)
    assert not is_signed_in(stranger)


def test_an_abandoned_sign_in_lends_the_next_person_nothing(client: Client, ada: User) -> None:
    """Case 7 (allauth 65.20.0): begin Ada's by password, finish Bob's by passkey."""
    enrolled(ada)
    bob = new_person("bob@example.com")
    key, _row = held(bob)
    prove_password(client, ada)

    post_json(client, key.get(ask(client, BEGIN)))

    assert client.get(OVERVIEW).context["user"].pk == bob.pk
    assert not PendingSignIn.objects.exists()
    assert "passkey_browser" not in client.session


def test_anothers_passkey_finishes_no_sign_in(client: Client, ada: User) -> None:
    """Case 4: Bob's passkey after Ada's password."""
    held(ada)
    key, _row = held(new_person("bob@example.com"))
    prove_password(client, ada)

    post_form(client, VERIFY, key.get(ask(client, VERIFY_BEGIN)))

    assert not is_signed_in(client)


@pytest.mark.parametrize("change", ["is_active", "locked_at"])
def test_a_closed_account_is_closed_to_its_passkeys(client: Client, ada: User, change: str) -> None:
    """Case 14 (Keycloak CVE-2026-9798): told like a passkey that nobody knows."""
    key, _row = held(ada)
    User.objects.update(**{change: False if change == "is_active" else timezone.now()})
    unknown = SoftPasskey(handle=WebAuthnUserHandle.get_handle_for_user(ada))
    answers = [post_json(client, passkey.get(ask(client, BEGIN))) for passkey in (key, unknown)]

    bodies = [{**answer.json(), "request_id": ""} for answer in answers]
    assert {answer.status_code for answer in answers} == {422}
    assert bodies[0] == bodies[1]
    assert not is_signed_in(client)
    assert not PendingSignIn.objects.exists()


def test_a_planted_session_id_dies_at_the_passkey(client: Client, ada: User) -> None:
    """Case 31 (Keycloak CVE-2026-7507)."""
    key, _row = held(ada)
    options = ask(client, BEGIN)
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value

    post_json(client, key.get(options))

    assert is_signed_in(client)
    assert not is_signed_in(thief)


def test_strangers_with_wrong_signatures_lock_no_known_browser_out(ada: User) -> None:
    """Case 13: the owner's browser has a budget of its own."""
    key, _row = held(ada, is_synced=True)
    owner = Client()
    post_json(owner, key.get(ask(owner, BEGIN)))
    owner.get(OVERVIEW)
    owner.post("/accounts/logout/")
    for number in range(11):
        stranger = Client(REMOTE_ADDR=f"192.0.2.{number}")
        last = post_json(stranger, key.get(ask(stranger, BEGIN), signer=SoftPasskey()))

    assert last.status_code == 429
    assert post_json(owner, key.get(ask(owner, BEGIN))).status_code == 200


def test_a_network_that_guesses_is_stopped(ada: User) -> None:
    """Case 18: own successes clear no one's failures."""
    key, _row = held(ada, is_synced=True)
    stranger = Client()
    for _ in range(20):
        post_json(stranger, SoftPasskey(handle=b"\x01").get(ask(stranger, BEGIN)))

    assert post_json(stranger, key.get(ask(stranger, BEGIN))).status_code == 429
    assert not is_signed_in(stranger)


def test_a_forged_attestation_with_certificates_is_not_even_parsed(client: Client, ada: User) -> None:
    sign_in(client, ada)

    answer = SoftPasskey().create(ask(client, ADD_BEGIN), fmt="android-safetynet")

    assert post_form(client, ADD, answer, name="Thief").status_code == 422
    assert not Passkey.objects.exists()


@pytest.mark.django_db
def test_a_challenge_has_no_less_than_64_bits_and_never_comes_twice(client: Client) -> None:
    """ASVS 6.7.2."""
    challenges = {ask(client, BEGIN)["challenge"] for _ in range(20)}

    assert len(challenges) == 20
    assert {len(challenge) for challenge in challenges} == {len(encode(bytes(32)))}
