"""Attacks with a password alone, and on the order of the steps between it and a session."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from redis import Redis

from accounts.identity.models import PendingSignIn, User
from accounts.mfa.models import Enrolment, RecoveryCode, TotpDevice
from accounts.sessions.models import AccountSession
from kellexa_portal.web.gates import Gate, gate_of
from kellexa_portal.web.routes import Route
from tests.accounts.attacks.stranger import (
    CLOSED,
    ENROL,
    ENROL_CODES,
    LOGIN,
    LOGOUT,
    NEW_CODES,
    PASSWORD_PAGE,
    RECOVER,
    REPLACE,
    SCAN,
    SIGNUP,
    STEP_UP,
    VERIFY,
    WRONG,
    enrols,
    is_signed_in,
    shown_key,
)
from tests.accounts.identity.mailbox import path_to
from tests.accounts.identity.wishes import EMAIL, wish
from tests.factories import credentials, organizations
from tests.factories.sign_in import (
    PASSWORD,
    enrolled,
    new_person,
    oathtool,
    prove_password,
    sign_in,
    with_recovery_codes,
)
from tests.support.visitors import Visitor, arrive

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

NEW_CODES_DUE = "/accounts/login/enrol/codes/new/"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
SIGN_IN = ("accounts/login/", "accounts/logout/", "accounts/signup/", "accounts/password/reset/")


# --- A password alone -----------------------------------------------------------------------------


@pytest.mark.parametrize("has_factor", [True, False])
def test_the_staff_site_takes_no_password(client: Client, *, has_factor: bool) -> None:
    """Case 1 (django-mfa3 CVE-2022-24857): its own sign-in is the portal's, which asks on."""
    person = new_person("sam@kellexa.example", is_staff=True)
    if has_factor:
        enrolled(person)
    form = {"username": person.email, "email": person.email, "password": PASSWORD, "next": "/admin/"}

    answer = client.post("/admin/login/", form)
    prove_password(client, person, next_url="/admin/")

    assert answer.status_code == 302
    assert answer["Location"].startswith(LOGIN)
    assert "_auth_user_id" not in client.session
    assert client.get("/admin/")["Location"].startswith(LOGIN)


def _half(client: Client, stage: str, *, is_staff: bool) -> None:
    """A half sign-in that stands at ``stage``."""
    person = new_person("half@customer.example", is_staff=is_staff)
    if stage != "enrol":
        enrolled(person)
    prove_password(client, person)
    client.get(VERIFY)
    if stage == "recovered":
        client.post(RECOVER, {"recovery_code": with_recovery_codes(person)[0]})


@pytest.fixture(params=["verify", "enrol", "recovered"])
def half(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _walker(half: str, *, is_staff: bool) -> Visitor:
    """A browser with half a sign-in, and addresses of things that exist."""
    visitor = arrive("anonymous", organizations.founder())
    client = Client(raise_request_exception=False)
    _half(client, half, is_staff=is_staff)
    return replace(visitor, client=client)


def _is_closed(route: Route) -> bool:
    return gate_of(route.view) not in {Gate.PUBLIC, Gate.MACHINE} and route.name != "admin:login"


@pytest.mark.parametrize("is_staff", [False, True], ids=["customer", "staff"])
def test_half_a_sign_in_opens_no_closed_page(half: str, *, is_staff: bool) -> None:
    """Case 2 (wagtail-2fa CVE-2019-16766): every route, by every method, leads to the sign-in."""
    visitor = _walker(half, is_staff=is_staff)
    devices = set(TotpDevice.objects.values_list("pk", flat=True))

    answers = {
        f"{method} {address}": visitor.asks(method, address)
        for route, address in visitor.addresses()
        if _is_closed(route)
        for method in METHODS
    }

    opened = {what: answer.status_code for what, answer in answers.items() if not _leads_to_sign_in(answer)}
    assert len(answers) > 200
    assert opened == {}
    assert "_auth_user_id" not in visitor.client.session
    assert set(TotpDevice.objects.values_list("pk", flat=True)) == devices


def _leads_to_sign_in(answer: HttpResponse) -> bool:
    if answer.status_code in {302, 303}:
        return str(answer["Location"]).startswith((LOGIN, LOGOUT))
    return answer.status_code in {403, 404, 405}


def test_half_a_sign_in_shows_on_public_pages_what_a_stranger_sees(half: str) -> None:
    """Case 2 (wagtail-2fa CVE-2019-16766): outside of the sign-in it counts for nothing."""
    visitor = _walker(half, is_staff=False)
    stranger = replace(visitor, client=Client(raise_request_exception=False))

    different = [
        f"{method} {address}"
        for route, address in visitor.addresses(without=SIGN_IN)
        if not _is_closed(route)
        for method in ("GET", "POST")
        if visitor.asks(method, address).status_code != stranger.asks(method, address).status_code
    ]

    assert different == []


# --- The order of the steps -----------------------------------------------------------------------

LATER = {
    VERIFY: {"code": "123456"},
    RECOVER: {"recovery_code": "A" * 25},
    ENROL: {"code": "123456"},
    ENROL_CODES: {"recovery_code": "A" * 25},
    NEW_CODES_DUE: {},
}


@pytest.mark.parametrize("page", LATER)
def test_a_step_without_the_password_before_it_is_refused(client: Client, page: str) -> None:
    """Case 20 (authentik CVE-2026-54730)."""
    answer = client.post(page, LATER[page])

    assert (answer.status_code, answer["Location"]) == (303, LOGIN)
    assert not Enrolment.objects.exists()


def test_the_last_step_of_an_enrolment_is_refused_before_its_code(client: Client, ada: User) -> None:
    """Case 20 (authentik CVE-2026-54730)."""
    prove_password(client, ada)
    client.get(VERIFY)
    client.get(ENROL)

    for page in (ENROL_CODES, NEW_CODES_DUE):
        assert client.post(page, LATER[page])["Location"] == ENROL
    assert not RecoveryCode.objects.exists()
    assert not is_signed_in(client)


@pytest.mark.parametrize("page", [ENROL, ENROL_CODES, NEW_CODES_DUE])
def test_enrolling_beside_an_existing_factor_is_refused(
    client: Client, ada: User, device: TotpDevice, page: str
) -> None:
    """Case 20 (authentik CVE-2026-54730), and case 3: the password alone adds no factor."""
    prove_password(client, ada)

    answers = [client.get(ENROL), client.post(page, LATER[page])]

    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(303, VERIFY)] * 2
    assert not Enrolment.objects.exists()
    assert TotpDevice.objects.get().pk == device.pk


