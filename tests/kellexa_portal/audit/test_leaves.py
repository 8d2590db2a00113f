"""The bytes that are hashed are fixed for ever; these vectors were computed with other tools."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from kellexa_portal.audit.canonical import canonical, instant
from kellexa_portal.audit.leaves import Body, Personal, parse_changes

BODY = Body(
    public_id=UUID("0190a5c4-0000-7000-8000-000000000001"),
    schema=1,
    stream_type="system",
    stream_id=UUID(int=0),
    at=datetime(2026, 11, 2, 3, 4, 5, 6, tzinfo=UTC),
    name="sample.thing.done",
    outcome="success",
    reason="",
    actor_type="system",
    actor_id="rotation",
    on_behalf_of="",
    session_id="",
    auth_level=0,
    auth_methods=[],
    auth_at=None,
    target_type="thing",
    target_id="7",
    changes={"name": ["old", "nëw"]},
    request_id="r-1",
    personal_commitment=None,
)


def test_leaf_is_the_hash_of_its_written_out_form() -> None:
    written = (
        '{"actor":{"id":"rotation","on_behalf_of":"","type":"system"},'
        '"at":"2026-11-02T03:04:05.000006Z",'
        '"authentication":{"at":null,"level":0,"methods":[]},'
        '"changes":{"name":["old","nëw"]},'
        '"id":"0190a5c4-0000-7000-8000-000000000001",'
        '"name":"sample.thing.done","outcome":"success","personal":null,"reason":"","request":"r-1",'
        '"schema":1,"session":"","stream":{"id":"00000000-0000-0000-0000-000000000000","type":"system"},'
        '"target":{"id":"7","type":"thing"}}'
    )

    assert BODY.leaf_hash() == hashlib.sha256(b"\x00" + written.encode()).digest()


@pytest.mark.parametrize(
    "other",
    [
        {"outcome": "denied"},
        {"reason": "x"},
        {"at": BODY.at + timedelta(microseconds=1)},
        {"actor_id": "other"},
        {"changes": {"name": ["old", "new"]}},
        {"personal_commitment": bytes(32)},
        {"auth_level": 2},
        {"stream_type": "staff"},
    ],
)
def test_any_other_field_makes_another_leaf(other: dict[str, object]) -> None:
    assert replace(BODY, **other).leaf_hash() != BODY.leaf_hash()


def test_same_instant_in_another_zone_has_one_spelling() -> None:
    here = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))

    assert instant(here) == "2026-01-01T10:00:00.000000Z"


def test_keys_are_ordered_by_utf_16_code_unit() -> None:
    """The example of RFC 8785, section 3.2.3, where code points would order otherwise."""
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]

    ordered = canonical(dict.fromkeys(keys, 0)).decode()

    expected = ["\\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert ordered == "{" + ",".join(f'"{key}":0' for key in expected) + "}"


@pytest.mark.parametrize("value", [1.5, 2**53, b"x", {1}, datetime(2026, 1, 1, tzinfo=UTC)])
def test_value_without_one_spelling_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical({"value": value})


@pytest.mark.parametrize("text", ['{"n": 1.10}', '{"n": 123456789012345678901234567890}'])
def test_stored_changes_that_record_would_not_write_can_be_hashed_all_the_same(text: str) -> None:
    assert replace(BODY, changes=parse_changes(text)).leaf_hash()


def test_commitment_needs_the_salt() -> None:
    personal = Personal(ip="192.0.2.1", ip_prefix="192.0.2.0/24", user_agent="Browser", actor_label="Ann")

    assert personal.commitment(b"a" * 32) != personal.commitment(b"b" * 32)
    assert personal.commitment(b"a" * 32) != replace(personal, ip="192.0.2.2").commitment(b"a" * 32)
