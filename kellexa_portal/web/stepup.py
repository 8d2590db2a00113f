"""Step-up: a view names how recently, and how strongly, the person must have shown who they are.

The question is asked here, below every app; the answer is given by the keeper that
``accounts.sessions`` registers. Without a keeper nothing is ever met: closed by default.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from kellexa_portal.core.errors import DomainError, Fault

HELD = "stepup.held"
HELD_MAX = 16 * 1024
UNHELD = ("csrfmiddlewaretoken", "password", "code", "secret", "token", "credential")


class Level(IntEnum):
    """How much an action asks for, weakest first."""

    RECENT = 1
    """Any proof within the last minutes."""
    FACTOR = 2
    """An enrolled second factor within the last minutes; never a password or a recovery code."""
    ONCE = 3
    """An enrolled second factor shown now, for exactly this action on exactly this object."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What has to be shown; ``action``, ``obj`` and ``purpose`` are for ``Level.ONCE`` alone."""

    level: Level
    action: str = ""
    obj: str = ""
    purpose: str = ""


class StepUpRequired(DomainError):
    """The person has to show a factor first; ``web`` leads them there and back."""

    code = "auth.stepup.required"
    fault = Fault.FORBIDDEN
    message = _("Show that it is you before you go on.")

    def __init__(self, demand: Demand) -> None:
        super().__init__()
        self.demand = demand


class Keeper(Protocol):
    """Who remembers proofs and asks for new ones."""

    def is_met(self, request: HttpRequest, demand: Demand) -> bool: ...

    def spend(self, request: HttpRequest, demand: Demand) -> bool: ...

    def ask(self, request: HttpRequest, demand: Demand, *, back_to: str) -> HttpResponse: ...


_keepers: list[Keeper] = []


def register_keeper(keeper: Keeper) -> None:
    """Makes ``keeper`` the one that answers. Called once, when the apps are ready."""
    _keepers[:] = [keeper]


def is_met(request: HttpRequest, level: Level) -> bool:
    """Whether the session has shown enough for ``level`` by now."""
    return bool(_keepers) and _keepers[0].is_met(request, Demand(level))


def required(
    level: Level, *, back_to: str = "", writes_only: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Asks for ``level`` before the view runs; stands below the gate and above the allowed methods.

    Afterwards the person is back at this address, with what they had typed; ``back_to`` names the page
    to return to where the address itself takes no GET, or is ``..`` for the address above it.
    ``writes_only`` leaves reading free.
    """

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            is_read = request.method in {"GET", "HEAD"}
            if not (writes_only and is_read) and not is_met(request, level):
                return ask(request, Demand(level), back_to=_address(request, back_to))
            return view(request, *args, **kwargs)

        return inner

    return decorate


def spend(request: HttpRequest, *, action: str, obj: str, purpose: str | Promise = "") -> None:
    """Uses up the one proof that was given for ``action`` on ``obj``; raises ``StepUpRequired`` without one.

    Call it in the transaction of the action, so that a failure gives the proof back. ``purpose`` tells the
    person what they are about to confirm, as a sentence.
    """
    demand = Demand(Level.ONCE, action, obj, str(purpose))
    if not _keepers or not _keepers[0].spend(request, demand):
        raise StepUpRequired(demand)


def prepare(request: HttpRequest, *, action: str, obj: str, purpose: str | Promise = "") -> None:
    """Asks before the form for what ``spend`` will use up after it; raises ``StepUpRequired`` without it."""
    demand = Demand(Level.ONCE, action, obj, str(purpose))
    if not _keepers or not _keepers[0].is_met(request, demand):
        raise StepUpRequired(demand)


def _address(request: HttpRequest, back_to: str) -> str:
    if back_to == "..":
        return request.path.rstrip("/").rpartition("/")[0] + "/"
    return reverse(back_to) if back_to else ""


def ask(request: HttpRequest, demand: Demand, *, back_to: str = "") -> HttpResponse:
    """Leads to the page that asks for a factor and from there back to ``back_to``, or to this address."""
    if not _keepers:
        raise StepUpRequired(demand)
    here = request.get_full_path() if request.method in {"GET", "HEAD"} else request.path
    target = back_to or here
    if request.method == "POST":
        _hold(request, path=target)
    return _keepers[0].ask(request, demand, back_to=target)


def _hold(request: HttpRequest, *, path: str) -> None:
    """Keeps what was typed for the way back, but no secret; a form too large to keep is forgotten."""
    kept = request.POST.copy()
    for name in list(kept):
        if any(word in name for word in UNHELD):
            del kept[name]
    text = kept.urlencode()
    if text and len(text) <= HELD_MAX:
        request.session[HELD] = {"path": path, "form": text}


def held_form(request: HttpRequest) -> QueryDict | None:
    """What was typed at this address before the step-up, once."""
    held = request.session.get(HELD) if hasattr(request, "session") else None
    if not held or held["path"] != request.path or request.method not in {"GET", "HEAD"}:
        return None
    del request.session[HELD]
    return QueryDict(held["form"])
