"""The plugin that lets other apps' tests write evidence leaves nothing behind."""

from __future__ import annotations

import pytest
from django.db import transaction

from kellexa_portal.audit import Stream, record, record_independently
from kellexa_portal.audit.models import Event, PersonalPart
from kellexa_portal.core import context
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.context import RequestContext

from .events import SampleEvent


def leave_evidence(stream: Stream) -> None:
    assert not Event.objects.exists()
    with context.bound(RequestContext(ip="192.0.2.1")):
        with transaction.atomic():
            record(SampleEvent.DONE, actor=Actor.anonymous(), stream=stream)
        record_independently(SampleEvent.REFUSED, actor=Actor.anonymous(), stream=stream)
    assert PersonalPart.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("time", ["first", "second"])
def test_plain_test_finds_an_empty_log(stream: Stream, time: str) -> None:
    leave_evidence(stream)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("time", ["first", "second"])
def test_transactional_test_finds_an_empty_log(stream: Stream, time: str) -> None:
    leave_evidence(stream)


def test_fixture_without_a_mark_finds_an_empty_log(db: None, stream: Stream) -> None:
    leave_evidence(stream)
