"""What the person sees of a recovery: how it goes, what is under way, the two links that mails carry."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts.recovery import queries, rules
from accounts.recovery.actions import errors, evidence, finishing, stopping
from accounts.sessions.queries import person_of
from kellexa_portal.core.actor import Actor
from kellexa_portal.web import gates
from kellexa_portal.web.methods import require_http_methods, require_safe

FOLDER = "accounts/recovery"
PERIODS = {"wait_hours": int(rules.WAIT.total_seconds() // 3600)}


@gates.own_account
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """The recovery that is under way for the person; cancels it by POST without asking for anything more."""
    person = person_of(request)
    if request.method == "POST":
        try:
            stopping.cancel(actor=Actor.of(person), user=person)
        except errors.NothingToCancelError as error:
            messages.info(request, error.sentence())
        else:
            messages.success(request, _("The recovery is cancelled. Nothing was changed."))
        return HttpResponseRedirect(reverse("recovery:page"), status=303)
    case = queries.unfinished_of(person)
    return render(request, f"{FOLDER}/page.html", {"case": case, "person": person, **PERIODS})


@gates.public
@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """What to do when every way in is lost; the same for everybody."""
    return render(request, f"{FOLDER}/help.html", PERIODS)


@gates.public
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def cancel_link(request: HttpRequest, token: str) -> HttpResponse:
    """Shows at GET which recovery the link cancels, cancels it at POST: mail scanners follow links."""
    if request.method == "POST":
        try:
            stopping.cancel_by_link(token=token)
        except errors.LinkDeadError:
            return _dead_link(request)
        return HttpResponseRedirect(request.path, status=303)
    found = queries.link_to_cancel(token)
    if found is None:
        evidence.note_dead_link(token=token)
        return _dead_link(request)
    case = queries.unfinished_of(found.case.user)
    is_open = case is not None and case.pk == found.case_id
    context = {"case": found.case, "account": found.case.user, "is_open": is_open}
    return render(request, f"{FOLDER}/cancel.html", context)


@gates.public
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def finish(request: HttpRequest, token: str) -> HttpResponse:
    """Shows at GET what the link takes away, takes it away at POST, once."""
    if request.method == "POST":
        try:
            finishing.finish(token=token)
        except errors.LinkDeadError:
            return _dead_link(request)
        return HttpResponseRedirect(reverse("recovery:done"), status=303)
    case = queries.case_behind(token)
    if case is None or not finishing.is_usable(case):
        evidence.note_dead_link(token=token)
        return _dead_link(request)
    return render(request, f"{FOLDER}/finish.html", {"case": case, "account": case.user})


@gates.public
@require_safe
@never_cache
def done(request: HttpRequest) -> HttpResponse:
    """What to do after a recovery; the same for everybody, so that it tells nobody anything."""
    return render(request, f"{FOLDER}/done.html")


def _dead_link(request: HttpRequest) -> HttpResponse:
    return render(request, f"{FOLDER}/link_dead.html", status=HTTPStatus.NOT_FOUND)
