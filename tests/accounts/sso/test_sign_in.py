"""Signing in by an organization's provider, and every way in which its word may fail to hold."""

from __future__ import annotations

import base64
import hmac
import json
import time
import warnings
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from accounts.identity.models import PendingSignIn, User
from accounts.organizations.models import Membership
from accounts.sessions.models import AccountSession
from accounts.sso import rules
from accounts.sso.models import Attempt, Connection, Domain, Link
from kellexa_portal.audit.queries import all_events
from tests.accounts.identity.mailbox import kinds_to
from tests.accounts.sso.conftest import (
    CALLBACK,
    START,
    arrive,
    come_back,
    connected,
    set_out,
    verified,
)
from tests.factories.organizations import founder, member
from tests.factories.sign_in import enrolled, new_person, oathtool
from tests.support.parallel import at_once
from tests.support.provider import CLIENT_ID, CLIENT_SECRET, Provider

pytestmark = pytest.mark.django_db
VERIFY, ENROL = "/accounts/login/verify/", "/accounts/login/enrol/"


def _reasons() -> list[str]:
    return [event.reason for event in all_events().filter(name="auth.sso.fail").order_by("pk")]


@pytest.fixture
def ada(owner: Membership) -> User:
    """A member of Acme with an authenticator app."""
    person = new_person("ada@acme.test")
    member(owner.organization, person=person)
    enrolled(person)
    return person


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_a_member_signs_in_with_the_provider_and_their_own_factor(
    client: Client, ada: User, connection: Connection, provider: Provider
) -> None:
    answer = arrive(client, connection, provider)
    assert answer["Location"] == VERIFY
    assert "Your identity provider confirmed who you are" in client.get(VERIFY).content.decode()
    assert client.get("/accounts/").status_code == 302

    done = client.post(VERIFY, {"code": oathtool(enrolled(ada).open_seed())})

    assert done["Location"] == "/accounts/"
    assert AccountSession.objects.get(user=ada).methods == ["sso", "otp", "mfa"]
    assert Link.objects.get(connection=connection).user == ada
    assert all_events().filter(name="auth.sso.link").count() == 1
    assert "sso.linked" in kinds_to(ada.email)


def test_a_newcomer_gets_the_least_place_and_has_to_enrol_a_factor(
    client: Client, connection: Connection, provider: Provider
) -> None:
    answer = arrive(client, connection, provider)

    person = User.objects.get(email="ada@acme.test")
    assert answer["Location"] == VERIFY
    assert client.get(VERIFY)["Location"] == ENROL
    assert not person.has_usable_password()
    assert person.email_confirmed_at is not None
    assert Membership.objects.get(user=person).role == Membership.Role.MEMBER


def test_a_second_sign_in_finds_the_same_account_by_the_providers_name_for_it(
    client: Client, ada: User, connection: Connection, provider: Provider
) -> None:
    arrive(client, connection, provider)
    provider.email = "ada.married@acme.test"

    arrive(Client(), connection, provider)

    assert User.objects.filter(email__endswith="@acme.test").count() == 2
    assert PendingSignIn.objects.filter(user=ada).count() == 2


def test_the_way_leads_back_to_where_the_person_wanted_to_go(
    client: Client, ada: User, connection: Connection, provider: Provider
) -> None:
    address = set_out(client, next="/accounts/keys/")
    come_back(client, connection, provider.sign_in(address))

    done = client.post(VERIFY, {"code": oathtool(enrolled(ada).open_seed())})

    assert done["Location"] == "/accounts/keys/"


def test_another_sites_address_is_no_way_back(
    client: Client, ada: User, connection: Connection, provider: Provider
) -> None:
    """Case 38 (allauth 65.19.5): ``next=//evil`` leads to the portal's own page."""
    address = set_out(client, next="//evil.example/")
    come_back(client, connection, provider.sign_in(address))

    done = client.post(VERIFY, {"code": oathtool(enrolled(ada).open_seed())})

    assert done["Location"] == "/accounts/"


