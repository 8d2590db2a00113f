"""Where a mailed invitation leads: into the organization, or to what has to come before."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.shortcuts import render as render_page
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts.identity import pending
from accounts.identity.actions.invited import AddressTakenError
from accounts.identity.models import User
from accounts.identity.queries import account_of
from accounts.organizations import actions, queries, rules
from accounts.organizations.forms import JoinForm
from accounts.organizations.models import Invitation
from accounts.organizations.views.places import READ_WRITE
from kellexa_portal.core.actor import Actor
from kellexa_portal.web import forms as web_forms
from kellexa_portal.web import gates
from kellexa_portal.web.methods import require_http_methods

FOLDER = "accounts/organizations"


@gates.public
@require_http_methods(READ_WRITE)
@never_cache
@sensitive_post_parameters("password")
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Shows at GET, acts at POST, since mail scanners follow links."""
    person = request.user if gates.is_verified(request) and isinstance(request.user, User) else None
    found = queries.live_invitation(token)
    if found is None:
        return _dead_link(request, person, token)
    try:
        if person is not None:
            return _as_member_to_be(request, person, found, token)
        return _as_stranger(request, found, token)
    except actions.InvitationDead:
        return _dead_link(request, person, token)


def _dead_link(request: HttpRequest, person: User | None, token: str) -> HttpResponse:
    actor = Actor.of(person) if person else Actor.anonymous()
    actions.note_dead_invitation(actor=actor, token=token)
    return render_page(request, f"{FOLDER}/invitation_dead.html", status=HTTPStatus.NOT_FOUND)


def _as_member_to_be(request: HttpRequest, person: User, found: Invitation, token: str) -> HttpResponse:
    """A button for the person who was invited; advice, and nothing of the offer, for anybody else."""
    if request.method == "POST":
        try:
            membership = actions.accept(actor=Actor.of(person), user=person, token=token)
        except actions.AnotherAddress:
            return _for_another(request, person)
        queries.choose(request, membership)
        messages.success(request, _("You joined %(name)s.") % {"name": found.organization.name})
        return redirect("organizations:detail")
    if not rules.is_address_of(person.email, found.email):
        return _for_another(request, person)
    return render_page(request, f"{FOLDER}/invitation.html", {"invitation": found})


def _for_another(request: HttpRequest, person: User) -> HttpResponse:
    template = f"{FOLDER}/invitation_for_another.html"
    return render_page(request, template, {"person": person}, status=HTTPStatus.FORBIDDEN)


def _as_stranger(request: HttpRequest, found: Invitation, token: str) -> HttpResponse:
    """The sign-in for an address with an account, else the form for one.

    Which of them tells only the holder of the link, to whom the address belongs.
    """
    if account_of(found.email) is not None:
        return _sign_in_first(request, found)
    form = JoinForm(request.POST if request.method == "POST" else None, invitation=found)
    if form.is_bound and form.is_valid():
        try:
            membership = actions.accept_as_newcomer(token=token, **form.cleaned_data)
        except AddressTakenError:
            return _sign_in_first(request, found)
        pending.start(request, user=membership.user, next_url="")
        return redirect("mfa:verify")
    context = {"invitation": found}
    return web_forms.render(request, f"{FOLDER}/invitation_newcomer.html", context, form=form)


def _sign_in_first(request: HttpRequest, found: Invitation) -> HttpResponse:
    status = HTTPStatus.CONFLICT if request.method == "POST" else HTTPStatus.OK
    context = {"invitation": found, "here": request.path}
    return render_page(request, f"{FOLDER}/invitation_sign_in.html", context, status=status)
