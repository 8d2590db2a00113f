"""A broker that fails costs a request no more than seconds, and an idle worker nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from celery import Celery
from django.conf import settings
from redis import Redis

from kellexa_portal import env
from kellexa_portal.core import jobs

PATIENCE_SECONDS = 5.5  # the two time-outs of the settings, one after the other, and half a second


@contextmanager
def refusing() -> Iterator[int]:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield int(probe.getsockname()[1])


@contextmanager
def silent() -> Iterator[int]:
    """A server that takes every connection and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield int(server.getsockname()[1])


@contextmanager
def unreachable() -> Iterator[int]:
    """A server whose queue is full: the kernel drops what knocks, as a firewall does."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            knocking = stack.enter_context(socket.socket())
            knocking.setblocking(False)
            knocking.connect_ex(server.getsockname())
        yield int(server.getsockname()[1])


@pytest.fixture(params=[refusing, silent, unreachable], ids=lambda failing: failing.__name__)
def failing_broker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """``enqueue`` publishes by the portal's own settings, to a server that does not work."""
    app = Celery(set_as_current=False)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    with request.param() as port:
        app.conf.broker_url = f"redis://127.0.0.1:{port}/0"
        monkeypatch.setattr(jobs, "current_app", app)
        yield


@pytest.mark.django_db
def test_a_request_waits_seconds_at_most_for_a_broker_that_fails(
    failing_broker: None,
    django_capture_on_commit_callbacks: Callable[[], Iterator[list[Callable[[], None]]]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        jobs.enqueue("operations.heartbeat")
    sending = threading.Thread(target=callbacks[0], daemon=True)

    sending.start()
    sending.join(PATIENCE_SECONDS)

    assert not sending.is_alive()
    assert [record.message for record in caplog.records] == ["job_not_sent"]


@pytest.fixture
def worker_log(tmp_path: Path) -> Iterator[Path]:
    """What a worker with the portal's settings says, started and waiting for work."""
    log = tmp_path / "worker.log"
    command = [
        *(sys.executable, "-m", "celery", "-A", "kellexa_portal", "worker", "--loglevel", "INFO"),
        *("--concurrency", "1", "--without-gossip", "--without-mingle"),
    ]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    with log.open("wb") as output:
        worker = subprocess.Popen(
            command, cwd=env.BASE_DIR, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_for(lambda: " ready." in log.read_text(), seconds=60)
        yield log
    finally:
        worker.terminate()
        worker.wait(timeout=30)


def wait_for(happened: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.django_db
def test_a_worker_that_is_idle_for_longer_than_the_time_out_still_takes_work(
    worker_log: Path,
    django_capture_on_commit_callbacks: Callable[..., Iterator[list[Callable[[], None]]]],
) -> None:
    time.sleep(settings.CELERY_BROKER_TRANSPORT_OPTIONS["socket_timeout"] * 2)
    said_while_idle = worker_log.read_text().partition(" ready.")[2].splitlines()[1:]

    with django_capture_on_commit_callbacks(execute=True):
        jobs.enqueue("operations.heartbeat")

    with Redis.from_url(settings.REDIS_URL) as redis:
        key = f"{settings.REDIS_KEY_PREFIX}operations:heartbeat"
        wait_for(lambda: bool(redis.exists(key)), seconds=10)
    assert said_while_idle == []
