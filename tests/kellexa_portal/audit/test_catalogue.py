"""The vocabulary of events is closed."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from kellexa_portal.audit import Stream, catalogue, record
from kellexa_portal.audit.catalogue import AuditEvent, UnknownEventError
from kellexa_portal.audit.checks import every_catalogue_is_registered
from kellexa_portal.core.actor import Actor

from .events import SampleEvent


def declare(name: str, sentence: str = "Something happened.") -> type[AuditEvent]:
    return AuditEvent("DeclaredEvent", {"ONE": (name, sentence)})


def test_registered_event_is_found_by_name_with_its_sentence() -> None:
    event = catalogue.find("sample.thing.done")

    assert event is SampleEvent.DONE
    assert event.sentence == "A thing was done."


def test_registering_twice_is_harmless() -> None:
    catalogue.register(SampleEvent)

    assert catalogue.find("sample.thing.done") is SampleEvent.DONE


@pytest.mark.parametrize(
    "name",
    ["sample", "Sample.done", "sample.done1", "sample..done", "sample.a.b.c.d", "sample.done\n", "a_b.c", ""],
)
def test_malformed_name_is_refused_at_start(name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"area\.object\.verb"):
        catalogue.register(declare(name))


def test_name_of_another_catalogue_is_refused_at_start() -> None:
    with pytest.raises(ImproperlyConfigured, match="twice"):
        catalogue.register(declare("sample.thing.done"))


def test_name_repeated_within_a_catalogue_is_refused_at_start() -> None:
    class Repeating(AuditEvent):
        ONE = "repeating.thing.done", "Done."
        TWO = "repeating.thing.done", "Done again."

    with pytest.raises(ImproperlyConfigured, match="repeats"):
        catalogue.register(Repeating)


def test_event_without_a_sentence_is_refused_at_start() -> None:
    with pytest.raises(ImproperlyConfigured, match="sentence"):
        catalogue.register(declare("silent.thing.done", ""))


def test_refused_catalogue_leaves_nothing_registered() -> None:
    half = AuditEvent("Half", {"GOOD": ("half.thing.done", "Done."), "BAD": ("Half", "Bad.")})

    with pytest.raises(ImproperlyConfigured):
        catalogue.register(half)

    assert catalogue.find("half.thing.done") is None


@pytest.mark.django_db
def test_unregistered_event_cannot_be_recorded(stream: Stream) -> None:
    stranger = declare("stranger.thing.done")

    with pytest.raises(UnknownEventError):
        record(next(iter(stranger)), actor=Actor.system("test"), stream=stream)


@pytest.mark.django_db
def test_bare_text_that_spells_a_known_name_cannot_be_recorded(stream: Stream) -> None:
    with pytest.raises(UnknownEventError):
        record("sample.thing.done", actor=Actor.system("test"), stream=stream)  # type: ignore[arg-type]  # the attack


def test_check_names_a_catalogue_that_was_never_registered() -> None:
    forgotten = declare("forgotten.thing.done")

    found = [error.msg for error in every_catalogue_is_registered(None)]

    assert any(forgotten.__qualname__ in message for message in found)


def test_every_catalogue_of_the_product_is_registered() -> None:
    ours = [
        declared.__qualname__
        for declared in catalogue.unregistered()
        if declared.__module__.split(".")[0] != "tests"
    ]

    assert ours == []
