"""Passkeys of a signed-in person: added, named, removed, shown again; and the first one at enrolment."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib import admin
from django.test import Client
from django.utils import timezone
from django_otp_webauthn.models import WebAuthnCredential

from accounts.identity.actions.upkeep import purge_expired
from accounts.identity.models import PendingSignIn, User
from accounts.mfa import rules, webauthn
from accounts.mfa.budgets import CHALLENGES_BY_NETWORK, PASSKEY_BY_NETWORK
from accounts.mfa.models import Passkey, PasskeyChallenge, RecoveryCode, TotpDevice
from accounts.mfa.queries import factor_since
from accounts.sessions.models import AccountSession
from kellexa_portal.audit import Stream
from kellexa_portal.audit.queries import events_of
from kellexa_portal.core.actor import Actor
from kellexa_portal.mail.models import OutboxMail
from tests.accounts.mfa.passkey_pages import (
    ADD,
    ADD_BEGIN,
    BEGIN,
    ENROL,
    ENROL_BEGIN,
    JSON,
    STEP_UP_BEGIN,
    ask,
    held,
    post_form,
    post_json,
)
from tests.accounts.mfa.second_step import OVERVIEW, event_names, is_signed_in
from tests.factories.accounts import staff
from tests.factories.sign_in import (
    enrolled,
    new_person,
    oathtool,
    prove_password,
    sign_in,
    with_recovery_codes,
)
from tests.support.passkeys import SoftPasskey, decode

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

CODES = "/accounts/login/enrol/codes/"
SHOWN_CODE = re.compile(r"<li><code>([0-9A-Z-]{29})</code></li>")
ADR = Path(settings.BASE_DIR) / "docs" / "adr" / "0011-passkeys.md"


@pytest.fixture
def signed_in(client: Client, ada: User) -> Client:
    """Ada by her authenticator app."""
    sign_in(client, ada)
    return client


def by_passkey(client: Client, user: User, **traits: Any) -> tuple[SoftPasskey, Passkey]:
    """Signs ``user`` in with a passkey that they hold."""
    key, row = held(user, **traits)
    assert post_json(client, key.get(ask(client, BEGIN))).status_code == 200
    return key, row


def grow_stale(user: User) -> None:
    """Lets the proofs of the person's sessions grow old without ending one."""
    at = timezone.now() - timedelta(minutes=10)
    AccountSession.objects.filter(user=user).update(proof_at=at, factor_at=at)


def remove_address(passkey: Passkey) -> str:
    return f"/accounts/mfa/passkeys/{passkey.public_id}/remove/"


# --- adding


def test_a_passkey_is_added_and_signs_in(signed_in: Client, ada: User) -> None:
    key = SoftPasskey(is_synced=True)

    response = post_form(signed_in, ADD, key.create(ask(signed_in, ADD_BEGIN)), name="Work laptop")

    assert (response.status_code, response["Location"]) == (303, OVERVIEW)
    row = Passkey.objects.get()
    assert (row.user, row.name, row.confirmed) == (ada, "Work laptop", True)
    assert (row.backup_eligible, row.backup_state, row.transports) == (True, True, ["hybrid", "internal"])
    page = signed_in.get(OVERVIEW).content.decode()
    assert "Work laptop" in page
    assert "Synced between your devices" in page
    other = Client()
    assert post_json(other, key.get(ask(other, BEGIN))).status_code == 200


def test_adding_is_recorded_mailed_and_ends_other_sessions(signed_in: Client, ada: User) -> None:
    """Case 34."""
    other = Client()
    sign_in(other, ada)
    before = signed_in.cookies[settings.SESSION_COOKIE_NAME].value
    epoch = ada.security_epoch

    post_form(signed_in, ADD, SoftPasskey().create(ask(signed_in, ADD_BEGIN)), name="Phone")

    assert is_signed_in(signed_in)
    assert not is_signed_in(other)
    assert signed_in.cookies[settings.SESSION_COOKIE_NAME].value != before
    ada.refresh_from_db()
    assert ada.security_epoch == epoch + 1
    event = events_of(Stream.user(ada.public_id)).get(name="auth.mfa.enrol")
    assert (event.changes, event.target_id) == ({"factor": "passkey"}, str(Passkey.objects.get().public_id))
    assert "mfa.passkey_added" in [mail.kind for mail in OutboxMail.objects.all()]


