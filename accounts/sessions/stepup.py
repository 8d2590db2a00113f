"""The ways to show a factor again, and the questions that wait for one.

What an action demands is said with ``kellexa_portal.web.stepup``, from any app. The ways are registered by
the app that holds the factors (``accounts.mfa``), because it stands above this one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.functional import Promise
from django_otp.models import Device

from accounts.identity.models import User
from accounts.organizations.queries import is_asked_for_passkey
from accounts.sessions.models import AccountSession
from kellexa_portal.web.stepup import Demand, Level, is_met, required, spend

__all__ = ["Demand", "Level", "Question", "Way", "is_met", "register_way", "required", "spend", "ways_of"]

QUESTIONS = "stepup.questions"
MAX_QUESTIONS = 8


@dataclass(frozen=True, slots=True)
class Way:
    """One way to show a factor.

    ``factor`` names its kind as sessions keep it. ``form`` takes what was posted, or ``None``; ``prove``
    takes the valid form and answers the device, or raises a ``DomainError`` whose sentence stands beside
    the form's first field. ``template`` holds the fields alone; ``order`` puts the strongest first.
    """

    factor: str
    label: str | Promise
    is_open_to: Callable[[User], bool]
    form: Callable[[Any], forms.Form]
    template: str
    prove: Callable[[AccountSession, forms.Form], Device]
    order: int = 50
    is_phishing_resistant: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A demand on its way to an answer, and the address to go on at."""

    id: str
    demand: Demand
    back_to: str


_ways: dict[str, Way] = {}


def register_way(way: Way) -> None:
    """Makes a way known; the app that holds the factor calls it when the apps are ready."""
    _ways[way.factor] = way


def ways_of(user: User) -> list[Way]:
    """The ways that ``user`` may use, strongest first.

    Where an organization of theirs asks for passkeys, whoever has one shows it: a code could be typed into a
    false page (reference, step-up S2). Within the grace of that policy, who has none shows what they have.
    """
    ways = sorted((way for way in _ways.values() if way.is_open_to(user)), key=lambda way: way.order)
    resistant = [way for way in ways if way.is_phishing_resistant]
    if resistant and len(resistant) < len(ways) and is_asked_for_passkey(user):
        return resistant
    return ways


def is_factor_enough(user: User, factor: str) -> bool:
    """Whether ``factor``, as sessions name it, counts for ``user`` by the policies of their organizations."""
    way = _ways.get(factor)
    if way is not None and way.is_phishing_resistant:
        return True
    return not is_asked_for_passkey(user) or factor in {way.factor for way in ways_of(user)}


def put(request: HttpRequest, demand: Demand, *, back_to: str) -> Question:
    """Keeps the question with the session: an address that somebody else made can ask for nothing."""
    question = Question(secrets.token_urlsafe(9), demand, back_to)
    latest = list(request.session.get(QUESTIONS, {}).items())[-(MAX_QUESTIONS - 1) :]
    request.session[QUESTIONS] = {
        **dict(latest),
        question.id: [int(demand.level), demand.action, demand.obj, demand.purpose, back_to],
    }
    return question


def find(request: HttpRequest, question_id: str) -> Question:
    """The question of this name; without one, the plain one of somebody who comes by themselves."""
    kept = request.session.get(QUESTIONS, {}).get(question_id)
    if kept is None:
        return Question("", Demand(Level.FACTOR), "")
    level, action, obj, purpose, back_to = kept
    return Question(question_id, Demand(Level(level), action, obj, purpose), back_to)


def close(request: HttpRequest, question: Question) -> None:
    """Forgets an answered question."""
    questions = dict(request.session.get(QUESTIONS, {}))
    if questions.pop(question.id, None) is not None:
        request.session[QUESTIONS] = questions
