"""The list of keys, and who finds which key behind its address."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.credentials import actions, tokens
from accounts.credentials.models import ApiKey
from accounts.organizations.models import Membership
from kellexa_portal.audit import Stream
from kellexa_portal.core import pagination
from kellexa_portal.core.actor import Actor
from tests.accounts.credentials.pages import CREATE, LIST, TOKEN, url_of
from tests.factories import accounts, credentials, organizations, sign_in
from tests.factories.audit_support import recorded

pytestmark = pytest.mark.django_db


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
        "89 days left",
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


def test_the_help_page_tells_the_format_and_how_to_check(client: Client, place: Membership) -> None:
    page = client.get("/accounts/keys/help/").content.decode()

    assert "\\bklx[ps]_(?:live|test)_[0-9A-Za-z]{63}\\b" in page
    for text in ("gitleaks", "/api/v1/keys/verify", "curl", "urllib", "fetch("):
        assert text in page


# --- Other people's keys -------------------------------------------------------------------------


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
        sign_in.sign_in(client, organizations.member(place.organization).user)
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
    sign_in.sign_in(client, organizations.member(place.organization, Membership.Role.AUDITOR).user)
    right = {"overlap": "0", "reason": "leaked"}

    seen = client.get(url_of(key))
    asked = client.get(url_of(key, page))
    told = recorded(Stream.organization(place.organization.public_id)).count("key.access.denied")
    tried = [client.post(url_of(key, page), typed).status_code for typed in (right, {})]

    assert seen.status_code == 200
    assert "Revoke key" not in seen.content.decode()
    assert "Rotate key" not in seen.content.decode()
    assert (asked.status_code, *tried) == (403, 403, 403)
    assert told == 1
    assert recorded(Stream.organization(place.organization.public_id)).count("key.access.denied") == 3
    assert ApiKey.objects.get().revoked_at is None


def test_an_admin_cannot_be_handed_a_colleagues_personal_token(client: Client, place: Membership) -> None:
    key = credentials.personal(organizations.member(place.organization)).key

    answer = client.post(url_of(key, "rotate/"), {"overlap": "0"})

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


# --- What is due ---------------------------------------------------------------------------------


def _days(count: int) -> timedelta:
    return timedelta(days=count)


@pytest.mark.parametrize(
    ("created_ago", "lifetime", "label", "is_due"),
    [
        (_days(10), _days(365), "Active", False),
        (_days(75), _days(365), "Active", False),
        (_days(76) + timedelta(seconds=5), _days(365), "Rotation due", True),
        (_days(90) - timedelta(minutes=5), _days(365), "Rotation due", True),
        (_days(90), _days(365), "Rotation overdue", True),
        (_days(300), _days(305), "Rotation overdue", True),
        (_days(20), _days(30), "Expires soon", True),
    ],
)
def test_list_filter_page_and_checkup_agree_on_what_is_due(
    client: Client, place: Membership, created_ago: timedelta, lifetime: timedelta, label: str, is_due: bool
) -> None:
    """The policy of a new organization: keys are rotated every 90 days; a warning comes 14 days before."""
    key = credentials.aged(credentials.api_key(place), created_ago=created_ago, lifetime=lifetime)

    listed, page = client.get(LIST), client.get(url_of(key)).content.decode()
    filtered = client.get(LIST, {"state": "due"}).content.decode()
    checkup = client.get("/accounts/").content.decode()

    assert [str(row.label) for row in listed.context["rows"]] == [label]
    assert f">{label}<" in page
    assert (key.masked in filtered) == is_due
    assert ("1 key to rotate" in checkup, "?state=due" in checkup) == (is_due, is_due)


def test_a_replaced_a_suspended_and_an_ended_key_are_not_due(client: Client, place: Membership) -> None:
    old = credentials.aged(credentials.api_key(place), created_ago=_days(80), lifetime=_days(365))
    actions.rotate_key(actor=Actor.of(place.user), by=place, key=old)
    for change in ("suspend", "revoke", "expire"):
        key = credentials.aged(credentials.api_key(place), created_ago=_days(80), lifetime=_days(365))
        if change == "suspend":
            ApiKey.objects.filter(pk=key.pk).update(suspended_at=timezone.now(), suspend_cause="lockdown")
        elif change == "revoke":
            actions.revoke_key(actor=Actor.of(place.user), by=place, key=key, reason="unused")
        else:
            credentials.expired(key)

    page = client.get(LIST, {"state": "due"})

    assert page.context["rows"] == []


def test_the_list_names_the_last_day_on_which_a_key_works(client: Client, place: Membership) -> None:
    """A key that ends at midnight works on the day before, which is the one that its owner chose."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) + _days(30)
    chosen = (midnight - _days(1)).date()
    key = credentials.api_key(place)
    ApiKey.objects.filter(pk=key.pk).update(expires_at=midnight)

    with timezone.override(place.user.time_zone or "UTC"):
        row = client.get(LIST).context["rows"][0]

    assert timezone.localtime(row.last_moment).date() == chosen


