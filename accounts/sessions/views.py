"""Signing out, the devices that are signed in, and a person's own security log."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import cache_control

from accounts.sessions import actions, exports, queries, rules, stepup, trust
from accounts.sessions.forms import ActivityFilterForm
from accounts.sessions.landing import landing_of
from accounts.sessions.models import AccountSession
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError, Fault
from kellexa_portal.core.pagination import page
from kellexa_portal.web import gates
from kellexa_portal.web.forms import render as render_form
from kellexa_portal.web.methods import require_http_methods, require_post, require_safe

EVENTS_A_PAGE = 25
EXPORTS = {
    "csv": ("text/csv; charset=utf-8", exports.as_csv),
    "jsonl": ("application/jsonl", exports.as_json_lines),
}
LEFT_BEHIND = '"cache", "storage"'


@gates.public
@cache_control(no_store=True, private=True)
@require_http_methods(["GET", "HEAD", "POST"])
def logout(request: HttpRequest) -> HttpResponse:
    """Signs out by POST only, and tells the browser to drop what pages left in it (ASVS 14.3.1).

    Cookies are not dropped wholesale: the mark of a known browser has to outlive a sign-out, or each
    sign-out would hand a stranger the owner's budget of tries.
    """
    if request.method != "POST":
        return render(request, "accounts/sessions/logout.html", {"is_signed_in": gates.is_verified(request)})
    actions.sign_out(request)
    response = HttpResponseRedirect(reverse("sessions:logout"), status=303)
    response["Clear-Site-Data"] = LEFT_BEHIND
    return response


@gates.own_account
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Step-up: says why now, takes one factor, and leads back to the very action."""
    person = queries.person_of(request)
    question = stepup.find(request, request.GET.get("q", ""))
    ways = stepup.ways_of(person)
    wanted = request.POST.get("way") or request.GET.get("way")
    way = next((way for way in ways if way.factor == wanted), ways[0] if ways else None)
    if way is None:
        raise Http404
    form = way.form(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            device = way.prove(queries.session_of(request), form)
        except DomainError as error:
            if error.fault is not Fault.INVALID:
                raise
            form.add_error(next(iter(form.fields)), error.sentence())
        else:
            actions.step_up(request, demand=question.demand, device=device, factor=way.factor)
            stepup.close(request, question)
            messages.success(request, _("Verified. Go on where you were."))
            return HttpResponseRedirect(landing_of(person, question.back_to), status=303)
    context = {
        "question": question,
        "way": way,
        "other_ways": [other for other in ways if other.factor != way.factor],
        "cancel_to": landing_of(person, ""),
        "is_once": question.demand.level is stepup.Level.ONCE,
        "minutes": rules.RECENT_FOR // timedelta(minutes=1),
    }
    return render_form(request, "accounts/sessions/verify.html", context, form=form)


@gates.own_account
@stepup.required(stepup.Level.RECENT)
@require_safe
def session_list(request: HttpRequest) -> HttpResponse:
    """Where this account is signed in."""
    current = queries.current_session(request)
    person = queries.person_of(request)
    sessions = list(queries.live_sessions_of(person))
    limits = rules.limits_of(is_staff=person.is_staff)
    context = {
        "browsers": queries.trusted_browsers_of(person),
        "this_browser": trust.shown_by(request, person),
        "trust_days": rules.TRUST_LIFETIME.days,
        "current": current,
        "idle_minutes": limits.idle // timedelta(minutes=1),
        "hours": limits.absolute // timedelta(hours=1),
        "others": [session for session in sessions if current is None or session.pk != current.pk],
    }
    return render(request, "accounts/sessions/list.html", context)


@gates.own_account
@stepup.required(stepup.Level.RECENT, back_to="sessions:list")
@require_post
def end(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Ends one session of one's own; ending this very one signs out."""
    person = queries.person_of(request)
    session = queries.live_sessions_of(person).filter(public_id=public_id).first()
    if session is None:
        raise Http404
    if session == queries.current_session(request):
        return logout(request)
    actions.end_session(session=session, actor=Actor.of(person))
    messages.success(request, _("The session was ended. Its next request is refused."))
    return HttpResponseRedirect(reverse("sessions:list"), status=303)


@gates.own_account
@stepup.required(stepup.Level.RECENT, back_to="sessions:list")
@require_post
def end_others(request: HttpRequest) -> HttpResponse:
    """Ends every session of one's own but this one; trust in other browsers goes with them."""
    person = queries.person_of(request)
    ended = actions.end_sessions(
        user=person,
        actor=Actor.of(person),
        except_key=request.session.session_key,
        reason=AccountSession.EndReason.REVOKED,
    )
    actions.forget_browsers(actor=Actor.of(person), user=person, but=trust.shown_by(request, person))
    messages.success(
        request,
        ngettext("%(count)d other session was ended.", "%(count)d other sessions were ended.", ended)
        % {"count": ended},
    )
    return HttpResponseRedirect(reverse("sessions:list"), status=303)


@gates.own_account
@stepup.required(stepup.Level.RECENT, back_to="sessions:list")
@require_post
def forget_browser(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Takes trust back from one browser of one's own; a session that it has goes on."""
    person = queries.person_of(request)
    if not actions.forget_browser(actor=Actor.of(person), user=person, public_id=public_id):
        raise Http404
    messages.success(request, _("That browser is no longer trusted. It asks for your second factor again."))
    return HttpResponseRedirect(reverse("sessions:list"), status=303)


@gates.own_account
@require_safe
def activity(request: HttpRequest) -> HttpResponse:
    """What happened to one's own account, newest first."""
    person = queries.person_of(request)
    form = ActivityFilterForm(request.GET)
    filters = form.chosen()
    events = page(
        queries.activity_of(person, filters), cursor=request.GET.get("cursor", ""), limit=EVENTS_A_PAGE
    )
    context = {
        "form": form,
        "filters": filters,
        "export_query": urlencode(filters),
        "page": events,
        "person_id": str(person.public_id),
    }
    return render(request, "accounts/sessions/activity.html", context)


@gates.own_account
@stepup.required(stepup.Level.RECENT)
@require_safe
def activity_export(request: HttpRequest, kind: str) -> StreamingHttpResponse:
    """The log of the filter in the address as a file, newest first; taking it away is itself on record."""
    person = queries.person_of(request)
    filters = ActivityFilterForm(request.GET).chosen()
    actions.note_export(actor=Actor.of(person), user=person, filters=filters)
    content_type, write = EXPORTS[kind]
    events = queries.activity_of(person, filters).order_by("-id").iterator(chunk_size=exports.CHUNK)
    response = StreamingHttpResponse(write(events), content_type=content_type)
    name = f"kellexa-activity-{timezone.now():%Y-%m-%d}.{kind}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