def test_the_question_wants_a_key_that_is_stored_verified_and_not_made_twice(
    signed_in: Client, ada: User
) -> None:
    key, _row = held(ada)

    options = ask(signed_in, ADD_BEGIN)

    assert options["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    assert options["attestation"] == "none"
    assert options["rp"] == {"name": "Kellexa", "id": "localhost"}
    assert [decode(item["id"]) for item in options["excludeCredentials"]] == [key.credential_id]
    assert [item["alg"] for item in options["pubKeyCredParams"]] == [-8, -7, -257]
    assert len(decode(options["user"]["id"])) == 64
    assert options["user"]["name"] == ada.email


def test_a_key_that_is_not_discoverable_is_not_kept(signed_in: Client) -> None:
    answer = SoftPasskey().create(ask(signed_in, ADD_BEGIN), extensions={"credProps": {"rk": False}})

    assert post_form(signed_in, ADD, answer, name="Old key").status_code == 422
    assert not Passkey.objects.exists()


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://evil.example"},
        {"host": "evil.example"},
        {"challenge": b"\x00" * 32},
        {"algorithm": -65535},
        {"client": {"crossOrigin": True}},
        {"fmt": "packed"},
    ],
    ids=["origin", "host", "challenge", "algorithm", "frame", "attestation"],
)
def test_a_false_creation_is_refused(signed_in: Client, lie: dict[str, Any]) -> None:
    answer = SoftPasskey().create(ask(signed_in, ADD_BEGIN), **lie)

    response = post_form(signed_in, ADD, answer, name="Phone")

    assert response.status_code == 422
    assert not Passkey.objects.exists()


def test_one_creation_counts_once(signed_in: Client) -> None:
    """Case 5."""
    answer = SoftPasskey().create(ask(signed_in, ADD_BEGIN))
    post_form(signed_in, ADD, answer, name="Phone")

    assert post_form(signed_in, ADD, answer, name="Again").status_code == 422
    assert [row.name for row in Passkey.objects.all()] == ["Phone"]


def test_a_key_that_is_known_is_not_kept_again_by_anybody(signed_in: Client, ada: User) -> None:
    key, _row = held(new_person("bob@example.com"))

    response = post_form(signed_in, ADD, key.create(ask(signed_in, ADD_BEGIN)), name="Mine")

    assert response.status_code == 422
    assert "registered already" in response.content.decode()
    assert not Passkey.objects.filter(user=ada).exists()


def test_nobody_hoards_passkeys(signed_in: Client, ada: User) -> None:
    for number in range(rules.MAX_PASSKEYS):
        held(ada, name=f"Key {number}")

    response = post_form(signed_in, ADD, SoftPasskey().create(ask(signed_in, ADD_BEGIN)), name="More")

    assert response.status_code == 422
    assert Passkey.objects.count() == rules.MAX_PASSKEYS


@pytest.mark.parametrize("name", ["", " ", "a\u202eb", "x" * 61, "\u200b"], ids=range(5))
def test_a_name_has_to_be_readable(signed_in: Client, name: str) -> None:
    answer = SoftPasskey().create(ask(signed_in, ADD_BEGIN))

    response = post_form(signed_in, ADD, answer, name=name)

    assert response.status_code == 422
    assert not Passkey.objects.exists()


@pytest.mark.parametrize("path", [ADD, ADD_BEGIN])
def test_adding_needs_a_factor_shown_just_now(signed_in: Client, ada: User, path: str) -> None:
    grow_stale(ada)

    page = signed_in.get(ADD)
    question = signed_in.post(ADD_BEGIN, "{}", content_type=JSON)

    assert page["Location"].startswith("/accounts/verify/")
    assert (question.status_code, question.json()["code"]) == (403, "auth.stepup.required")
    assert not PasskeyChallenge.objects.exists()


# --- naming and removing


def test_a_passkey_is_renamed(signed_in: Client, ada: User) -> None:
    _key, row = held(ada)

    response = signed_in.post(f"/accounts/mfa/passkeys/{row.public_id}/", {"name": "Home <b>"})

    assert response.status_code == 303
    assert "Home &lt;b&gt;" in signed_in.get(OVERVIEW).content.decode()
    assert event_names(ada)[-1] == "auth.passkey.rename"


def test_a_removed_passkey_opens_nothing_and_ends_what_it_opened(signed_in: Client, ada: User) -> None:
    """Case 34."""
    thief = Client()
    key, row = by_passkey(thief, ada)
    assert "no longer signs in" in signed_in.get(remove_address(row)).content.decode()

    response = signed_in.post(remove_address(row))

    assert response.status_code == 303
    assert not Passkey.objects.exists()
    assert is_signed_in(signed_in)
    assert not is_signed_in(thief)
    assert post_json(thief, key.get(ask(thief, BEGIN))).status_code == 422
    assert "auth.mfa.remove" in event_names(ada)
    assert "mfa.removed" in [mail.kind for mail in OutboxMail.objects.all()]


