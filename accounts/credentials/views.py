"""The pages of API keys."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.shortcuts import render as render_page
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_variables

from accounts.credentials import access, actions, forms, queries, rules, scopes, tokens
from accounts.credentials.actions import errors
from accounts.credentials.models import ApiKey
from accounts.identity.rules import zone_named
from accounts.organizations.access import Permission, allows, require
from accounts.organizations.models import Membership
from accounts.organizations.queries import active_membership
from accounts.sessions import handover
from accounts.sessions.queries import session_of
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.pagination import page
from kellexa_portal.web import gates, stepup
from kellexa_portal.web.forms import render
from kellexa_portal.web.methods import require_http_methods, require_safe

FOLDER = "accounts/credentials"
READ_WRITE = ["GET", "HEAD", "POST"]
MAX_CHOSEN = 50
"""As many keys as a page of the list shows."""


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


def _view(membership: Membership, key: ApiKey) -> queries.KeyView:
    return queries.view_of(key, now=timezone.now(), max_age=queries.max_age_in(membership))


@gates.signed_in
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The keys that the person may see, newest first, narrowed by the filter in the address."""
    membership = _place(request)
    now, max_age = timezone.now(), queries.max_age_in(membership)
    form = forms.FilterForm(request.GET, owners=queries.owners_of(membership))
    filters = form.chosen()
    keys = queries.listed(membership, filters, now=now)
    found = page(keys, cursor=request.GET.get("cursor", ""), order=form.order())
    rows = [queries.view_of(key, now=now, max_age=max_age) for key in found.items]
    revocable = {
        row.key.pk for row in rows if row.state in rules.UNENDED and access.may_revoke(membership, row.key)
    }
    context = {
        "form": form,
        "filters": filters,
        "page": found,
        "rows": rows,
        "revocable": revocable,
        "may_create": access.may_create(membership, ApiKey.Kind.PERSONAL),
        "sees_all": allows(membership, Permission.KEYS_VIEW_ALL),
    }
    return render_page(request, f"{FOLDER}/list.html", context)


@gates.signed_in
@stepup.required(stepup.Level.FACTOR)
@require_http_methods(READ_WRITE)
@sensitive_variables("issued")
def create(request: HttpRequest) -> HttpResponse:
    """The form of a new key; it leads to the page that shows the token, once."""
    membership = _place(request)
    actions.require_creator(actor=_actor(membership), by=membership)
    form = forms.CreateKeyForm(request.POST if request.method == "POST" else None, membership=membership)
    if not form.is_valid():
        return render(request, f"{FOLDER}/create.html", {"presets": form.presets()}, form=form)
    data = form.cleaned_data
    try:
        with transaction.atomic():
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
            _hand_over(request, issued)
    except errors.AlreadyIssued:
        return _to_token(queries.found_by_nonce(membership, data["nonce"]))
    return _to_token(issued.key)


@sensitive_variables("issued")
def _hand_over(request: HttpRequest, issued: actions.IssuedKey) -> None:
    """Keeps the token for the one page that shows it, in the transaction that made the key."""
    session = session_of(request)
    handover.give(
        user=session.user, holder=session.public_id, purpose=_page_of(issued.key), secret=issued.token
    )


def _page_of(key: ApiKey) -> str:
    return f"key-token/{key.key_id}"


def _to_token(key: ApiKey | None) -> HttpResponse:
    """To the token, or, where a form was sent twice and its key is out of sight, to the list."""
    if key is None:
        return redirect("credentials:list")
    return HttpResponseRedirect(reverse("credentials:token", kwargs={"key_id": key.key_id}), status=303)


@gates.signed_in
@require_safe
@sensitive_variables("secret", "context")
def token(request: HttpRequest, key_id: str) -> HttpResponse:
    """Shows the token of a key that this session has just made, to the first who asks; 410 ever after."""
    membership = _place(request)
    key = _key(membership, key_id)
    session = session_of(request)
    secret = None
    if request.method == "GET":  # a HEAD would take what nobody sees
        secret = handover.take(user=session.user, holder=session.public_id, purpose=_page_of(key))
    if secret is None:
        return render_page(request, f"{FOLDER}/gone.html", {"key": key}, status=HTTPStatus.GONE)
    replaced = queries.predecessor_of(key)
    context = {"key": key, "token": secret, "replaced": replaced, "now": timezone.now()}
    return render_page(request, f"{FOLDER}/issued.html", context)


@gates.signed_in
@require_safe
def detail(request: HttpRequest, key_id: str) -> HttpResponse:
    """One key: what it may do, when it was used, what came before and after it."""
    membership = _place(request)
    return _detail(request, membership, _key(membership, key_id), None)


def _detail(
    request: HttpRequest, membership: Membership, key: ApiKey, form: forms.ContactsForm | None
) -> HttpResponse:
    now, max_age = timezone.now(), queries.max_age_in(membership)
    view = queries.view_of(key, now=now, max_age=max_age)
    manages_contacts = not key.is_personal and allows(membership, Permission.KEYS_MANAGE)
    if form is None:
        form = forms.ContactsForm(membership=membership, key=key)
    context = {
        "view": view,
        "key": key,
        "family": [
            queries.view_of(relative, now=now, max_age=max_age)
            for relative in queries.family_of(membership, key)
        ],
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
    """Asks when the old key shall end, then leads to the successor's token, shown once."""
    membership = _place(request)
    key = _key(membership, key_id)
    actions.require_rotator(actor=_actor(membership), by=membership, key=key)
    if key.revoked_at is not None or (request.method != "POST" and not _is_rotatable(key)):
        return redirect("credentials:detail", key_id=key.key_id)
    if not _is_rotatable(key):
        return _to_token(key.replaced_by)
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
        context = {"key": key, "view": _view(membership, key), "successor_ends": _successor_end(key)}
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
            _hand_over(request, issued)
    except errors.AlreadyRotated:
        return _to_token(_key(membership, key_id).replaced_by)
    return _to_token(issued.key)


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
        context = {"key": key, "view": _view(membership, key)}
        return render(request, f"{FOLDER}/revoke.html", context, form=form)
    with contextlib.suppress(errors.AlreadyRevoked):  # a second request was quicker: it is what was asked for
        actions.revoke_key(
            actor=_actor(membership), by=membership, key=key, reason=form.cleaned_data["reason"]
        )
    messages.success(request, _("The key “%(name)s” is revoked.") % {"name": key.name})
    return redirect("credentials:detail", key_id=key.key_id)


@gates.signed_in
@stepup.required(stepup.Level.FACTOR)
@require_http_methods(READ_WRITE)
def revoke_many(request: HttpRequest) -> HttpResponse:
    """Names the keys that were chosen in the list, asks why, and ends them all or none."""
    membership = _place(request)
    chosen = request.POST if request.method == "POST" else request.GET
    keys = [
        key
        for key in queries.chosen(membership, chosen.getlist("key")[:MAX_CHOSEN])
        if key.revoked_at is None and access.may_revoke(membership, key)
    ]
    if not keys:
        messages.info(request, _("Choose the keys to revoke in the list first."))
        return redirect("credentials:list")
    form = forms.RevokeKeyForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        context = {"rows": [_view(membership, key) for key in keys]}
        return render(request, f"{FOLDER}/revoke_many.html", context, form=form)
    actions.revoke_keys(
        actor=_actor(membership), by=membership, keys=keys, reason=form.cleaned_data["reason"]
    )
    sentence = ngettext("%(n)d key is revoked.", "%(n)d keys are revoked.", len(keys))
    messages.success(request, sentence % {"n": len(keys)})
    return redirect("credentials:list")


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
