"""One question for many who want its answer."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from kellexa_portal.operations.kept import Kept


class Asked:
    """A question that counts how often it is asked, and waits for ``may_answer``."""

    def __init__(self) -> None:
        self.times = 0
        self.is_asked = threading.Event()
        self.may_answer = threading.Event()

    def __call__(self) -> int:
        self.times += 1
        self.is_asked.set()
        assert self.may_answer.wait(10)
        return self.times


def test_threads_that_come_while_one_asks_share_its_answer() -> None:
    asked = Asked()
    kept = Kept(asked, seconds=60)

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(kept.get) for _ in range(8)]
        assert asked.is_asked.wait(10)
        asked.may_answer.set()

    assert [answer.result() for answer in answers] == [1] * 8
    assert asked.times == 1


def test_a_slow_answer_is_kept_from_when_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("kellexa_portal.operations.kept.time.monotonic", lambda: clock[0])
    answers = iter(("first", "second"))

    def ask() -> str:
        clock[0] += 5
        return next(answers)

    kept = Kept(ask, seconds=1)

    assert [kept.get(), kept.get()] == ["first", "first"]
    clock[0] += 1
    assert kept.get() == "second"


def test_an_error_is_raised_and_not_kept() -> None:
    results: list[Exception | str] = [RuntimeError("down"), "up"]

    def ask() -> str:
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    kept = Kept(ask, seconds=60)

    with pytest.raises(RuntimeError, match="down"):
        kept.get()
    assert kept.get() == "up"