def test_the_last_factor_stays(client: Client, ada: User) -> None:
    _key, row = by_passkey(client, ada)

    page = client.get(remove_address(row)).content.decode()
    response = client.post(remove_address(row))

    assert "only second factor" in page
    assert response.status_code == 409
    assert Passkey.objects.filter(pk=row.pk).exists()
    assert "Remove<" not in client.get(OVERVIEW).content.decode()


def test_a_session_survives_the_removal_of_the_passkey_that_opened_it(client: Client, ada: User) -> None:
    _key, row = by_passkey(client, ada)
    held(ada, name="Spare")

    client.post(remove_address(row))

    assert is_signed_in(client)
    assert [left.name for left in Passkey.objects.all()] == ["Spare"]


def test_the_app_can_go_once_a_passkey_stays(signed_in: Client, ada: User) -> None:
    held(ada)

    response = signed_in.post("/accounts/mfa/authenticator/remove/")

    assert response.status_code == 303
    assert not TotpDevice.objects.exists()
    assert is_signed_in(signed_in)


def test_the_only_app_stays(signed_in: Client) -> None:
    assert signed_in.post("/accounts/mfa/authenticator/remove/").status_code == 409
    assert TotpDevice.objects.exists()


@pytest.mark.parametrize("path", ["/accounts/mfa/authenticator/remove/", "passkey"])
def test_removing_needs_a_factor_shown_just_now(signed_in: Client, ada: User, path: str) -> None:
    _key, row = held(ada)
    grow_stale(ada)

    response = signed_in.post(remove_address(row) if path == "passkey" else path)

    assert response["Location"].startswith("/accounts/verify/")
    assert (Passkey.objects.count(), TotpDevice.objects.count()) == (1, 1)


# --- shown again, and what a person without an app does


def test_a_passkey_steps_up(client: Client, ada: User) -> None:
    key, _row = by_passkey(client, ada)
    grow_stale(ada)
    page = client.get(ADD)["Location"]
    assert "data-passkey-begin" in client.get(page).content.decode()

    response = post_form(client, page, key.get(ask(client, STEP_UP_BEGIN)), way="passkey")

    assert (response.status_code, response["Location"]) == (303, ADD)
    assert client.get(ADD).status_code == 200
    assert AccountSession.objects.get().factor == "passkey"


def test_a_wrong_passkey_steps_up_nothing(client: Client, ada: User) -> None:
    key, _row = by_passkey(client, ada)
    grow_stale(ada)
    page = client.get(ADD)["Location"]

    answer = key.get(ask(client, STEP_UP_BEGIN), signer=SoftPasskey())
    response = post_form(client, page, answer, way="passkey")

    assert response.status_code == 422
    assert client.get(ADD).status_code == 303
    assert event_names(ada)[-1] == "auth.passkey.fail"


def test_a_person_with_passkeys_alone_sets_an_app_up(client: Client, ada: User) -> None:
    by_passkey(client, ada)
    client.get("/accounts/mfa/authenticator/", follow=True)
    page = client.get("/accounts/mfa/authenticator/new/").content.decode()
    found = re.search(r'id="manual-key"[^>]*>([A-Z2-7 ]+)<', page)
    assert found is not None

    response = client.post("/accounts/mfa/authenticator/new/", {"code": oathtool(found.group(1))})

    assert response.status_code == 303
    assert TotpDevice.objects.get().user == ada
    assert is_signed_in(client)
    assert [mail.kind for mail in OutboxMail.objects.all()][-1] == "mfa.enrolled"


def test_a_person_with_passkeys_alone_renews_recovery_codes(client: Client, ada: User) -> None:
    by_passkey(client, ada)
    old = with_recovery_codes(ada)

    page = client.post("/accounts/mfa/recovery-codes/", follow=True).content.decode()

    codes = SHOWN_CODE.findall(page)
    assert len(codes) == 10
    assert not set(codes) & set(old)


def test_recovery_codes_without_an_app_need_a_passkey_shown_just_now(client: Client, ada: User) -> None:
    by_passkey(client, ada)
    grow_stale(ada)

    response = client.post("/accounts/mfa/recovery-codes/")

    assert response["Location"].startswith("/accounts/verify/")
    assert not RecoveryCode.objects.exists()


