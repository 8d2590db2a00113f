"""The page that a person meets at an organization which a policy has closed to them."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.organizations import queries
from accounts.organizations.access import OrganizationClosed


class ClosedOrganizationMiddleware:
    """Answers ``OrganizationClosed`` with what to do; nobody is expelled, and one's account stays open."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, OrganizationClosed):
            return None
        place = exception.membership
        context = {
            "membership": place,
            "organization": place.organization,
            "due_at": queries.mfa_policy_of(place.organization).due_at(place),
            "others": [other for other in queries.places_of(request) if other.pk != place.pk],
        }
        response = render(request, "accounts/organizations/closed.html", context, status=HTTPStatus.FORBIDDEN)
        response["Cache-Control"] = "no-store, private"
        return response
