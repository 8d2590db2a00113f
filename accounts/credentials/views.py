"""The pages of API keys."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.shortcuts import render as render_page
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from accounts.credentials import access, actions, forms, queries, rules, scopes, tokens
from accounts.credentials.actions import errors
from accounts.credentials.models import ApiKey
from accounts.identity.rules import zone_named
from accounts.organizations.access import Permission, allows, require
from accounts.organizations.models import Membership
from accounts.organizations.queries import active_membership
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.pagination import page
from kellexa_portal.web import gates, stepup
from kellexa_portal.web.forms import render

FOLDER = "accounts/credentials"
READ_WRITE = ["GET", "HEAD", "POST"]


def _place(request: HttpRequest) -> Membership:
    membership = active_membership(request)
    if membership is None:
        raise Http404
    return require(membership, Permission.KEYS_VIEW)


def _actor(membership: Membership) -> Actor:
    return Actor.of(membership.user)


def _key(membership: Membership, key_id: str) -> ApiKey:
    key = queries.find(membership, key_id)
    if key is None:
        raise Http404
    return key


@gates.signed_in
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The keys that the person may see, newest first, narrowed by the filter in the address."""
    membership = _place(request)
    now = timezone.now()
    form = forms.FilterForm(request.GET, owners=queries.owners_of(membership))
    filters = form.chosen()
    found = page(queries.listed(membership, filters, now=now), cursor=request.GET.get("cursor", ""))
    context = {
        "form": form,
        "filters": filters,
        "page": found,
        "rows": [queries.view_of(key, now=now) for key in found.items],
        "may_create": access.may_create(membership, ApiKey.Kind.PERSONAL),
        "sees_all": allows(membership, Permission.KEYS_VIEW_ALL),
    }
    return render_page(request, f"{FOLDER}/list.html", context)


@gates.signed_in
@stepup.required(stepup.Level.FACTOR)
@require_http_methods(READ_WRITE)
@sensitive_variables("issued")
def create(request: HttpRequest) -> HttpResponse:
    """The form of a new key; its answer shows the token, this once."""
    membership = _place(request)
    actions.require_creator(actor=_actor(membership), by=membership)
    form = forms.CreateKeyForm(request.POST if request.method == "POST" else None, membership=membership)
    if not form.is_valid():
        return render(request, f"{FOLDER}/create.html", {"presets": form.presets()}, form=form)
    data = form.cleaned_data
    try:
        issued = actions.create_key(
            actor=_actor(membership),
            by=membership,
            name=data["name"],
            kind=data["kind"],
            environment=data["environment"],
            scope_names=data["scopes"],
            expires_at=data["expires_at"],
            allowed_networks=data["allowed_networks"],
            owner_label=data.get("owner_label", ""),
            contacts=list(data.get("contacts", [])),
            form_nonce=data["nonce"],
        )
    except errors.AlreadyIssued:
        return _gone(request, queries.found_by_nonce(membership, data["nonce"]))
    return _show_once(request, issued)


@sensitive_variables("issued")
def _show_once(request: HttpRequest, issued: actions.IssuedKey) -> HttpResponse:
    context = {"key": issued.key, "token": issued.token, "replaced": issued.replaced, "now": timezone.now()}
    return render_page(request, f"{FOLDER}/issued.html", context)


def _gone(request: HttpRequest, key: ApiKey | None) -> HttpResponse:
    """What a reload or the back button meets: the key exists, its token can't be seen again."""
    return render_page(request, f"{FOLDER}/gone.html", {"key": key}, status=HTTPStatus.CONFLICT)


@gates.signed_in
@require_safe
def detail(request: HttpRequest, key_id: str) -> HttpResponse:
    """One key: what it may do, when it was used, what came before and after it."""
    membership = _place(request)
    return _detail(request, membership, _key(membership, key_id), None)


def _detail(
    request: HttpRequest, membership: Membership, key: ApiKey, form: forms.ContactsForm | None
) -> HttpResponse:
    now = timezone.now()
    view = queries.view_of(key, now=now)
    manages_contacts = not key.is_personal and allows(membership, Permission.KEYS_MANAGE)
    if form is None:
        form = forms.ContactsForm(membership=membership, key=key)
    context = {
        "view": view,
        "key": key,
        "family": [queries.view_of(relative, now=now) for relative in queries.family_of(membership, key)],
        "contacts": [row.user for row in key.contact_rows.select_related("user")],
        "may_rotate": access.may_rotate(membership, key) and _is_rotatable(key),
        "may_revoke": access.may_revoke(membership, key) and key.revoked_at is None,
        "manages_contacts": manages_contacts and view.is_live,
    }
    return render(request, f"{FOLDER}/detail.html", context, form=form)


