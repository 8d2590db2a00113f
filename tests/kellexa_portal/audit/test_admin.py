"""Staff read the log through the admin, and can do nothing else there."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from kellexa_portal.audit import Outcome, Stream, Target, record
from kellexa_portal.audit.admin import EventAdmin
from kellexa_portal.audit.models import Event
from kellexa_portal.audit.sealing import seal_pending
from kellexa_portal.core import context
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.context import RequestContext
from tests.factories import accounts
from tests.factories.sign_in import sign_in

from .events import SampleEvent

pytestmark = pytest.mark.django_db

LIST = "/admin/audit/event/"


@pytest.fixture
def auditor(client: Client) -> Client:
    sign_in(client, accounts.staff(is_superuser=True))
    return client


def write(**fields: Any) -> Event:
    with context.bound(RequestContext(ip="192.0.2.77", user_agent="Browser <script>")):
        record(
            SampleEvent.DONE,
            **{"actor": Actor.key("key-1"), "stream": Stream.organization(uuid4()), **fields},
        )
    return Event.objects.latest("pk")


def test_list_shows_what_happened_to_what_by_whom(auditor: Client) -> None:
    write(target=Target("thing", "thing-7"))
    seal_pending(now=timezone.now())

    listed = auditor.get(LIST).content.decode()

    for shown in ("sample.thing.done", "A thing was done.", "key key-1", "thing thing-7"):
        assert shown in listed


def test_page_shows_the_facts_and_escapes_what_a_stranger_sent(auditor: Client) -> None:
    event = write(changes={"name": "<b>"})

    shown = auditor.get(f"{LIST}{event.pk}/change/").content.decode()

    assert "192.0.2.77" in shown
    assert "Browser &lt;script&gt;" in shown
    assert "&lt;b&gt;" in shown
    assert 'name="_save"' not in shown


def test_list_is_narrowed_by_name_and_outcome(auditor: Client) -> None:
    write(outcome=Outcome.DENIED, target=Target("thing", "denied-thing"))
    write(target=Target("thing", "other-thing"))

    listed = auditor.get(LIST, {"name": "sample.thing.done", "outcome__exact": "denied"}).content.decode()
    nothing = auditor.get(LIST, {"name": "sample.thing.refuse"}).content.decode()

    assert "denied-thing" in listed
    assert "other-thing" not in listed
    assert "denied-thing" not in nothing


def test_list_takes_as_many_queries_for_many_events_as_for_few(auditor: Client) -> None:
    auditor.get(LIST)
    counts = []
    for number in (2, 20):
        for _ in range(number):
            write()
        with CaptureQueriesContext(connection) as queries:
            auditor.get(LIST)
        counts.append(len(queries))

    assert counts[0] == counts[1]


ADDRESSES = [
    "",
    "?p=2",
    "?p=MQ",
    "?p=MQ&outcome__exact=denied",
    "?all=",
    "?o=1",
    "?_facets=True",
    "?name=sample.thing.done&outcome__exact=success&_facets=True",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_list_counts_or_skips_through_the_log(
    auditor: Client, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EventAdmin, "list_per_page", 2)
    for _ in range(5):
        write()

    with CaptureQueriesContext(connection) as queries:
        answer = auditor.get(LIST + address)

    on_the_log = [query["sql"] for query in queries if '"audit_event"' in query["sql"]]
    assert answer.status_code == 200
    assert on_the_log
    for sql in on_the_log:
        assert "COUNT(" not in sql.upper()
        assert "OFFSET" not in sql.upper()
        assert "LIMIT 3" in sql


def links(answer: Any) -> dict[str, str]:
    """The links below a list, by their text."""
    found = re.search(r'<p class="paginator">(.*?)</p>', answer.content.decode(), re.DOTALL)
    anchors = re.findall(r'<a href="([^"]*)"[^>]*>([^<]*)</a>', found.group(1) if found else "")
    return {text: unescape(address) for address, text in anchors}


def shown(answer: Any) -> list[str]:
    """The targets of the listed events, in their order."""
    return re.findall(r'class="field-target">thing (thing-\d+)<', answer.content.decode())


def test_links_lead_through_all_of_the_log_and_back(auditor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EventAdmin, "list_per_page", 2)
    for number in range(5):
        write(target=Target("thing", f"thing-{number}"), outcome=Outcome.DENIED)
        write(target=Target("thing", f"thing-9{number}"))
    first = auditor.get(LIST, {"outcome__exact": "denied"})
    second = auditor.get(LIST + links(first)["Older"])
    third = auditor.get(LIST + links(second)["Older"])
    again = auditor.get(LIST + links(third)["Newest"])

    assert [shown(page) for page in (first, second, third)] == [
        ["thing-4", "thing-3"],
        ["thing-2", "thing-1"],
        ["thing-0"],
    ]
    assert [set(links(page)) for page in (first, second, third)] == [
        {"Older"},
        {"Newest", "Older"},
        {"Newest"},
    ]
    assert shown(again) == shown(first)


def test_a_list_of_one_page_has_no_links_and_an_empty_one_says_so(auditor: Client) -> None:
    write(outcome=Outcome.DENIED)

    one_page = auditor.get(LIST, {"outcome__exact": "denied"})
    empty = auditor.get(LIST, {"name": "sample.thing.refuse"}).content.decode()

    assert links(one_page) == {}
    assert "No event matches these filters." in empty
    assert "No event matches" not in one_page.content.decode()


@pytest.mark.parametrize("path", ["add/", "{pk}/delete/", "{pk}/change/"])
def test_not_even_a_superuser_writes(auditor: Client, path: str) -> None:
    event = write()

    answer = auditor.post(LIST + path.format(pk=event.pk), {"post": "yes", "reason": "forged"})

    assert answer.status_code == 403
    assert Event.objects.get(pk=event.pk).reason == ""


def test_customer_does_not_find_the_log(client: Client) -> None:
    sign_in(client, accounts.user())

    assert client.get(LIST).status_code in {302, 404}


def test_stranger_is_sent_to_sign_in(client: Client) -> None:
    answer = client.get(LIST, follow=True)

    assert answer.redirect_chain[-1][0].startswith("/accounts/login/")
