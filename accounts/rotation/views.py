"""The pages of rotation."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.organizations.access import Permission, allows, require
from accounts.organizations.actions import authorise
from accounts.organizations.queries import active_membership
from accounts.rotation import actions, queries
from accounts.rotation.forms import RotationPolicyForm
from accounts.sessions.queries import person_of
from kellexa_portal.core.actor import Actor
from kellexa_portal.web import gates, stepup
from kellexa_portal.web.forms import render
from kellexa_portal.web.methods import require_http_methods


@gates.signed_in
@stepup.required(stepup.Level.FACTOR, writes_only=True)
@require_http_methods(["GET", "HEAD", "POST"])
def policy(request: HttpRequest) -> HttpResponse:
    """The rotation policy: everyone in the organization reads it, owners and admins change it."""
    place = active_membership(request)
    if place is None:
        raise Http404
    membership = require(place, Permission.POLICY_VIEW)
    if request.method == "POST":
        authorise(actor=Actor.of(person_of(request)), by=membership, permission=Permission.POLICY_CHANGE)
    stored = queries.policy_of(membership.organization)
    form = RotationPolicyForm(request.POST if request.method == "POST" else None, policy=stored)
    if form.is_valid():
        actions.change_policy(
            actor=Actor.of(person_of(request)),
            membership=membership,
            max_age_days=form.cleaned_data["max_age_days"],
            stages=form.cleaned_data["stages"],
        )
        messages.success(request, _("The rotation policy is saved."))
        return redirect("rotation:policy")
    context = {
        "policy": stored,
        "organization": membership.organization,
        "may_change": allows(membership, Permission.POLICY_CHANGE),
    }
    return render(request, "accounts/rotation/policy.html", context, form=form)