@pytest.mark.parametrize("page", [VERIFY, RECOVER])
def test_a_factor_that_does_not_exist_is_not_shown(client: Client, ada: User, page: str) -> None:
    """Case 20 (authentik CVE-2026-54730): who has to enrol cannot answer a later question instead."""
    prove_password(client, ada)
    client.get(VERIFY)

    assert client.post(page, LATER[page])["Location"] == ENROL
    assert not is_signed_in(client)


def test_a_replacement_is_not_finished_before_it_began(client: Client, ada: User, device: TotpDevice) -> None:
    """Case 20 (authentik CVE-2026-54730): nor by another browser of the same person."""
    elsewhere = Client()
    sign_in(elsewhere, ada)
    sign_in(client, ada)
    elsewhere.post(REPLACE, {"code": oathtool(device.open_seed())})

    assert client.post(SCAN, {"code": "123456"})["Location"] == REPLACE
    assert TotpDevice.objects.get().pk == device.pk


def test_an_answer_without_a_question_allows_nothing_that_needs_one(client: Client, ada: User) -> None:
    """Case 20 (authentik CVE-2026-54730): a code that was asked for nothing earns no one-time permission."""
    place = organizations.founder(owner=ada)
    device = enrolled(ada)
    sign_in(client, ada)
    key = credentials.api_key(place)
    client.post(f"{STEP_UP}?q=made-up", {"way": "totp", "code": oathtool(device.open_seed())})

    answer = client.post(f"/accounts/keys/{key.key_id}/rotate/", {"overlap": "0"})

    assert answer.status_code == 303
    assert answer["Location"].startswith(STEP_UP)
    key.refresh_from_db()
    assert key.replaced_by_id is None


# --- What stays in a browser ----------------------------------------------------------------------


def test_an_abandoned_sign_in_hands_its_factor_to_nobody(client: Client, ada: User) -> None:
    """Case 7 (allauth 65.20.0): begun for one, finished for another, with the other's own factor alone."""
    adas, bob = enrolled(ada), new_person("bob@example.com")
    bobs = enrolled(bob)
    prove_password(client, ada)
    prove_password(client, bob)

    refused = client.post(VERIFY, {"code": oathtool(adas.open_seed())})
    client.post(VERIFY, {"code": oathtool(bobs.open_seed())})

    session = client.session
    assert refused.status_code == 422
    assert session["_auth_user_id"] == str(bob.pk)
    assert session["otp_device_id"] == bobs.persistent_id
    assert AccountSession.objects.get().user == bob


def test_an_abandoned_enrolment_is_not_finished_for_another(client: Client, ada: User) -> None:
    """Case 7 (allauth 65.21.0): a seed that was shown to the first does not become the second's."""
    bob = new_person("bob@example.com")
    prove_password(client, ada)
    client.get(VERIFY)
    adas_key = shown_key(client)
    prove_password(client, bob)
    client.get(VERIFY)

    bobs_key = shown_key(client)
    refused = client.post(ENROL, {"code": oathtool(adas_key)})

    assert bobs_key != adas_key
    assert refused.status_code == 422
    assert not TotpDevice.objects.exists()