def test_an_app_is_never_replaced_without_its_code(signed_in: Client, ada: User) -> None:
    held(ada)

    response = signed_in.get("/accounts/mfa/authenticator/new/")

    assert response["Location"] == "/accounts/mfa/authenticator/"


# --- the first factor


def begin_enrolment(client: Client, user: User) -> SoftPasskey:
    """A new person who answers the offer of a passkey; not signed in before a code is typed back."""
    prove_password(client, user)
    client.get("/accounts/login/verify/")
    return SoftPasskey()


def test_a_new_person_is_offered_a_passkey_before_an_app(client: Client, ada: User) -> None:
    begin_enrolment(client, ada)

    page = client.get("/accounts/login/enrol/").content.decode()

    assert page.index("With a passkey (recommended)") < page.index("With an authenticator app")
    assert "no false page can ask it from you" in page


def test_a_passkey_is_the_first_factor_once_a_recovery_code_is_typed_back(client: Client, ada: User) -> None:
    key = begin_enrolment(client, ada)
    post_form(client, ENROL, key.create(ask(client, ENROL_BEGIN)), name="Phone")
    page = client.get(CODES)
    codes = SHOWN_CODE.findall(page.content.decode())
    assert len(codes) == 10
    assert not is_signed_in(client)

    response = client.post(CODES, {"recovery_code": codes[2]})

    assert (response.status_code, response["Location"]) == (303, "/accounts/")
    assert is_signed_in(client)
    session = AccountSession.objects.get()
    assert (session.method, session.factor) == ("new_passkey", "passkey")
    assert not TotpDevice.objects.exists()
    assert RecoveryCode.objects.usable().filter(user=ada).count() == 10
    assert event_names(ada) == ["auth.mfa.enrol", "auth.login.succeed"]
    assert [mail.kind for mail in OutboxMail.objects.all()] == ["mfa.passkey_added"]
    other = Client()
    assert post_json(other, key.get(ask(other, BEGIN))).status_code == 200


def test_a_draft_signs_nobody_in(client: Client, ada: User) -> None:
    """Case 9: what was shown at enrolment opens nothing before the enrolment is whole."""
    key = begin_enrolment(client, ada)
    post_form(client, ENROL, key.create(ask(client, ENROL_BEGIN)), name="Phone")
    other = Client()

    assert post_json(other, key.get(ask(other, BEGIN))).status_code == 422
    prove_password(other, ada)
    assert other.get("/accounts/login/verify/")["Location"] == "/accounts/login/enrol/"


def test_a_draft_goes_with_its_half_sign_in(client: Client, ada: User) -> None:
    key = begin_enrolment(client, ada)
    post_form(client, ENROL, key.create(ask(client, ENROL_BEGIN)), name="Phone")

    PendingSignIn.objects.all().delete()

    assert not Passkey.objects.exists()
    assert not RecoveryCode.objects.exists()


def test_a_second_passkey_of_one_enrolment_is_out_of_order(client: Client, ada: User) -> None:
    """Case 20."""
    key = begin_enrolment(client, ada)
    first, second = ask(client, ENROL_BEGIN), ask(client, ENROL_BEGIN)
    post_form(client, ENROL, key.create(first), name="Phone")

    response = post_form(client, ENROL, SoftPasskey().create(second), name="Thief")

    assert response["Location"] == CODES
    assert [row.name for row in Passkey.objects.all()] == ["Phone"]


def test_who_has_a_factor_enrols_no_passkey_by_password(client: Client, ada: User) -> None:
    """Case 3."""
    enrolled(ada)
    prove_password(client, ada)

    answer = SoftPasskey().create({"challenge": "AAAA", "user": {"id": "AAAA"}})

    assert post_form(client, ENROL, answer, name="Thief")["Location"] == "/accounts/login/verify/"
    assert not Passkey.objects.exists()


def test_a_passkey_after_a_recovery_code_takes_the_place_of_the_app(client: Client, ada: User) -> None:
    enrolled(ada)
    code = with_recovery_codes(ada)[0]
    prove_password(client, ada)
    client.post("/accounts/login/recover/", {"recovery_code": code})
    post_form(client, ENROL, SoftPasskey().create(ask(client, ENROL_BEGIN)), name="New phone")
    page = client.get(CODES)
    fresh = SHOWN_CODE.findall(page.content.decode())

    client.post(CODES, {"recovery_code": fresh[0]})

    assert is_signed_in(client)
    assert not TotpDevice.objects.exists()
    session = AccountSession.objects.get()
    assert (session.method, session.factor, session.factor_at) == ("recovery", "", None)
    assert {"auth.mfa.enrol", "auth.mfa.remove"} <= set(event_names(ada))


