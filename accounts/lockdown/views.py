"""The alarm for who is signed in, the alarm for who holds a notice, and the way back."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import auth, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render as render_page
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache

from accounts.credentials.queries import suspended_of
from accounts.identity.models import User
from accounts.lockdown import actions, queries
from accounts.lockdown.forms import KeysForm
from accounts.sessions.queries import person_of
from kellexa_portal.core.actor import Actor
from kellexa_portal.web import gates, stepup
from kellexa_portal.web.forms import render
from kellexa_portal.web.methods import require_http_methods, require_safe

FOLDER = "accounts/lockdown"
LIFT_PURPOSE = gettext_lazy("Lift the lock-down of your account.")
KEYS_PURPOSE = gettext_lazy("Bring suspended API keys back.")


@gates.own_account
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """What a lock-down does, or what it did; locks down by POST, without asking for anything more."""
    person = person_of(request)
    if request.method == "POST":
        actions.raise_alarm(actor=Actor.of(person), user=person)
        auth.logout(request)
        return HttpResponseRedirect(reverse("lockdown:done"), status=303)
    suspended = suspended_of(person, now=timezone.now())
    return _page(request, person, KeysForm(keys=suspended, required=person.locked_at is None))


def _page(request: HttpRequest, person: User, form: KeysForm) -> HttpResponse:
    context = {"lockdown": queries.open_lockdown_of(person), "person": person}
    return render(request, f"{FOLDER}/page.html", context, form=form)


@gates.own_account
@require_http_methods(["GET", "HEAD", "POST"])
def lift(request: HttpRequest) -> HttpResponse:
    """Lifts the lock-down after a factor was shown for exactly that."""
    person = person_of(request)
    lockdown = queries.open_lockdown_of(person)
    if lockdown is None:
        return HttpResponseRedirect(reverse("lockdown:page"), status=303)
    suspended = suspended_of(person, now=timezone.now())
    form = KeysForm(request.POST if request.method == "POST" else None, keys=suspended)
    if not form.is_valid():
        return _page(request, person, form)
    with transaction.atomic():
        stepup.spend(request, action="lockdown.lift", obj=str(lockdown.public_id), purpose=LIFT_PURPOSE)
        lifted = actions.lift(actor=Actor.of(person), user=person, key_ids=form.cleaned_data.get("keys", []))
    messages.success(request, _lifted_sentence(len(lifted.resumed)))
    return HttpResponseRedirect(reverse("lockdown:page"), status=303)


def _lifted_sentence(count: int) -> str:
    if not count:
        return _("The lock-down is lifted.")
    sentence = ngettext(
        "The lock-down is lifted. %(count)d key works again.",
        "The lock-down is lifted. %(count)d keys work again.",
        count,
    )
    return sentence % {"count": count}


@gates.own_account
@require_http_methods(["GET", "HEAD", "POST"])
def keys(request: HttpRequest) -> HttpResponse:
    """Brings back keys that stayed suspended, after a factor was shown for exactly that."""
    person = person_of(request)
    suspended = suspended_of(person, now=timezone.now())
    if queries.open_lockdown_of(person) is not None or not suspended:
        return HttpResponseRedirect(reverse("lockdown:page"), status=303)
    form = KeysForm(request.POST if request.method == "POST" else None, keys=suspended, required=True)
    if not form.is_valid():
        return _page(request, person, form)
    with transaction.atomic():
        stepup.spend(request, action="lockdown.keys", obj=str(person.public_id), purpose=KEYS_PURPOSE)
        resumed = actions.bring_keys_back(
            actor=Actor.of(person), user=person, key_ids=form.cleaned_data["keys"]
        )
    count = len(resumed)
    messages.success(
        request,
        ngettext("%(count)d key works again.", "%(count)d keys work again.", count) % {"count": count},
    )
    return HttpResponseRedirect(reverse("lockdown:page"), status=303)


@gates.public
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def link(request: HttpRequest, token: str) -> HttpResponse:
    """Shows at GET what the link of a notice does, does it at POST: mail scanners follow links."""
    if request.method == "POST":
        return _follow(request, token)
    found = queries.link_of(token)
    if found is None or (found.spent_at is None and found.expires_at <= timezone.now()):
        actions.note_dead_link(token=token)
        return _dead_link(request)
    if found.spent_at is not None:
        return _done(request, was_done_before=True)
    return render_page(request, f"{FOLDER}/link.html", {"link": found, "account": found.user})


def _follow(request: HttpRequest, token: str) -> HttpResponse:
    try:
        lockdown = actions.follow_link(token=token)
    except actions.LinkDeadError:
        return _dead_link(request)
    if lockdown is None:
        return _done(request, was_done_before=True)
    return HttpResponseRedirect(reverse("lockdown:done"), status=303)


@gates.public
@require_safe
@never_cache
def done(request: HttpRequest) -> HttpResponse:
    """What to do after a lock-down; the same for everybody, so that it tells nobody anything."""
    return _done(request, was_done_before=False)


def _done(request: HttpRequest, *, was_done_before: bool) -> HttpResponse:
    return render_page(request, f"{FOLDER}/done.html", {"was_done_before": was_done_before})


def _dead_link(request: HttpRequest) -> HttpResponse:
    return render_page(request, f"{FOLDER}/link_dead.html", status=HTTPStatus.NOT_FOUND)