# --- Sorting and several at once -----------------------------------------------------------------


@pytest.fixture
def shelf(place: Membership) -> list[ApiKey]:
    """Keys whose order differs by name, by end and by use."""
    now = timezone.now()
    facts = [("Beta", 30, 1), ("alpha", 20, None), ("Gamma", 10, 3), ("Beta", 25, 2)]
    keys = []
    for name, days, used in facts:
        key = credentials.api_key(place, name=name)
        used_at = now - _days(used) if used else None
        ApiKey.objects.filter(pk=key.pk).update(expires_at=now + _days(days), last_used_at=used_at)
        keys.append(key)
    return keys


@pytest.mark.parametrize(
    ("sort", "order"), [("", [3, 2, 1, 0]), ("end", [2, 1, 3, 0]), ("use", [1, 2, 3, 0]), ("x", [3, 2, 1, 0])]
)
def test_the_list_is_sorted_as_asked(
    client: Client, shelf: list[ApiKey], sort: str, order: list[int]
) -> None:
    rows = client.get(LIST, {"sort": sort}).context["rows"]

    assert [row.key.pk for row in rows] == [shelf[index].pk for index in order]


@pytest.mark.parametrize("sort", ["", "name", "end", "use"])
def test_pages_in_any_order_show_each_key_once(
    client: Client, shelf: list[ApiKey], sort: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = [row.key.pk for row in client.get(LIST, {"sort": sort}).context["rows"]]
    monkeypatch.setattr(pagination, "MAX_LIMIT", 2)

    seen, cursor = [], ""
    for _ in range(3):
        answer = client.get(LIST, {"sort": sort, "cursor": cursor})
        seen += [row.key.pk for row in answer.context["rows"]]
        cursor = answer.context["page"].next_cursor
        if cursor is None:
            break

    assert seen == whole
    assert len(whole) == 4


@pytest.mark.parametrize(
    "cursor", ["bm9uc2Vuc2U", "WzEsMl0", "WyIyMDI2LTAxLTAxIiwxXQ", "WyJhIiwtMV0", "WyJhXHUwMDAwIiwxXQ"]
)
@pytest.mark.parametrize("sort", ["name", "end"])
def test_a_made_up_cursor_gives_the_first_page(
    client: Client, shelf: list[ApiKey], sort: str, cursor: str
) -> None:
    answer = client.get(LIST, {"sort": sort, "cursor": cursor})

    assert answer.status_code == 200
    assert len(answer.context["rows"]) in {0, 4}


def test_several_keys_are_revoked_after_one_question(client: Client, place: Membership) -> None:
    keys = [credentials.api_key(place, name=name) for name in ("Alpha", "Beta", "Gamma")]
    chosen = {"key": [key.key_id for key in keys[:2]]}

    asked = client.get(LIST + "revoke/", chosen)
    refused = client.post(LIST + "revoke/", chosen)
    done = client.post(LIST + "revoke/", chosen | {"reason": "unused"}, follow=True)

    assert [keys[0].name in asked.content.decode(), keys[2].name in asked.content.decode()] == [True, False]
    assert refused.status_code == 422
    assert keys[1].key_id in refused.content.decode()
    assert "2 keys are revoked." in done.content.decode()
    assert set(ApiKey.objects.filter(revoked_at=None)) == {keys[2]}
    assert recorded(Stream.organization(place.organization.public_id)).count("key.revoked") == 2


def test_choosing_nothing_or_what_one_may_not_revoke_revokes_nothing(
    client: Client, place: Membership
) -> None:
    mine, foreign = credentials.api_key(place), credentials.api_key()
    sign_in.sign_in(client, organizations.member(place.organization).user)

    answers = [
        client.post(LIST + "revoke/", {"reason": "unused", "key": key})
        for key in ([], [mine.key_id], [foreign.key_id], ["x" * 14], ["\u00e9" * 500])
    ]

    assert [answer["Location"] for answer in answers] == [LIST] * 5
    assert ApiKey.objects.filter(revoked_at=None).count() == 2


def test_an_auditor_is_offered_no_choice(client: Client, place: Membership) -> None:
    credentials.api_key(place)
    sign_in.sign_in(client, organizations.member(place.organization, Membership.Role.AUDITOR).user)

    assert 'name="key"' not in client.get(LIST).content.decode()