def test_who_has_had_a_factor_since_when_is_known(ada: User, clock: time_machine.Traveller) -> None:
    assert factor_since(ada) is None
    _key, row = held(ada)
    clock.shift(60)
    enrolled(ada)

    assert factor_since(ada) == row.created_at


# --- the frame


def test_password_managers_find_the_pages(client: Client) -> None:
    answer = client.get("/.well-known/passkey-endpoints")

    assert answer["Content-Type"] == "application/json"
    assert answer.json() == {
        "enroll": "http://localhost:8000/accounts/mfa/passkeys/add/",
        "manage": "http://localhost:8000/accounts/mfa/",
    }


@pytest.mark.parametrize(
    ("url", "host", "origin"),
    [
        ("https://Portal.Kellexa.example", "portal.kellexa.example", "https://portal.kellexa.example"),
        ("https://portal.example:443", "portal.example", "https://portal.example"),
        ("http://localhost:8310", "localhost", "http://localhost:8310"),
    ],
)
def test_the_origin_comes_from_configuration_as_browsers_write_it(
    settings: Any, url: str, host: str, origin: str
) -> None:
    settings.PUBLIC_URL = url

    party = webauthn.relying_party()

    assert (party.id, party.origin) == (host, origin)


def test_staff_see_passkeys_and_change_none(client: Client, ada: User) -> None:
    _key, row = held(ada)
    sign_in(client, staff())
    detail = f"/admin/mfa/passkey/{row.pk}/change/"

    assert str(row.public_id) in client.get("/admin/mfa/passkey/").content.decode()
    assert client.get(detail).status_code == 200
    assert client.post(f"/admin/mfa/passkey/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert not admin.site.is_registered(WebAuthnCredential)
    assert not WebAuthnCredential.objects.exists()


def test_old_questions_are_forgotten(client: Client, clock: time_machine.Traveller) -> None:
    ask(client, BEGIN)
    clock.shift(timedelta(minutes=5, seconds=1))
    ask(client, BEGIN)

    purge_expired(actor=Actor.system("test"))

    assert PasskeyChallenge.objects.count() == 1


def test_the_list_costs_the_same_for_one_and_for_twenty(
    signed_in: Client, ada: User, django_assert_num_queries: Any
) -> None:
    held(ada)
    signed_in.get(OVERVIEW)
    with django_assert_num_queries(queries := _count(signed_in)):
        signed_in.get(OVERVIEW)
    for number in range(19):
        held(ada, name=f"Key {number}")

    with django_assert_num_queries(queries):
        signed_in.get(OVERVIEW)


def _count(client: Client) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        client.get(OVERVIEW)
    return len(captured)


def test_the_documented_limits_are_the_running_ones() -> None:
    table = dict(re.findall(r"^\| (.+?) \| (.+?) \|$", ADR.read_text(), re.MULTILINE))

    minutes = webauthn.CHALLENGE_LIFETIME.seconds // 60

    assert list(table.items())[-7:] == list(
        {
            "challenge": f"{webauthn.CHALLENGE_BYTES * 8} bits, {minutes} minutes",
            "open challenges of one browser, half sign-in or session, for each purpose": str(
                rules.MAX_OPEN_CHALLENGES
            ),
            "challenges for one network": f"{CHALLENGES_BY_NETWORK.budget} in 10 minutes",
            "refused sign-ins by passkey from one network": f"{PASSKEY_BY_NETWORK.budget} in 10 minutes",
            "answer of an authenticator": f"{webauthn.MAX_ANSWER_LENGTH // 1024} KiB",
            "passkeys of one account": str(rules.MAX_PASSKEYS),
            "name of a passkey": f"{rules.MAX_PASSKEY_NAME} characters",
        }.items()
    )
    assert {CHALLENGES_BY_NETWORK.period, PASSKEY_BY_NETWORK.period} == {timedelta(minutes=10)}


def test_no_answer_is_kept_in_a_session(client: Client, ada: User) -> None:
    key, _row = held(ada)
    ask(client, BEGIN)

    stored = json.dumps(dict(client.session))

    assert list(client.session.keys()) == ["passkey_browser"]
    assert key.credential_id.hex() not in stored