def _is_rotatable(key: ApiKey) -> bool:
    return key.revoked_at is None and key.suspended_at is None and key.replaced_by_id is None


@gates.signed_in
@stepup.required(stepup.Level.FACTOR, back_to="..")
@require_http_methods(["POST"])
def contacts(request: HttpRequest, key_id: str) -> HttpResponse:
    """Sets who hears of a service key beside its owner."""
    membership = _place(request)
    key = _key(membership, key_id)
    form = forms.ContactsForm(request.POST, membership=membership, key=key)
    if not form.is_valid():
        return _detail(request, membership, key, form)
    people = list(form.cleaned_data["contacts"])
    actions.set_contacts(actor=_actor(membership), by=membership, key=key, people=people)
    messages.success(request, _("The contacts are saved."))
    return redirect("credentials:detail", key_id=key.key_id)


@gates.signed_in
@require_http_methods(READ_WRITE)
@sensitive_variables("issued")
def rotate(request: HttpRequest, key_id: str) -> HttpResponse:
    """Asks when the old key shall end, then shows the successor's token, this once."""
    membership = _place(request)
    key = _key(membership, key_id)
    actions.require_rotator(actor=_actor(membership), by=membership, key=key)
    if key.revoked_at is not None or (request.method != "POST" and not _is_rotatable(key)):
        return redirect("credentials:detail", key_id=key.key_id)
    if not _is_rotatable(key):
        return _gone(request, key.replaced_by)
    proof = {
        "action": "key.rotate",
        "obj": key.key_id,
        "purpose": _("You are about to replace the key “%(name)s” and to be shown the new token.")
        % {"name": key.name},
    }
    stepup.prepare(request, **proof)
    now = timezone.now()
    earlier = queries.earlier_live(key, now=now)
    form = forms.RotateKeyForm(
        request.POST if request.method == "POST" else None,
        key=key,
        earlier=earlier,
        zone=zone_named(membership.user.time_zone),
    )
    if not form.is_valid():
        context = {"key": key, "view": queries.view_of(key, now=now), "successor_ends": _successor_end(key)}
        return render(request, f"{FOLDER}/rotate.html", context, form=form)
    overlap: timedelta = form.cleaned_data["overlap"]
    try:
        with transaction.atomic():
            stepup.spend(request, **proof)
            issued = actions.rotate_key(
                actor=_actor(membership),
                by=membership,
                key=key,
                overlap=overlap,
                force=form.cleaned_data.get("force", False),
            )
    except errors.AlreadyRotated:
        return _gone(request, _key(membership, key_id).replaced_by)
    return _show_once(request, issued)


def _successor_end(key: ApiKey) -> object:
    now = timezone.now()
    return rules.successor_expiry(created_at=key.created_at, expires_at=key.expires_at, now=now)


@gates.signed_in
@stepup.required(stepup.Level.FACTOR)
@require_http_methods(READ_WRITE)
def revoke(request: HttpRequest, key_id: str) -> HttpResponse:
    """Names the key and its use, asks why, and ends it at once."""
    membership = _place(request)
    key = _key(membership, key_id)
    actions.require_revoker(actor=_actor(membership), by=membership, key=key)
    if key.revoked_at is not None:
        return redirect("credentials:detail", key_id=key.key_id)
    form = forms.RevokeKeyForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        context = {"key": key, "view": queries.view_of(key, now=timezone.now())}
        return render(request, f"{FOLDER}/revoke.html", context, form=form)
    with contextlib.suppress(errors.AlreadyRevoked):  # a second request was quicker: it is what was asked for
        actions.revoke_key(
            actor=_actor(membership), by=membership, key=key, reason=form.cleaned_data["reason"]
        )
    messages.success(request, _("The key “%(name)s” is revoked.") % {"name": key.name})
    return redirect("credentials:detail", key_id=key.key_id)


@gates.signed_in
@require_safe
def guide(request: HttpRequest) -> HttpResponse:
    """How a key looks, how to find one that leaked, how a gateway checks one."""
    context = {
        "regex": tokens.PUBLISHED_REGEX,
        "scopes": list(scopes.CATALOGUE.values()),
        "base_url": settings.PUBLIC_URL.rstrip("/"),
    }
    return render_page(request, f"{FOLDER}/help.html", context)
