"""The pages of API keys, through HTTP."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.credentials import actions, tokens
from accounts.credentials.models import ApiKey
from accounts.organizations.models import Membership
from kellexa_portal.audit import Stream
from kellexa_portal.core.actor import Actor
from kellexa_portal.mail import body
from kellexa_portal.mail.models import OutboxMail
from tests.factories import accounts, credentials, organizations, sign_in
from tests.factories.audit_support import recorded

pytestmark = pytest.mark.django_db

LIST = "/accounts/keys/"
CREATE = "/accounts/keys/create/"
TOKEN = re.compile(tokens.PUBLISHED_REGEX)

Role = Membership.Role


@pytest.fixture
def place(client: Client) -> Membership:
    """The owner of an organization, signed in."""
    founder = organizations.founder("Acme")
    sign_in.sign_in(client, founder.user)
    return founder


def _as(client: Client, place: Membership) -> None:
    sign_in.sign_in(client, place.user)


def _url(key: ApiKey, page: str = "") -> str:
    return f"{LIST}{key.key_id}/{page}"


def _typed(**fields: Any) -> dict[str, Any]:
    defaults = {
        "name": "Nightly export",
        "environment": "live",
        "kind": "service",
        "scopes": ["workflows:run"],
        "expires_at": (timezone.now() + timedelta(days=30)).date().isoformat(),
        "nonce": str(uuid.uuid4()),
    }
    return defaults | fields


# --- Creating -----------------------------------------------------------------------------------


def test_a_key_is_created_and_its_token_shown_once(client: Client, place: Membership) -> None:
    answer = client.post(CREATE, _typed(allowed_networks="192.0.2.7\n10.0.0.0/8, 2001:DB8::/32"))

    token = TOKEN.search(answer.content.decode())
    key = ApiKey.objects.get()
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert token is not None
    assert tokens.parse(token[0]) is not None
    assert key.organization == place.organization
    assert key.owner == place.user
    assert key.allowed_networks == ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"]
    assert key.last4 == token[0][-4:]
    assert not TOKEN.search(client.get(_url(key)).content.decode())
    assert not TOKEN.search(client.get(LIST).content.decode())


def test_no_table_no_session_no_mail_and_no_event_holds_the_token(client: Client, place: Membership) -> None:
    token = TOKEN.search(client.post(CREATE, _typed()).content.decode())

    assert token is not None
    secret = token[0][24:67]
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            sought = [f"%{secret}%", f"%{secret.encode().hex()}%"]
            cursor.execute(
                f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s OR t::text LIKE %s', sought
            )
            assert cursor.fetchone() == (0,), table
    assert secret not in str(dict(client.session))


def test_the_same_form_sent_twice_makes_one_key_and_shows_no_token_again(
    client: Client, place: Membership
) -> None:
    typed = _typed()
    client.post(CREATE, typed)

    again = client.post(CREATE, typed)

    assert again.status_code == 409
    assert not TOKEN.search(again.content.decode())
    assert "no longer shown" in again.content.decode()
    assert ApiKey.objects.count() == 1


def test_a_new_key_lives_through_the_chosen_day_of_the_persons_zone(
    client: Client, place: Membership
) -> None:
    place.user.time_zone = "Pacific/Auckland"
    place.user.save()

    client.post(CREATE, _typed(expires_at=(timezone.now() + timedelta(days=30)).date().isoformat()))

    end = ApiKey.objects.get().expires_at.astimezone(ZoneInfo("Pacific/Auckland"))
    assert (end.hour, end.minute, end.second) == (0, 0, 0)
    assert end.date() == (timezone.now() + timedelta(days=31)).date()


def test_a_key_without_a_date_lives_ninety_days(client: Client, place: Membership) -> None:
    client.post(CREATE, _typed(expires_at=""))

    key = ApiKey.objects.get()
    assert key.expires_at - key.created_at == timedelta(days=90)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 81),
        ("name", "bad\u202etxt"),
        ("scopes", []),
        ("scopes", ["keys:verify"]),
        ("scopes", ["workflows:run", "nothing:here"]),
        ("kind", "root"),
        ("environment", "staging"),
        ("expires_at", "yesterday"),
        ("expires_at", "2001-01-01"),
        ("expires_at", "9999-12-31"),
        ("expires_at", "0000-00-00"),
        ("allowed_networks", "somewhere"),
        ("allowed_networks", "192.0.2.1/8"),
        ("allowed_networks", "0.0.0.0/0"),
        ("allowed_networks", "::/0"),
        ("allowed_networks", "\n".join(f"192.0.{number}.1" for number in range(51))),
        ("contacts", ["not-an-id"]),
        ("contacts", [str(uuid.uuid4())]),
        ("nonce", ""),
        ("nonce", "x"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field_and_what_was_typed_stays(
    client: Client, place: Membership, field: str, value: Any
) -> None:
    answer = client.post(CREATE, _typed(owner_label="Platform team") | {field: value})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert "Platform team" in page
    assert not ApiKey.objects.exists()


def test_a_personal_key_has_no_contacts(client: Client, place: Membership) -> None:
    colleague = organizations.member(place.organization)

    answer = client.post(CREATE, _typed(kind="personal", contacts=[str(colleague.user.public_id)]))

    assert answer.status_code == 422
    assert "contacts" in answer.context["form"].errors


def test_a_stranger_cannot_become_a_contact(client: Client, place: Membership) -> None:
    stranger = organizations.founder()

    answer = client.post(CREATE, _typed(contacts=[str(stranger.user.public_id)]))

    assert answer.status_code == 422
    assert not ApiKey.objects.exists()


def test_a_member_makes_personal_keys_with_their_own_rights_only(client: Client, place: Membership) -> None:
    _as(client, organizations.member(place.organization))

    page = client.get(CREATE).content.decode()
    service = client.post(CREATE, _typed(kind="service"))
    wide = client.post(CREATE, _typed(kind="personal", scopes=["audit:read"]))
    own = client.post(CREATE, _typed(kind="personal"))

    assert "audit:read" not in page
    assert [service.status_code, wide.status_code, own.status_code] == [422, 422, 200]


def test_an_auditor_makes_none(client: Client, place: Membership) -> None:
    _as(client, organizations.member(place.organization, Role.AUDITOR))

    assert client.get(CREATE).status_code == 403
    assert client.post(CREATE, _typed()).status_code == 403
    assert recorded(Stream.organization(place.organization.public_id))[-1] == "key.access.denied"
    assert "New key" not in client.get(LIST).content.decode()


# --- The list -----------------------------------------------------------------------------------


def test_the_empty_list_teaches(client: Client, place: Membership) -> None:
    page = client.get(LIST).content.decode()

    assert "Create your first key" in page


def test_the_list_says_of_each_key_what_matters(client: Client, place: Membership) -> None:
    key = credentials.api_key(place, name="Deploy bot")
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=timezone.now(), last_used_ip_prefix="192.0.2.0/24")

    page = client.get(LIST).content.decode()

    for text in (
        "Deploy bot",
        key.masked,
        "Start and stop workflow runs",
        "192.0.2.0/24",
        "90 days left",
        "Active",
    ):
        assert text in page


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"Alpha", "Beta", "Gone"}),
        ("?q=alph", {"Alpha"}),
        ("?q=100%25", set()),
        ("?kind=personal", {"Beta"}),
        ("?environment=test", {"Beta"}),
        ("?state=revoked", {"Gone"}),
        ("?state=active", {"Alpha", "Beta"}),
        ("?state=expired", set()),
        ("?state=nonsense&kind=x", {"Alpha", "Beta", "Gone"}),
        ("?cursor=nonsense", {"Alpha", "Beta", "Gone"}),
    ],
)
def test_the_filter_lives_in_the_address(
    client: Client, place: Membership, query: str, names: set[str]
) -> None:
    credentials.api_key(place, name="Alpha")
    credentials.personal(place, name="Beta", environment="test")
    gone = credentials.api_key(place, name="Gone")
    actions.revoke_key(actor=Actor.of(place.user), by=place, key=gone, reason="unused")

    answer = client.get(LIST + query)

    assert {row.key.name for row in answer.context["rows"]} == names


def test_the_list_filters_by_owner(client: Client, place: Membership) -> None:
    colleague = organizations.member(place.organization)
    credentials.personal(colleague, name="Theirs")
    credentials.personal(place, name="Mine")

    answer = client.get(f"{LIST}?owner={colleague.user.public_id}")

    assert {row.key.name for row in answer.context["rows"]} == {"Theirs"}


def test_every_state_is_found_under_its_own_filter(client: Client, place: Membership) -> None:
    actor = Actor.of(place.user)
    active = credentials.api_key(place, name="active")
    expiring = credentials.aged(
        credentials.api_key(place, name="expiring"),
        created_ago=timedelta(days=80),
        lifetime=timedelta(days=90),
    )
    expired = credentials.expired(credentials.api_key(place, name="expired"))
    retiring = credentials.api_key(place, name="retiring")
    actions.rotate_key(actor=actor, by=place, key=retiring)
    revoked = credentials.api_key(place, name="revoked")
    actions.revoke_key(actor=actor, by=place, key=revoked, reason="unused")

    for key in (active, expiring, expired, retiring, revoked):
        rows = client.get(f"{LIST}?state={key.name}").context["rows"]
        assert key.pk in {row.key.pk for row in rows}
        assert {row.state for row in rows} == {key.name}


def test_the_list_costs_the_same_with_two_keys_and_with_forty(client: Client, place: Membership) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(LIST)
        return len(queries)

    for _ in range(2):
        credentials.api_key(place)
    cost()
    few = cost()
    for _ in range(38):
        credentials.personal(organizations.member(place.organization))

    assert cost() == few


def test_a_long_list_goes_on_behind_a_link_that_keeps_the_filter(client: Client, place: Membership) -> None:
    for number in range(52):
        credentials.api_key(place, name=f"Key {number}")

    first = client.get(f"{LIST}?q=Key")
    following = re.search(r'rel="next" href="([^"]+)"', first.content.decode())

    assert following is not None
    assert "q=Key" in following[1]
    second = client.get(LIST + following[1].replace("&amp;", "&"))
    assert len(second.context["rows"]) == 2


# --- Rotating -----------------------------------------------------------------------------------


def test_rotating_shows_the_successor_once_and_says_until_when_the_old_key_works(
    client: Client, place: Membership
) -> None:
    issued = credentials.issued(place)

    asked = client.get(_url(issued.key, "rotate/"))
    answer = client.post(_url(issued.key, "rotate/"), {"overlap": "3600"})

    token = TOKEN.search(answer.content.decode())
    old = ApiKey.objects.get(pk=issued.key.pk)
    assert asked.status_code == 200
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert token is not None
    assert token[0] != issued.token
    assert timedelta(minutes=59) < old.expires_at - timezone.now() <= timedelta(hours=1)
    assert re.search(r"works until\s+<time[^>]*>.+?</time>\.", answer.content.decode(), re.DOTALL)


def test_a_rotation_sent_twice_shows_no_token_again(client: Client, place: Membership) -> None:
    key = credentials.api_key(place)
    client.post(_url(key, "rotate/"), {"overlap": "0"})

    again = client.post(_url(key, "rotate/"), {"overlap": "0"})

    assert again.status_code == 409
    assert not TOKEN.search(again.content.decode())
    assert ApiKey.objects.count() == 2


@pytest.mark.parametrize("overlap", ["", "-1", "604801", "9" * 30, "soon"])
def test_another_overlap_is_refused(client: Client, place: Membership, overlap: str) -> None:
    key = credentials.api_key(place)

    answer = client.post(_url(key, "rotate/"), {"overlap": overlap})

    assert answer.status_code == 422
    assert ApiKey.objects.count() == 1


def test_a_third_living_key_of_a_line_needs_the_first_to_end(client: Client, place: Membership) -> None:
    first = credentials.api_key(place)
    second = actions.rotate_key(actor=Actor.of(place.user), by=place, key=first).key

    refused = client.post(_url(second, "rotate/"), {"overlap": "3600"})
    forced = client.post(_url(second, "rotate/"), {"overlap": "3600", "force": "on"})

    assert refused.status_code == 422
    assert first.masked in refused.content.decode()
    assert forced.status_code == 200
    assert ApiKey.objects.get(pk=first.pk).expires_at <= timezone.now()
    assert ApiKey.objects.live(timezone.now()).count() == 2


# --- Revoking -----------------------------------------------------------------------------------


def test_revoking_names_the_key_and_ends_it(client: Client, place: Membership) -> None:
    key = credentials.api_key(place, name="Deploy bot")

    asked = client.get(_url(key, "revoke/")).content.decode()
    answer = client.post(_url(key, "revoke/"), {"reason": "leaked"})

    key.refresh_from_db()
    assert "Deploy bot" in asked
    assert "Revoke key" in asked
    assert answer.status_code == 302
    assert (key.revoked_by, key.revoke_reason, key.state) == (place.user, "leaked", "revoked")
    assert "key.revoked" in recorded(Stream.organization(place.organization.public_id))


@pytest.mark.parametrize("reason", ["", "because", "leaked\x7f"])
def test_a_revocation_needs_one_of_the_reasons(client: Client, place: Membership, reason: str) -> None:
    key = credentials.api_key(place)

    answer = client.post(_url(key, "revoke/"), {"reason": reason})

    assert answer.status_code == 422
    assert ApiKey.objects.get().revoked_at is None


def test_a_second_revocation_is_a_conflict(client: Client, place: Membership) -> None:
    key = credentials.api_key(place)
    client.post(_url(key, "revoke/"), {"reason": "leaked"})

    assert client.post(_url(key, "revoke/"), {"reason": "unused"}).status_code == 409
    assert client.get(_url(key, "revoke/")).status_code == 302


# --- Other people's keys ------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["", "rotate/", "revoke/", "contacts/"])
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("whose", ["another organization", "nobody", "a colleague"])
def test_a_key_that_is_not_mine_is_nothing(
    client: Client, place: Membership, page: str, method: str, whose: str
) -> None:
    if whose == "another organization":
        key_id = credentials.api_key().key_id
    elif whose == "nobody":
        key_id = tokens.new_id()
    else:
        key_id = credentials.personal(place).key.key_id
        _as(client, organizations.member(place.organization))
    before = list(ApiKey.objects.values())

    answer = getattr(client, method)(f"{LIST}{key_id}/{page}", {"overlap": "0", "reason": "leaked"})

    wrong_method = (page, method) in {("", "post"), ("contacts/", "get")}
    assert answer.status_code == (405 if wrong_method else 404)
    assert list(ApiKey.objects.values()) == before


@pytest.mark.parametrize("key_id", ["x", "0" * 13, "0" * 15, "%00" * 14, "é" * 14, "../../admin"])
def test_what_cannot_be_an_id_is_no_address(client: Client, place: Membership, key_id: str) -> None:
    assert client.get(f"{LIST}{key_id}/").status_code in {400, 404}


@pytest.mark.parametrize("page", ["rotate/", "revoke/"])
def test_an_auditor_reads_and_the_refusal_is_on_record(client: Client, place: Membership, page: str) -> None:
    key = credentials.api_key(place)
    _as(client, organizations.member(place.organization, Role.AUDITOR))

    seen = client.get(_url(key))
    asked = client.get(_url(key, page))
    tried = client.post(_url(key, page), {"overlap": "0", "reason": "leaked"})

    assert seen.status_code == 200
    assert "Revoke key" not in seen.content.decode()
    assert "Rotate key" not in seen.content.decode()
    assert (asked.status_code, tried.status_code) == (403, 403)
    assert "key.access.denied" in recorded(Stream.organization(place.organization.public_id))
    assert ApiKey.objects.get().revoked_at is None


def test_an_admin_cannot_be_handed_a_colleagues_personal_token(client: Client, place: Membership) -> None:
    key = credentials.personal(organizations.member(place.organization)).key

    answer = client.post(_url(key, "rotate/"), {"overlap": "0"})

    assert answer.status_code == 403
    assert not TOKEN.search(answer.content.decode())


@pytest.mark.parametrize("path", [LIST, CREATE, "/accounts/keys/help/"])
def test_strangers_sign_in_first_and_staff_find_nothing(client: Client, db: None, path: str) -> None:
    anonymous = client.get(path)
    sign_in.sign_in(client, accounts.staff())

    assert anonymous.status_code == 302
    assert anonymous["Location"].startswith("/accounts/login/")
    assert client.get(path).status_code == 404


def test_a_person_without_an_organization_finds_nothing(client: Client, db: None) -> None:
    sign_in.sign_in(client, accounts.user())

    assert client.get(LIST).status_code == 404


# --- Contacts and mails -------------------------------------------------------------------------


def test_contacts_are_saved_and_hear_of_the_key(client: Client, place: Membership) -> None:
    colleague = organizations.member(place.organization)
    key = credentials.api_key(place)

    answer = client.post(_url(key, "contacts/"), {"contacts": [str(colleague.user.public_id)]})
    client.post(_url(key, "revoke/"), {"reason": "leaked"})

    assert answer.status_code == 302
    told = OutboxMail.objects.filter(kind="credentials.key_revoked").values_list("recipient", flat=True)
    assert set(told) == {place.user.email, colleague.user.email}


def test_a_new_contact_is_told_once_each_time_they_are_added(client: Client, place: Membership) -> None:
    colleague = organizations.member(place.organization)
    key = credentials.api_key(place)
    chosen = {"contacts": [str(colleague.user.public_id)]}

    for contacts in (chosen, chosen, {}, chosen):
        client.post(_url(key, "contacts/"), contacts)

    told = OutboxMail.objects.filter(kind="credentials.contact_added").values_list("recipient", flat=True)
    assert list(told) == [colleague.user.email] * 2


def test_an_auditor_changes_no_contacts_and_the_attempt_is_on_record(
    client: Client, place: Membership
) -> None:
    key = credentials.api_key(place)
    auditor = organizations.member(place.organization, Role.AUDITOR)
    _as(client, auditor)

    answer = client.post(_url(key, "contacts/"), {"contacts": [str(auditor.user.public_id)]})

    assert answer.status_code == 403
    assert not key.contact_rows.exists()
    assert recorded(Stream.organization(place.organization.public_id))[-1] == "key.access.denied"


def test_a_person_whose_zone_this_system_does_not_know_is_told_in_utc(place: Membership) -> None:
    place.user.time_zone = "Moon/Tranquility"
    place.user.save()

    credentials.api_key(place)

    assert "UTC" in body.of(OutboxMail.objects.get(kind="credentials.key_created")).text


def test_a_contact_of_another_organization_is_refused(client: Client, place: Membership) -> None:
    key = credentials.api_key(place)
    stranger = organizations.founder()

    answer = client.post(_url(key, "contacts/"), {"contacts": [str(stranger.user.public_id)]})

    assert answer.status_code == 422
    assert not key.contact_rows.exists()


@pytest.mark.parametrize("kind", ["key_created", "key_rotated", "key_revoked"])
def test_the_owner_is_told_of_each_step(client: Client, place: Membership, kind: str) -> None:
    key = credentials.api_key(place)
    if kind == "key_rotated":
        client.post(_url(key, "rotate/"), {"overlap": "3600"})
    if kind == "key_revoked":
        client.post(_url(key, "revoke/"), {"reason": "leaked"})

    mails = OutboxMail.objects.filter(kind=f"credentials.{kind}")

    assert [mail.recipient for mail in mails] == [place.user.email]


def test_the_help_page_tells_the_format_and_how_to_check(client: Client, place: Membership) -> None:
    page = client.get("/accounts/keys/help/").content.decode()

    assert "\\bklx[ps]_(?:live|test)_[0-9A-Za-z]{63}\\b" in page
    for text in ("gitleaks", "/api/v1/keys/verify", "curl", "urllib", "fetch("):
        assert text in page


def test_a_rotated_key_shows_its_line(client: Client, place: Membership) -> None:
    key = credentials.api_key(place)
    successor = actions.rotate_key(actor=Actor.of(place.user), by=place, key=key).key

    page = client.get(_url(successor)).content.decode()

    assert key.masked in page
    assert "Being replaced" in page
