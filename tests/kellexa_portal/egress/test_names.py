"""TXT records, asked of a name server on the loopback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kellexa_portal.egress import NamesUnavailable, names, texts_of
from tests.support.name_server import NameServer

NAME = "_kellexa-domain.example.com"


@pytest.fixture
def server(settings: Any) -> Iterator[NameServer]:
    with NameServer() as server:
        settings.DNS_RESOLVERS = (server.address,)
        yield server


def test_records_are_found(server: NameServer) -> None:
    server.texts[NAME] = ["first", "second one"]

    assert sorted(texts_of(NAME)) == ["first", "second one"]


def test_no_record_is_a_definite_answer(server: NameServer) -> None:
    assert texts_of(NAME) == []


@pytest.mark.parametrize("fault", ["is_broken", "is_silent"])
def test_a_server_that_fails_says_nothing(
    server: NameServer, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "LIFETIME_SECONDS", 0.3)
    setattr(server, fault, True)

    with pytest.raises(NamesUnavailable):
        texts_of(NAME)
