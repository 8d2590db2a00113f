"""Attacks that ask which addresses have an account, by status, by page and by time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.identity.models import PendingSignIn, User
from kellexa_portal.mail.models import OutboxMail
from tests.accounts.attacks.stranger import LOGIN, RESET, SIGNUP, WRONG, without_traces
from tests.accounts.identity.mailbox import kinds_to
from tests.accounts.identity.wishes import wish
from tests.factories import accounts
from tests.hashers import CountingArgon2PasswordHasher

pytestmark = pytest.mark.django_db

ROUNDS = 7
COUNTING = ["tests.hashers.CountingArgon2PasswordHasher"]

KINDS: dict[str, Callable[[str], Any]] = {
    "known": lambda email: accounts.user(email=email),
    "unknown": lambda email: None,
    "inactive": lambda email: accounts.user(email=email, is_inactive=True),
    "without a password": lambda email: accounts.user(email=email, has_no_password=True),
    "staff": lambda email: accounts.staff(email=email),
}
PAGES = {
    "sign-in": (LOGIN, lambda email: {"email": email, "password": WRONG}),
    "reset": (RESET, lambda email: {"email": email}),
    "sign-up": (SIGNUP, lambda email: wish(email=email)),
}
UNTOLD = {"X-Request-Id", "Content-Length", "Expires"}


def _address(kind: str, number: int = 0) -> str:
    return f"{kind.replace(' ', '.')}.{number}@customer.example"


def _ask(page: str, email: str, *, ip: str = "203.0.113.5") -> HttpResponse:
    address, form = PAGES[page]
    return Client().post(address, form(email), REMOTE_ADDR=ip)


def _headers(answer: HttpResponse) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in UNTOLD}


@pytest.mark.parametrize("page", PAGES)
def test_no_answer_tells_who_has_an_account(page: str) -> None:
    """Case 30 (TOB-PYPI26-5, Weblate CVE-2017-5537): one status, one page, the same headers and cookies."""
    answers = {}
    for kind, make in KINDS.items():
        make(_address(kind))
        answers[kind] = _ask(page, _address(kind))

    told = {
        (
            answer.status_code,
            without_traces(answer, _address(kind)),
            tuple(sorted(_headers(answer).items())),
            tuple(sorted(answer.cookies)),
        )
        for kind, answer in answers.items()
    }
    assert len(told) == 1
    assert not PendingSignIn.objects.exists()


@pytest.mark.parametrize("page", ["reset", "sign-up"])
def test_no_page_that_follows_tells_who_has_an_account(page: str) -> None:
    """Case 30 (Weblate CVE-2017-5537): where the answer leads is the same page too."""
    followed = set()
    for kind, make in KINDS.items():
        make(_address(kind))
        address, form = PAGES[page]
        answer = Client().post(address, form(_address(kind)), follow=True)
        followed.add((answer.status_code, without_traces(answer, _address(kind))))

    assert len(followed) == 1


def test_a_right_password_of_a_shut_account_is_refused_like_a_wrong_one() -> None:
    """Case 30 (Django CVE-2024-39329): nor is it told that the password was right."""
    email = _address("inactive")
    KINDS["inactive"](email)

    wrong, right = (
        Client().post(LOGIN, {"email": email, "password": word}) for word in (WRONG, accounts.PASSWORD)
    )

    assert (wrong.status_code, right.status_code) == (422, 422)
    assert without_traces(wrong) == without_traces(right)


@pytest.mark.parametrize("page", PAGES)
def test_no_budget_tells_who_has_an_account(page: str) -> None:
    """Case 30 (TOB-PYPI26-5): the refusal for too many tries comes after the same number for everybody."""
    statuses = set()
    for kind, make in KINDS.items():
        make(_address(kind))
        statuses.add(
            tuple(
                _ask(page, _address(kind), ip=f"203.0.{list(KINDS).index(kind)}.{number}").status_code
                for number in range(7)
            )
        )

    assert len(statuses) == 1


@pytest.mark.parametrize("page", PAGES)
def test_no_answer_costs_another_number_of_hashes(page: str, settings) -> None:
    """Case 30 (Django CVE-2024-39329): exactly one Argon2id computation, whoever is asked for."""
    settings.PASSWORD_HASHERS = COUNTING
    cost = {}
    for kind, make in KINDS.items():
        make(_address(kind))
        CountingArgon2PasswordHasher.computed = 0
        _ask(page, _address(kind))
        cost[kind] = CountingArgon2PasswordHasher.computed

    assert cost == dict.fromkeys(KINDS, 1)


@pytest.mark.parametrize("page", PAGES)
def test_no_answer_takes_another_median_time(page: str, settings) -> None:
    """Case 30 (TOB-PYPI26-5): measured side by side, at OWASP's least cost, where all else weighs most.

    The rounds are interleaved and compared within themselves, so that a busy machine slows all alike.
    """
    settings.PASSWORD_HASHERS = COUNTING
    ratios: dict[str, list[float]] = defaultdict(list)
    for number in range(ROUNDS):
        for kind, make in KINDS.items():
            make(_address(kind, number))
        took = {}
        for kind in KINDS:
            begun = perf_counter()
            _ask(page, _address(kind, number), ip=f"198.51.{number}.{len(took)}")
            took[kind] = perf_counter() - begun
        for kind, seconds in took.items():
            ratios[kind].append(seconds / took["known"])

    medians = {kind: median(found) for kind, found in ratios.items()}
    assert all(0.5 < ratio < 2 for ratio in medians.values()), medians


def test_only_the_owner_of_the_mailbox_learns_that_there_is_an_account() -> None:
    """Case 30 (Weblate CVE-2017-5537): by mail, which a stranger does not read."""
    for kind, make in KINDS.items():
        make(_address(kind))
        _ask("sign-up", _address(kind))
        _ask("reset", _address(kind))

    mails = {kind: kinds_to(_address(kind)) for kind in KINDS}
    both = ["accounts.already_registered", "accounts.password_reset"]
    assert mails == {
        "known": both,
        "unknown": ["accounts.confirm_address"],
        "inactive": both[:1],
        "without a password": both,
        "staff": both,
    }
    assert User.objects.count() == len(KINDS) - 1
    assert OutboxMail.objects.count() == sum(map(len, mails.values()))
