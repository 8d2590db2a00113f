"""The person's own security log: filter and export."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client
from django.utils import timezone

from accounts.identity.models import User
from accounts.sessions import exports
from accounts.sessions.models import AccountSession
from kellexa_portal.audit import Stream
from tests.factories.audit_support import recorded
from tests.factories.sign_in import new_person, prove_password, sign_in

pytestmark = pytest.mark.django_db

PAGE = "/accounts/activity/"


@pytest.fixture
def ada(client: Client) -> User:
    """Somebody who signed in, after a stranger had failed to."""
    person = new_person()
    Client().post("/accounts/login/", {"email": person.email, "password": "not the right one at all"})
    prove_password(Client(), person)
    sign_in(client, person)
    return person


def names(answer: HttpResponse) -> list[str]:
    return [event.name for event in answer.context["page"].items]


def taken(client: Client, query: str = "", kind: str = "csv") -> str:
    answer = client.get(f"{PAGE}export.{kind}{query}")
    assert isinstance(answer, StreamingHttpResponse)
    assert answer["Content-Disposition"].startswith("attachment;")
    assert "no-store" in answer["Cache-Control"]
    return b"".join(answer.streaming_content).decode()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["auth.login.succeed", "auth.login.fail"]),
        ("?area=auth&result=stopped", ["auth.login.fail"]),
        ("?result=done", ["auth.login.succeed"]),
        ("?area=session", []),
        ("?days=1", ["auth.login.succeed", "auth.login.fail"]),
    ],
)
def test_the_filter_narrows_the_log(client: Client, ada: User, query: str, expected: list[str]) -> None:
    assert names(client.get(PAGE + query)) == expected


@pytest.mark.parametrize(
    "query", ["?area=x", "?days=-1", "?days=%27", "?result=%F0%9F%92%A9", "?area=a&area=x"]
)
def test_what_makes_no_sense_is_left_out(client: Client, ada: User, query: str) -> None:
    assert client.get(PAGE + query).status_code == 200


def test_the_csv_holds_the_rows_of_the_filter(client: Client, ada: User) -> None:
    rows = list(csv.DictReader(io.StringIO(taken(client, "?area=auth&result=stopped"))))

    assert [row["event"] for row in rows] == ["auth.login.fail"]
    assert tuple(rows[0]) == exports.COLUMNS
    assert rows[0]["at"].endswith("+00:00")


def test_the_json_is_one_object_a_line(client: Client, ada: User) -> None:
    rows = [json.loads(line) for line in taken(client, kind="jsonl").splitlines()]

    assert [row["event"] for row in rows] == [
        "account.activity.export",
        "auth.login.succeed",
        "auth.login.fail",
    ]


def test_taking_the_log_away_is_on_record(client: Client, ada: User) -> None:
    taken(client, "?area=auth")

    assert recorded(Stream.user(ada.public_id))[-1] == "account.activity.export"


def test_nothing_of_another_person_is_in_it(client: Client, ada: User) -> None:
    sign_in(Client(), new_person("eve@example.com"))

    assert len(taken(client, kind="jsonl").splitlines()) == 3


def test_an_old_proof_takes_nothing_away(client: Client, ada: User) -> None:
    AccountSession.objects.update(proof_at=timezone.now() - timedelta(minutes=10))

    answer = client.get(PAGE + "export.csv?area=auth")

    assert answer["Location"].startswith("/accounts/verify/?q=")
    assert client.get(PAGE).status_code == 200


@pytest.mark.parametrize("agent", ["=cmd|'/c calc'!A0", "+1", "-1", "@x"])
def test_a_spreadsheet_runs_nothing_of_it(client: Client, ada: User, agent: str) -> None:
    form = {"email": ada.email, "password": "wrong again and again"}
    Client(HTTP_USER_AGENT=agent).post("/accounts/login/", form)

    rows = list(csv.DictReader(io.StringIO(taken(client))))

    assert "'" + agent in [row["user_agent"] for row in rows]
    assert agent not in [row["user_agent"] for row in rows]


def test_a_quarantined_person_takes_nothing_away(client: Client, ada: User) -> None:
    User.objects.update(quarantined_until=timezone.now() + timedelta(hours=1))

    assert client.get(PAGE + "export.csv").status_code == 403
    assert client.get(PAGE).status_code == 200