CLAIMS: dict[str, tuple[dict[str, Any], str]] = {
    "another issuer": ({"iss": "https://other.example"}, "token_iss"),
    "issuer with a slash": ({"iss": "http://127.0.0.1/"}, "token_iss"),
    "another audience": ({"aud": "someone-else"}, "token_aud"),
    "no audience": ({"aud": None}, "token_aud"),
    "audiences without a party": ({"aud": [CLIENT_ID, "someone-else"]}, "token_azp"),
    "another party": ({"aud": [CLIENT_ID], "azp": "someone-else"}, "token_azp"),
    "another nonce": ({"nonce": "replayed"}, "token_nonce"),
    "no nonce": ({"nonce": None}, "token_nonce"),
    "expired": ({"exp": 1}, "token_exp"),
    "no expiry": ({"exp": None}, "token_exp"),
    "expiry that is no number": ({"exp": float("nan")}, "token_exp"),
    "endless expiry": ({"exp": float("inf")}, "token_exp"),
    "expiry as text": ({"exp": "9999999999"}, "token_exp"),
    "expiry as truth": ({"exp": True}, "token_exp"),
    "issued long ago": ({"iat": 1}, "token_iat"),
    "issued in the future": ({"iat": 99999999999}, "token_iat"),
    "issued never": ({"iat": float("nan")}, "token_iat"),
    "nobody": ({"sub": None}, "token_sub"),
    "an empty name": ({"sub": ""}, "token_sub"),
    "too long a name": ({"sub": "x" * 256}, "token_sub"),
    "no address": ({"email": None}, "token_email"),
    "two addresses": ({"email": "ada@acme.test@evil.test"}, "token_email"),
    "an address unverified": ({"email_verified": False}, "token_email_verified"),
    "an address verified in words": ({"email_verified": "true"}, "token_email_verified"),
    "no word on the address": ({"email_verified": None}, "token_email_verified"),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_token_with_a_false_claim_signs_nobody_in(
    client: Client, ada: User, connection: Connection, provider: Provider, name: str
) -> None:
    claims, reason = CLAIMS[name]
    provider.lies.claims = claims

    answer = arrive(client, connection, provider)

    assert answer["Location"] == START
    assert not PendingSignIn.objects.exists()
    assert _reasons() == [reason]


def test_a_token_without_a_signature_is_refused(
    client: Client, ada: User, connection: Connection, provider: Provider
) -> None:
    provider.lies.token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."

    assert arrive(client, connection, provider)["Location"] == START
    assert _reasons() == ["token_signature"]


@pytest.mark.parametrize("secret", ["client secret", "public key"])
def test_a_token_signed_with_what_others_know_is_refused(
    client: Client, ada: User, connection: Connection, provider: Provider, secret: str
) -> None:
    """Confusion of algorithms: a public key, or the client's own secret, taken for a key of HMAC."""
    key = CLIENT_SECRET.encode() if secret == "client secret" else provider.rsa.as_pem(private=False)
    claims = {"iss": provider.issuer, "aud": CLIENT_ID, "sub": "x", "exp": int(time.time()) + 60}
    parts = [{"alg": "HS256", "kid": "rsa"}, claims]
    text = ".".join(_base64(json.dumps(part).encode()) for part in parts)
    provider.lies.token = f"{text}.{_base64(hmac.digest(key, text.encode(), 'sha256'))}"

    assert arrive(client, connection, provider)["Location"] == START
    assert _reasons() == ["token_signature"]


def test_a_key_of_somebody_else_signs_nothing(
    client: Client, ada: User, connection: Connection, provider: Provider
) -> None:
    provider.lies.key = ECKey.generate_key("P-256", {"kid": "one"}, private=True)

    assert arrive(client, connection, provider)["Location"] == START
    assert _reasons() == ["token_signature"]


def test_a_token_does_not_bring_its_own_key(
    client: Client, ada: User, connection: Connection, provider: Provider
) -> None:
    stranger = ECKey.generate_key("P-256", {"kid": "one"}, private=True)
    provider.lies.key = stranger
    provider.lies.header = {"jwk": stranger.as_dict(private=False)}

    assert arrive(client, connection, provider)["Location"] == START


@pytest.mark.parametrize("kind", ["oct", "short rsa", "none at all"])
def test_keys_that_are_no_public_keys_of_strength_do_not_count(
    client: Client, ada: User, connection: Connection, provider: Provider, kind: str
) -> None:
    if kind == "oct":
        key: Any = OctKey.import_key(b"k" * 64, {"kid": "weak"})
        provider.lies.key, provider.lies.header = key, {"alg": "HS256", "kid": "weak"}
        provider.lies.jwks = {"keys": [key.as_dict()]}
    elif kind == "short rsa":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the library warns of what the portal refuses
            key = RSAKey.generate_key(1024, {"kid": "weak"}, private=True)
            provider.lies.token = jwt.encode({"alg": "RS256", "kid": "weak"}, {"sub": "x"}, key)
            provider.lies.jwks = {"keys": [key.as_dict(private=False)]}
    else:
        provider.lies.jwks = {"keys": []}

    assert arrive(client, connection, provider)["Location"] == START
    assert _reasons() == ["token_signature"]


def test_rsa_is_understood(client: Client, ada: User, connection: Connection, provider: Provider) -> None:
    provider.lies.key, provider.lies.header = provider.rsa, {"alg": "RS256", "kid": "rsa"}

    assert arrive(client, connection, provider)["Location"] == VERIFY


def test_a_key_that_was_turned_over_is_fetched_once_and_strangers_cause_no_flood(
    client: Client, ada: User, connection: Connection, provider: Provider
) -> None:
    arrive(client, connection, provider)
    provider.key = ECKey.generate_key("P-256", {"kid": "two", "use": "sig"}, private=True)
    provider.lies.header = {"kid": "two"}
    assert arrive(Client(), connection, provider)["Location"] == VERIFY
    provider.lies.key = ECKey.generate_key("P-256", {"kid": "three"}, private=True)
    provider.lies.header = {"kid": "three"}

    for _ in range(3):
        assert arrive(Client(), connection, provider)["Location"] == START

    assert sum(asked.path == "/jwks" for asked in provider.asked) == 2


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ({"iss": "https://other.example"}, "answer_iss"),
        ({"iss": ""}, "answer_iss"),
        ({"error": "access_denied", "code": ""}, "answer_error"),
        ({"code": ""}, "answer_code"),
        ({"code": "made-up"}, "token_status"),
    ],
)
def test_an_answer_that_is_not_the_providers_is_refused(
    client: Client,
    ada: User,
    connection: Connection,
    provider: Provider,
    overrides: dict[str, str],
    reason: str,
) -> None:
    """RFC 9207: mix-up of providers; refusals and made-up codes."""
    answer = arrive(client, connection, provider, **overrides)

    assert answer["Location"] == START
    assert _reasons() == [reason]


