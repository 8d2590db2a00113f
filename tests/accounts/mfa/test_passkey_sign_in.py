"""Signing in with a passkey: alone, and after the password."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from accounts.identity.models import PendingSignIn, User
from accounts.mfa.models import Passkey, PasskeyChallenge, TotpDevice
from accounts.sessions.models import AccountSession
from kellexa_portal.mail.models import OutboxMail
from tests.accounts.mfa.passkey_pages import (
    BEGIN,
    JSON,
    SIGN_IN,
    VERIFY,
    VERIFY_BEGIN,
    ask,
    held,
    post_form,
    post_json,
)
from tests.accounts.mfa.second_step import event_names, is_signed_in
from tests.factories.sign_in import enrolled, new_person, oathtool, prove_password, with_recovery_codes
from tests.support.passkeys import SoftPasskey, decode

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

CODE_PAGE = "/accounts/login/verify/"


def test_a_passkey_signs_in_without_a_password(client: Client, ada: User) -> None:
    key, row = held(ada)

    answer = post_json(client, key.get(ask(client, BEGIN)))

    assert (answer.status_code, answer.json()) == (200, {"location": "/accounts/"})
    assert is_signed_in(client)
    session = AccountSession.objects.get()
    assert (session.method, session.methods, session.factor) == ("passkey", ["hwk", "user", "mfa"], "passkey")
    assert event_names(ada) == ["auth.login.succeed"]
    row.refresh_from_db()
    assert (row.sign_count, row.last_used_at is not None) == (1, True)
    assert not PendingSignIn.objects.exists()
    assert not PasskeyChallenge.objects.exists()


def test_a_synced_passkey_that_never_counts_signs_in_again_and_again(ada: User) -> None:
    key, _row = held(ada, is_synced=True)
    browsers = [Client(), Client()]

    for browser in browsers:
        post_json(browser, key.get(ask(browser, BEGIN)))

    assert all(is_signed_in(browser) for browser in browsers)
    assert {tuple(session.methods) for session in AccountSession.objects.all()} == {("swk", "user", "mfa")}


def test_the_question_names_nobody_and_asks_to_verify_the_person(client: Client, ada: User) -> None:
    held(ada)

    options = ask(client, BEGIN)

    assert options["allowCredentials"] == []
    assert options["userVerification"] == "required"
    assert options["rpId"] == "localhost"
    assert len(decode(options["challenge"])) == 32


def test_the_sign_in_page_offers_passkeys_by_button_and_by_autofill(client: Client) -> None:
    page = client.get("/accounts/login/?next=/accounts/sessions/").content.decode()

    assert "Sign in with a passkey" in page
    assert re.search(r'<input[^>]*name="email"[^>]*autocomplete="username webauthn"', page)
    assert 'action="/accounts/login/passkey/?next=%2Faccounts%2Fsessions%2F"' in page


def test_staff_arrive_at_their_own_first_page(client: Client) -> None:
    sam = new_person("sam@kellexa.example", is_staff=True)
    key, _row = held(sam)

    answer = post_json(client, key.get(ask(client, BEGIN)))

    assert answer.json() == {"location": "/admin/"}
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example/", "/\\evil.example"])
def test_one_arrives_nowhere_else(client: Client, ada: User, wanted: str) -> None:
    """Case 38."""
    key, _row = held(ada)

    answer = post_json(client, key.get(ask(client, BEGIN)), to=f"{SIGN_IN}?next={wanted}")

    assert answer.json() == {"location": "/accounts/"}


@pytest.mark.parametrize(
    "body",
    [
        " ",
        "{",
        "[]",
        "null",
        '{"response": 3}',
        '{"rawId": "AAAA", "response": {}}',
        '{"rawId": "AAAA", "response": {"clientDataJSON": "e30"}}',
        '{"rawId": "\\ud800", "response": {"clientDataJSON": "\\ud800"}}',
        "[" * 10000,
        "x" * 30000,
        '{"a": NaN}',
    ],
    ids=range(11),
)
def test_what_is_no_answer_is_refused_and_nothing_is_used_up(client: Client, ada: User, body: str) -> None:
    held(ada)
    ask(client, BEGIN)

    answer = client.post(SIGN_IN, body, content_type=JSON)

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert PasskeyChallenge.objects.count() == 1
    assert event_names(ada) == []


@pytest.mark.parametrize("field", ["clientDataJSON", "authenticatorData", "signature", "userHandle"])
@pytest.mark.parametrize("value", ["", "AAAA", 7, None, [], "é"], ids=range(6))
def test_no_mangled_part_is_an_error_of_ours(client: Client, ada: User, field: str, value: object) -> None:
    key, _row = held(ada)
    answer = key.get(ask(client, BEGIN))
    answer["response"][field] = value

    status = post_json(client, answer).status_code

    assert status in {400, 422}
    assert not is_signed_in(client)


def test_a_form_of_another_site_cannot_send_json(client: Client, ada: User) -> None:
    key, _row = held(ada)
    body = json.dumps(key.get(ask(client, BEGIN)))

    answer = client.post(SIGN_IN, body, content_type="text/plain")

    assert answer.status_code == 415
    assert not is_signed_in(client)


def test_cross_site_requests_are_refused(ada: User) -> None:
    browser = Client(enforce_csrf_checks=True)

    assert browser.post(BEGIN, "{}", content_type=JSON).status_code == 403
    assert browser.post(SIGN_IN, "{}", content_type=JSON).status_code == 403


def test_questions_are_limited_for_each_network(client: Client) -> None:
    statuses = [client.post(BEGIN, "{}", content_type=JSON).status_code for _ in range(121)]

    assert statuses == [200] * 120 + [429]
    assert PasskeyChallenge.objects.count() == 8


def test_a_passkey_finishes_a_sign_in_that_a_password_began(client: Client, ada: User) -> None:
    key, _row = held(ada)
    prove_password(client, ada, next_url="/accounts/sessions/")

    response = post_form(client, VERIFY, key.get(ask(client, VERIFY_BEGIN)))

    assert (response.status_code, response["Location"]) == (303, "/accounts/sessions/")
    assert is_signed_in(client)
    session = AccountSession.objects.get()
    assert (session.method, session.methods) == ("pwd_passkey", ["pwd", "hwk", "user", "mfa"])


def test_after_the_password_the_question_names_the_persons_passkeys(client: Client, ada: User) -> None:
    key, _row = held(ada)
    held(new_person("bob@example.com"))
    prove_password(client, ada)

    options = ask(client, VERIFY_BEGIN)

    assert [decode(item["id"]) for item in options["allowCredentials"]] == [key.credential_id]
    assert options["allowCredentials"][0]["transports"] == ["internal"]


@pytest.mark.parametrize(
    ("has_passkey", "has_app", "has_codes"),
    [(True, False, False), (False, True, True), (True, True, True), (True, False, True)],
)
def test_after_the_password_one_is_offered_what_one_has(
    client: Client, ada: User, *, has_passkey: bool, has_app: bool, has_codes: bool
) -> None:
    if has_passkey:
        held(ada)
    if has_app:
        enrolled(ada)
    if has_codes:
        with_recovery_codes(ada)
    prove_password(client, ada)

    page = client.get(CODE_PAGE).content.decode()

    assert ("Use passkey</span>" in page) is has_passkey
    assert ('name="code"' in page) is has_app
    assert ("Use a recovery code instead" in page) is has_codes


def test_a_code_still_finishes_for_who_has_both(client: Client, ada: User, device: TotpDevice) -> None:
    held(ada)
    prove_password(client, ada)

    client.post(CODE_PAGE, {"code": oathtool(device.open_seed())})

    assert is_signed_in(client)


def test_a_refused_passkey_is_told_on_the_same_page_and_not_sent_back(client: Client, ada: User) -> None:
    key, _row = held(ada)
    prove_password(client, ada)
    answer = key.get(ask(client, VERIFY_BEGIN), signer=SoftPasskey())

    response = post_form(client, VERIFY, answer)

    assert response.status_code == 422
    text = response.content.decode()
    assert "can’t be used here" in text
    assert answer["response"]["signature"] not in text
    assert event_names(ada) == ["auth.passkey.fail"]


def test_an_empty_form_says_that_a_script_is_needed(client: Client, ada: User) -> None:
    held(ada)
    prove_password(client, ada)

    response = client.post(VERIFY, {})

    assert response.status_code == 422
    assert "JavaScript" in response.content.decode()
    assert PendingSignIn.objects.get().tries == 0


def test_the_owner_hears_of_several_refused_passkeys_after_the_right_password(
    client: Client, ada: User
) -> None:
    key, _row = held(ada)
    prove_password(client, ada)

    for _ in range(3):
        post_form(client, VERIFY, key.get(ask(client, VERIFY_BEGIN), signer=SoftPasskey()))

    assert [mail.kind for mail in OutboxMail.objects.all()] == ["mfa.wrong_codes"]


def test_a_passkey_of_the_account_and_a_code_share_one_budget(
    client: Client, ada: User, device: TotpDevice
) -> None:
    """Case 10: the sixth attempt needs the password again, whichever factor it shows."""
    key, _row = held(ada)
    prove_password(client, ada)
    for _ in range(3):
        post_form(client, VERIFY, key.get(ask(client, VERIFY_BEGIN), signer=SoftPasskey()))
    for _ in range(2):
        client.post(CODE_PAGE, {"code": oathtool(device.open_seed(), ahead=50)})

    response = post_form(client, VERIFY, key.get({"challenge": "AAAA"}))

    assert response["Location"] == "/accounts/login/"
    assert not is_signed_in(client)


@pytest.mark.parametrize("seconds", [299, 300])
def test_a_question_lives_for_five_minutes(
    client: Client, ada: User, clock: time_machine.Traveller, seconds: int
) -> None:
    key, _row = held(ada)
    options = ask(client, BEGIN)
    clock.shift(timedelta(seconds=seconds))

    answer = post_json(client, key.get(options))

    assert answer.status_code == (200 if seconds < 300 else 422)
    assert is_signed_in(client) is (seconds < 300)


def test_a_fallen_counter_is_refused_recorded_and_mailed_once(ada: User) -> None:
    key, row = held(ada)
    Passkey.objects.filter(pk=row.pk).update(sign_count=40)
    browsers = [Client(), Client()]

    answers = [post_json(browser, key.get(ask(browser, BEGIN))) for browser in browsers]

    assert {answer.status_code for answer in answers} == {422}
    assert {answer.json()["code"] for answer in answers} == {"auth.passkey.counter"}
    assert event_names(ada) == ["auth.passkey.counter", "auth.passkey.fail"] * 2
    assert [mail.kind for mail in OutboxMail.objects.all()] == ["mfa.passkey_copied"]
    row.refresh_from_db()
    assert row.sign_count == 40


@pytest.mark.parametrize(
    ("stored", "shown", "is_fine"), [(0, 0, True), (0, 1, True), (5, 6, True), (5, 5, False), (5, 0, False)]
)
def test_a_counter_has_to_rise_unless_it_never_counts(
    client: Client, ada: User, *, stored: int, shown: int, is_fine: bool
) -> None:
    key, row = held(ada)
    Passkey.objects.filter(pk=row.pk).update(sign_count=stored)
    key.count = shown - 1

    if shown == 0:
        key.is_synced, key.count = True, 0
        Passkey.objects.filter(pk=row.pk).update(backup_eligible=True)
    answer = post_json(client, key.get(ask(client, BEGIN)))

    assert (answer.status_code == 200) is is_fine