def test_an_abandoned_recovery_lets_nobody_else_enrol(client: Client, ada: User, device: TotpDevice) -> None:
    """Case 7 (allauth 65.21.0): the code of one does not carry another past their factor."""
    bob = new_person("bob@example.com")
    enrolled(bob)
    prove_password(client, ada)
    client.post(RECOVER, {"recovery_code": with_recovery_codes(ada)[0]})

    prove_password(client, bob)

    assert client.get(ENROL)["Location"] == VERIFY
    assert TotpDevice.objects.count() == 2


def test_cancelling_leaves_nothing_to_go_on_with(client: Client, ada: User) -> None:
    """Case 7 (allauth 65.20.0): signing out in the middle ends the half sign-in and its enrolment."""
    prove_password(client, ada)
    client.get(VERIFY)
    shown_key(client)

    client.post(LOGOUT)

    assert client.get(ENROL)["Location"] == LOGIN
    assert "pending_sign_in" not in client.session
    assert not PendingSignIn.objects.exists()
    assert not Enrolment.objects.exists()


def _everything_stored() -> str:
    """Every row of every table and every value of Redis, as text."""
    texts = [str(session.get_decoded()) for session in Session.objects.all()]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT row::text FROM "{table}" row')
            texts += [text for (text,) in cursor.fetchall()]
    return "\n".join(texts)


def _everything_in_redis(url: str) -> str:
    with Redis.from_url(url) as redis:
        values = [redis.get(key) for key in redis.scan_iter("kellexa-test-*") if redis.type(key) == b"string"]
        return str([*redis.scan_iter("kellexa-test-*"), *values])


def test_a_password_is_stored_nowhere(client: Client, settings) -> None:
    """Case 21 (two-factor CVE-2020-15105): not in the session between the steps, nor anywhere else."""
    words = {"typed": "violet anchor sings at dawn", "wrong": WRONG, "next": "granite-meadow-violin-63"}
    client.post(SIGNUP, wish(password=words["typed"]))
    client.post(path_to(EMAIL))
    assert set(client.session.keys()) == {"pending_sign_in"}
    enrols(client)
    client.post(PASSWORD_PAGE, {"password": words["wrong"], "new_password": words["next"]})
    AccountSession.objects.update(factor_at=None, factor="")
    client.post(PASSWORD_PAGE, {"password": words["typed"], "new_password": words["next"]})
    half = Client()
    half.post(LOGIN, {"email": EMAIL, "password": words["wrong"]})
    half.post(LOGIN, {"email": EMAIL, "password": words["typed"], "next": "/accounts/keys/"})

    stored = _everything_stored() + _everything_in_redis(settings.REDIS_URL)

    assert EMAIL in stored
    assert set(half.session.keys()) == {"pending_sign_in"}
    assert [word for word in words.values() if word in stored] == []


# --- Two people at one browser --------------------------------------------------------------------


def test_a_second_person_in_the_same_browser_is_shown_nothing_of_the_first(client: Client, ada: User) -> None:
    """Case 36 (Keycloak CVE-2025-12390): held forms, questions and messages go with the first session."""
    organizations.founder(owner=ada)
    bob = organizations.founder(owner=new_person("bob@example.com")).user
    bobs = enrolled(bob)
    session = sign_in(client, ada)
    AccountSession.objects.filter(pk=session.pk).update(factor_at=None, factor="")
    client.post("/accounts/keys/create/", {"name": "Secret project of Ada"})
    assert client.session["stepup.held"]
    client.post(LOGOUT)

    prove_password(client, bob)
    client.post(VERIFY, {"code": oathtool(bobs.open_seed())})

    kept = str(dict(client.session.items()))
    page = client.get("/accounts/keys/create/")
    assert page.context["user"].pk == bob.pk
    assert "Secret project" not in page.content.decode() + kept
    assert "stepup.questions" not in kept
    session.refresh_from_db()
    assert session.end_reason == "signed_out"


def test_a_second_person_is_not_signed_in_as_the_first_whose_time_ran_out(client: Client, ada: User) -> None:
    """Case 36 (Keycloak CVE-2025-12390): an ended session leaves a browser of nobody."""
    session = sign_in(client, ada)
    client.get(CLOSED)
    AccountSession.objects.filter(pk=session.pk).update(ended_at=session.started_at, end_reason="idle")

    page = client.get(CLOSED, follow=True)

    assert page.request["PATH_INFO"] == LOGIN
    assert ada.email not in page.content.decode()
    assert ada.name not in page.content.decode()
    assert set(client.session.keys()) <= {"_messages"}


def test_recovery_codes_of_the_first_are_not_shown_to_the_second(client: Client, ada: User) -> None:
    """Case 36 (Keycloak CVE-2025-12390): going back meets the second person's own page."""
    device = enrolled(ada)
    sign_in(client, ada)
    shown = client.post(NEW_CODES, {"code": oathtool(device.open_seed())}, follow=True).content.decode()
    sign_in(client, new_person("bob@example.com"))

    page = client.get(NEW_CODES)

    assert "<li><code>" in shown
    assert "<li><code>" not in page.content.decode()
    assert "no-store" in page["Cache-Control"]