@pytest.mark.parametrize("state", ["", "x", "é", "A" * 9000])
def test_an_answer_without_a_trip_is_refused(
    client: Client, ada: User, connection: Connection, provider: Provider, state: str
) -> None:
    answer = arrive(client, connection, provider, state=state)

    assert answer["Location"] == START
    assert not PendingSignIn.objects.exists()


def test_an_answer_counts_once(client: Client, ada: User, connection: Connection, provider: Provider) -> None:
    answer = provider.sign_in(set_out(client))
    come_back(client, connection, answer)
    client.post("/accounts/logout/")

    assert come_back(client, connection, answer)["Location"] == START


def test_an_answer_carried_into_another_browser_opens_nothing_there(
    client: Client, ada: User, connection: Connection, provider: Provider
) -> None:
    """Login CSRF: a victim's browser must not be signed in to the attacker's account."""
    victim = Client()
    set_out(victim)

    assert come_back(victim, connection, provider.sign_in(set_out(client)))["Location"] == START
    assert not PendingSignIn.objects.exists()


def test_an_answer_comes_too_late(
    client: Client, ada: User, connection: Connection, provider: Provider
) -> None:
    address = set_out(client)
    Attempt.objects.update(expires_at=timezone.now())

    assert come_back(client, connection, provider.sign_in(address))["Location"] == START


def test_an_answer_for_another_organizations_provider_is_refused(
    client: Client, ada: User, connection: Connection, provider: Provider
) -> None:
    other = founder("Globex")
    verified(other, "globex.test")
    theirs = connected(other, provider)

    assert come_back(client, theirs, provider.sign_in(set_out(client)))["Location"] == START


def test_no_provider_speaks_for_another_organizations_domain(
    client: Client, ada: User, connection: Connection, provider: Provider
) -> None:
    """Case 44 (Sentry CVE-2026-27197): one organization's settings never affect another's people."""
    other = founder("Globex")
    verified(other, "globex.test")
    victim = new_person("vic@globex.test")
    member(other.organization, person=victim)
    provider.email = victim.email

    assert arrive(client, connection, provider)["Location"] == START
    assert not PendingSignIn.objects.exists()
    assert _reasons() == ["domain"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"is_active": False}, "account"),
        ({"is_staff": True}, "account"),
        ({"locked_at": timezone.now()}, "account"),
    ],
)
def test_an_account_that_is_shut_locked_or_of_the_staff_is_not_opened(
    client: Client, ada: User, connection: Connection, provider: Provider, change: dict[str, Any], reason: str
) -> None:
    User.objects.filter(pk=ada.pk).update(**change)

    assert arrive(client, connection, provider)["Location"] == START
    assert _reasons() == [reason]


