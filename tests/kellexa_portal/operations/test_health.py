"""Liveness and readiness, with dependencies that are really gone."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client, override_settings
from django.utils import timezone

from kellexa_portal.operations import health
from kellexa_portal.operations.kept import Kept
from kellexa_portal.operations.tasks import heartbeat

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test asks anew, however soon after its neighbour."""
    monkeypatch.setattr(health, "_health", Kept(health._ask, seconds=health.ANSWER_KEPT_SECONDS))


@pytest.fixture
def connections_opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kind of each connection that the probes open from now on."""
    opened: list[str] = []
    for kind in ("_database", "_redis"):
        real = getattr(health, kind)

        def open_one(kind: str = kind, real: Any = real) -> Any:
            opened.append(kind)
            return real()

        monkeypatch.setattr(health, kind, open_one)
    return opened


@pytest.fixture
def closed_port() -> int:
    """A port on this machine that refuses connections."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def database_is_gone(closed_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "PORT", closed_port)


@pytest.fixture
def redis_is_gone(closed_port: int) -> Iterator[None]:
    with override_settings(REDIS_URL=f"redis://127.0.0.1:{closed_port}/0"):
        yield


def test_a_working_portal_is_ready(client: Client) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["status"] == "ready"
    assert answer.json()["dependencies"] == {"database": "ok", "migrations": "ok", "redis": "ok"}


def test_a_refused_database_makes_the_portal_unready(client: Client, database_is_gone: None) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["dependencies"] == {"database": "down", "migrations": "down", "redis": "ok"}


def test_a_refused_redis_makes_the_portal_unready(client: Client, redis_is_gone: None) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["dependencies"]["redis"] == "down"
    assert answer.json()["jobs"] == {"status": "unknown", "last_heartbeat_at": None}


def test_an_answer_about_a_gone_dependency_names_no_address(
    client: Client, database_is_gone: None, redis_is_gone: None, closed_port: int
) -> None:
    body = client.get("/readyz").content.decode()

    assert "127.0.0.1" not in body
    assert str(closed_port) not in body
    assert connection.settings_dict["NAME"] not in body


@pytest.mark.django_db(transaction=True)
def test_a_migration_that_is_not_applied_makes_the_portal_unready(client: Client) -> None:
    applied = MigrationRecorder.Migration.objects.filter(app="sessions", name="0001_initial").get()
    applied.delete()
    try:
        answer = client.get("/readyz")
    finally:
        MigrationRecorder.Migration.objects.create(
            app=applied.app, name=applied.name, applied=applied.applied
        )

    assert answer.status_code == 503
    assert answer.json()["dependencies"]["migrations"] == "down"


def test_a_living_process_says_so_although_everything_else_is_gone(
    client: Client, database_is_gone: None, redis_is_gone: None
) -> None:
    answer = client.get("/healthz")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_no_answer_is_kept_by_a_cache(client: Client, path: str) -> None:
    answer = client.get(path)

    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_other_methods_are_refused(client: Client, path: str) -> None:
    answer = client.post(path)

    assert answer.status_code == 405


def test_work_that_never_ran_is_reported_and_does_not_make_the_portal_unready(client: Client) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["jobs"] == {"status": "down", "last_heartbeat_at": None}


def test_a_heartbeat_shows_that_work_is_done(client: Client) -> None:
    heartbeat()

    jobs = client.get("/readyz").json()["jobs"]

    assert jobs["status"] == "ok"
    assert jobs["last_heartbeat_at"] is not None


def test_a_heartbeat_that_stays_away_is_reported_as_late() -> None:
    health.record_heartbeat(now=timezone.now() - timedelta(minutes=5))

    assert health.jobs(now=timezone.now())["status"] == "late"


def test_a_heartbeat_that_is_no_time_is_unknown() -> None:
    with health._redis() as redis:
        redis.set(f"{settings.REDIS_KEY_PREFIX}operations:heartbeat", b"\xffnever")

    assert health.jobs(now=timezone.now()) == {"status": "unknown", "last_heartbeat_at": None}


def test_a_flood_of_probes_opens_no_more_connections_than_one(
    client: Client, connections_opened: list[str]
) -> None:
    client.get("/readyz")
    after_one = list(connections_opened)

    answers = [client.get("/readyz") for _ in range(20)]

    assert after_one
    assert connections_opened == after_one
    assert {answer.status_code for answer in answers} == {200}


def test_after_a_second_a_probe_asks_anew(
    client: Client, closed_port: int, monkeypatch: pytest.MonkeyPatch, connections_opened: list[str]
) -> None:
    clock = [100.0]
    monkeypatch.setattr("kellexa_portal.operations.kept.time.monotonic", lambda: clock[0])
    assert client.get("/readyz").status_code == 200

    with override_settings(REDIS_URL=f"redis://127.0.0.1:{closed_port}/0"):
        clock[0] += 0.9
        still_kept = client.get("/readyz").status_code
        clock[0] += 0.1
        asked_anew = client.get("/readyz").status_code

    assert (still_kept, asked_anew) == (200, 503)


@override_settings(SECURE_SSL_REDIRECT=True)
def test_a_probe_needs_no_encryption(client: Client) -> None:
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(("peer", "status"), [("10.0.0.1", 200), ("192.0.2.9", 301)])
@override_settings(
    SECURE_SSL_REDIRECT=True,
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    TRUSTED_PROXIES=("10.0.0.0/8",),
)
def test_only_a_trusted_proxy_vouches_for_encryption(client: Client, peer: str, status: int) -> None:
    answer = client.get("/accounts/login/", HTTP_X_FORWARDED_PROTO="https", REMOTE_ADDR=peer)

    assert answer.status_code == status


def test_a_file_is_refused_before_it_is_stored(client: Client) -> None:
    answer = client.post("/accounts/login/", {"email": SimpleUploadedFile("a.bin", b"x" * 100)})

    assert answer.status_code == 400


def test_the_heartbeat_has_its_key_under_the_portals_prefix() -> None:
    heartbeat()

    with health._redis() as redis:
        assert redis.exists(f"{settings.REDIS_KEY_PREFIX}operations:heartbeat") == 1
