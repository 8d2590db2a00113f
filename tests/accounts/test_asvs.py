"""docs/asvs.md keeps its word: every id is there, every named test exists, and what it promises is so."""

from __future__ import annotations

import ast
import importlib
import math
import re
import string
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.hashers import get_hasher
from django.test import Client, override_settings
from django.utils import timezone

from accounts.identity import passwords
from accounts.identity.models import User
from accounts.sessions.models import AccountSession
from accounts.sessions.rules import METHODS
from tests.accounts.attacks.stranger import VERIFY, is_signed_in, key_of
from tests.factories.sign_in import enrolled, new_person, oathtool, prove_password, sign_in

ROOT = Path(settings.BASE_DIR)
DOCUMENT = ROOT / "docs" / "asvs.md"
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| (.+?) \| (.+?) \|$", re.MULTILINE)
SHOWN = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
OPEN = re.compile(r"(?:gap|not applicable): .+")

PLAN = """
    6.1.1-3 7.1.1-3 8.1.1-2 16.1.1 6.2.1-12 6.3.1-5 6.3.7-8 6.4.1-4 6.4.6 6.5.1-6 6.7.2 6.6.2-3 7.2.1-4
    7.3.1-2 7.4.1-5 7.5.1-3 2.3.1-5 8.2.1-4 8.3.1-2 8.4.1-2 11.1.1-2 11.2.1-3 11.3.1-3 11.4.1-4 11.5.1
    2.4.1 15.4.2 3.3.1-4 3.4.1-6 3.5.1-3 14.2.1-4 14.3.1-3 14.2.7 15.3.1 15.3.3-4 16.2.1-5 16.3.1-4
    16.4.1-3 16.5.1-4
"""
OWASP_LEAST = {"memory_cost": 19 * 1024, "time_cost": 2, "parallelism": 1}


def _text() -> str:
    return DOCUMENT.read_text(encoding="utf-8")


def _planned() -> set[str]:
    ids = set()
    for span in PLAN.split():
        first, _, last = span.partition("-")
        section, _, number = first.rpartition(".")
        ids |= {f"{section}.{count}" for count in range(int(number), int(last or number) + 1)}
    return ids


@cache
def _tests_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


# --- The document ---------------------------------------------------------------------------------


def test_every_id_of_the_plan_stands_in_the_document_once() -> None:
    ids = [found[0] for found in ROW.findall(_text())]

    assert len(ids) == len(set(ids))
    assert set(ids) == _planned()


def test_every_id_is_shown_or_an_honest_gap() -> None:
    silent = []
    for found in ROW.findall(_text()):
        rest = re.sub(r"^[, ]+", "", SHOWN.sub("", found[2]))
        if (rest and not OPEN.fullmatch(rest)) or (not rest and not SHOWN.search(found[2])):
            silent.append(found)

    assert silent == []


def test_every_named_test_exists() -> None:
    named = set(SHOWN.findall(_text()))

    missing = [
        f"{path}::{name}"
        for path, name in sorted(named)
        if not (ROOT / path).exists() or name not in _tests_in(path)
    ]
    assert len(named) > 100
    assert missing == []


def test_the_documented_words_are_the_refused_ones() -> None:
    section = _text().split("### Words that no password may hold")[1].split("###")[0]

    assert tuple(re.findall(r"`(\w+)`", section)) == passwords.SERVICE_WORDS
    assert passwords.MIN_CONTEXT_WORD == 4
    assert "at least four letters" in section


def test_the_documented_ways_to_sign_in_are_the_ones_there_are() -> None:
    section = _text().split("### Ways to sign in")[1].split("###")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|$", section, re.MULTILINE)

    assert {way: tuple(re.findall(r"`(\w+)`", methods)) for way, methods in rows} == METHODS
    assert set(METHODS) == set(AccountSession.Method.values)
    assert {way for way, methods in METHODS.items() if "mfa" not in methods} == {"trusted"}


# --- Passwords ------------------------------------------------------------------------------------


def test_passwords_are_hashed_at_no_less_than_owasps_cost() -> None:
    """The settings of production, since those of this run are cheap; and what a hash then really says."""
    production = importlib.import_module("kellexa_portal.settings")
    with override_settings(PASSWORD_HASHERS=production.PASSWORD_HASHERS):
        decoded = get_hasher().decode(passwords.make("quarry-lantern-orchid-77"))

    assert (decoded["algorithm"], decoded["variety"]) == ("argon2", "argon2id")
    assert {name: decoded[name] >= least for name, least in OWASP_LEAST.items()} == dict.fromkeys(
        OWASP_LEAST, True
    )
    cost = f"m={decoded['memory_cost']}, t={decoded['time_cost']}, p={decoded['parallelism']}"
    assert f"| `{cost}` (the portal) |" in _text()


@pytest.mark.django_db
def test_an_old_password_is_not_refused_for_its_age(client: Client) -> None:
    person = new_person()
    device = enrolled(person)
    User.objects.update(password_changed_at=timezone.now().replace(year=2015))

    prove_password(client, person)
    client.post(VERIFY, {"code": oathtool(device.open_seed())})

    assert is_signed_in(client)


@pytest.mark.django_db
def test_no_account_exists_before_somebody_asks_for_one() -> None:
    """After every migration, data ones included."""
    assert not User.objects.exists()


# --- Sessions and browsers ------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_session_key_has_more_than_128_bits(client: Client) -> None:
    person = new_person()
    keys = set()
    for _ in range(20):
        sign_in(client, person)
        keys.add(key_of(client))

    alphabet = string.ascii_lowercase + string.digits
    assert len(keys) == 20
    assert all(set(key) <= set(alphabet) for key in keys)
    assert min(map(len, keys)) * math.log2(len(alphabet)) > 128


def test_no_script_keeps_anything_in_the_browser() -> None:
    scripts = [
        path
        for folder in ("kellexa_portal", "accounts")
        for path in (ROOT / folder).rglob("*.js")
        if "vendor" not in path.parts
    ]

    keeping = [
        path.name
        for path in scripts
        if re.search(r"localStorage|sessionStorage|indexedDB|document\.cookie|caches\.open", path.read_text())
    ]
    assert len(scripts) > 5
    assert keeping == []