@pytest.mark.parametrize("is_linked", [True, False])
def test_a_person_without_a_place_is_not_let_in(
    client: Client, ada: User, connection: Connection, provider: Provider, *, is_linked: bool
) -> None:
    """Whoever was removed stays removed, whatever the provider says; nobody is moved."""
    if is_linked:
        Link.objects.create(connection=connection, user=ada, subject=provider.subject)
    Membership.objects.filter(user=ada).delete()

    assert arrive(client, connection, provider)["Location"] == START
    assert _reasons() == ["no_place"]
    assert not Membership.objects.filter(user=ada).exists()


def test_another_subject_does_not_take_over_a_linked_account(
    client: Client, ada: User, connection: Connection, provider: Provider
) -> None:
    arrive(client, connection, provider)
    provider.subject = "somebody-else"

    assert arrive(Client(), connection, provider)["Location"] == START
    assert _reasons() == ["another_subject"]


def test_newcomers_stay_out_where_the_organization_wants_none(
    client: Client, connection: Connection, provider: Provider
) -> None:
    Connection.objects.update(creates_members=False)

    assert arrive(client, connection, provider)["Location"] == START
    assert _reasons() == ["no_account"]
    assert not User.objects.filter(email="ada@acme.test").exists()


def test_a_provider_that_is_not_tested_lets_nobody_in(
    client: Client, ada: User, connection: Connection, provider: Provider
) -> None:
    answer = provider.sign_in(set_out(client))
    Connection.objects.update(tested_at=None)

    assert come_back(client, connection, answer)["Location"] == START
    assert client.post(START, {"email": ada.email}).status_code == 422


def test_a_domain_that_lapsed_lets_nobody_in(
    client: Client, ada: User, connection: Connection, domain: Domain, provider: Provider
) -> None:
    answer = provider.sign_in(set_out(client))
    Domain.objects.update(verified_at=None)

    assert come_back(client, connection, answer)["Location"] == START
    assert _reasons() == ["domain"]


def test_the_first_page_tells_known_addresses_from_unknown_ones_by_nothing(
    client: Client, ada: User, connection: Connection
) -> None:
    known, unknown = (client.post(START, {"email": email}) for email in (ada.email, "nobody@acme.test"))

    assert known.status_code == unknown.status_code == 200
    assert abs(len(known.content) - len(unknown.content)) < 60


@pytest.mark.parametrize("email", ["ada@other.test", "ada@sub.acme.test", "ada@gmail.com"])
def test_a_domain_without_a_provider_is_said_beside_the_field(
    client: Client, connection: Connection, email: str
) -> None:
    answer = client.post(START, {"email": email})

    assert answer.status_code == 422
    assert b"aria-invalid" in answer.content


def test_an_unknown_provider_is_not_there(client: Client) -> None:
    assert client.get(CALLBACK.format("01a20847-1958-77a1-a2d8-52993645f97c")).status_code == 404


def test_looking_ahead_uses_nothing_up(
    client: Client, ada: User, connection: Connection, provider: Provider
) -> None:
    answer = provider.sign_in(set_out(client))

    client.head(CALLBACK.format(connection.public_id), answer)

    assert come_back(client, connection, answer)["Location"] == VERIFY


def test_nothing_of_a_trip_stands_in_clear(client: Client, connection: Connection) -> None:
    address = set_out(client)
    state = address.partition("state=")[2].partition("&")[0]

    row = Attempt.objects.values().get()

    assert state not in str(row)
    assert b"verifier" not in bytes(row["sealed_verifier"])
    assert row["expires_at"] - timezone.now() <= rules.ATTEMPT_LIFETIME
    assert CLIENT_SECRET not in str(Connection.objects.values().get())


@pytest.mark.django_db(transaction=True)
def test_of_parallel_answers_one_counts(provider: Provider) -> None:
    """Case 11: one code, one half sign-in, one newcomer."""
    owner = founder("Acme", owner=new_person("owner@acme.test"))
    verified(owner, "acme.test")
    connection, client = connected(owner, provider), Client()
    answer = provider.sign_in(set_out(client))
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}

    def bring(_index: int) -> int:
        browser = Client()
        browser.cookies.load(cookies)
        return int(come_back(browser, connection, answer)["Location"] == VERIFY)

    assert sum(at_once(4, bring)) == 1
    assert User.objects.filter(email="ada@acme.test").count() == 1
