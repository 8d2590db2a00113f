"""Answers what ``kellexa_portal.web.stepup`` asks, from the session that the request came with."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from accounts.sessions import actions, queries, rules, stepup
from accounts.sessions.queries import current_session
from kellexa_portal.web.stepup import Demand, Level


class SessionKeeper:
    """Remembers proofs on the session's row and asks for new ones on one page."""

    def is_met(self, request: HttpRequest, demand: Demand) -> bool:
        session = current_session(request)
        if session is None:
            return False
        if demand.level is Level.ONCE:
            return queries.open_grants(session, action=demand.action, obj=demand.obj).exists()
        now = timezone.now()
        if demand.level is Level.RECENT:
            return rules.is_recent(session.proof_at, now=now)
        is_recent = rules.is_recent(session.factor_at, now=now)
        return is_recent and stepup.is_factor_enough(queries.person_of(request), session.factor)

    def spend(self, request: HttpRequest, demand: Demand) -> bool:
        session = current_session(request)
        return session is not None and actions.spend_grant(session=session, demand=demand)

    def ask(self, request: HttpRequest, demand: Demand, *, back_to: str) -> HttpResponse:
        question = stepup.put(request, demand, back_to=back_to)
        address = f"{reverse('sessions:verify')}?{urlencode({'q': question.id})}"
        return HttpResponseRedirect(address, status=303)
