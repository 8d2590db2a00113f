"""The staff site: Django's admin behind the portal's own sign-in and a verified second factor."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from csp.decorators import csp_replace
from django.contrib import admin
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control

from accounts.identity.access import staff_roles
from accounts.identity.models import StaffAssignment, User
from accounts.sessions import views as sessions
from kellexa_portal.core.actor import Actor
from kellexa_portal.mail.access import register_retry_rule
from kellexa_portal.web.gates import is_verified, redirect_to_sign_in
from kellexa_portal.web.redirects import safe_next

Role = StaffAssignment.Role
Person = AbstractBaseUser | AnonymousUser

# The staff site's lists, grouped by the work. What stands nowhere here is shown to nobody.
GROUPS: tuple[tuple[str | Promise, tuple[str, ...]], ...] = (
    (
        _("People"),
        (
            "accounts.User",
            "organizations.Organization",
            "organizations.Membership",
            "organizations.Invitation",
            "organizations.MfaPolicy",
            "sso.Domain",
            "sso.Connection",
            "lockdown.Lockdown",
            "recovery.RecoveryCase",
            "anomalies.Anomaly",
            "account_sessions.AccountSession",
            "account_sessions.TrustedBrowser",
            "mfa.Passkey",
            "mfa.TotpDevice",
            "mfa.RecoveryCode",
        ),
    ),
    (_("Access"), ("credentials.ApiKey",)),
    (
        _("Notices"),
        (
            "rotation.Reminder",
            "rotation.Digest",
            "rotation.RotationPolicy",
            "organizations.MfaReminder",
            "mail.OutboxMail",
        ),
    ),
    (_("Evidence"), ("audit.Event",)),
)


def _view_permission(label: str) -> str:
    """What Django's admin asks before it shows the model ``label``."""
    app, model = label.lower().split(".")
    return f"{app}.view_{model}"


_PEOPLE, _ACCESS, _NOTICES, _EVIDENCE = (
    frozenset(_view_permission(label) for label in labels) for _group, labels in GROUPS
)
_ALL = _PEOPLE | _ACCESS | _NOTICES | _EVIDENCE

# A recovery takes three of the staff: one who asks and two others who approve.
APPROVES = frozenset({"recovery.approve_recovery", "recovery.stop_recovery"})
RECOVERS = APPROVES | {"recovery.start_recovery"}

# What each role of the staff sees, and the buttons it may press. Buttons call actions, which ask again.
PERMISSIONS: dict[str, frozenset[str]] = {
    Role.ADMINISTRATOR: _ALL
    | {"accounts.manage_people", "credentials.revoke_apikey", "mail.retry_outboxmail"}
    | {"lockdown.begin_lockdown", "lockdown.close_case"}
    | RECOVERS,
    Role.PLATFORM_AUDITOR: _ALL,
    Role.INCIDENT_COMMANDER: _PEOPLE
    | _ACCESS
    | _EVIDENCE
    | {"credentials.revoke_apikey", "lockdown.begin_lockdown", "lockdown.close_case"}
    | RECOVERS,
    Role.DPO: _PEOPLE | _EVIDENCE | APPROVES,
    Role.ACCESS_REVIEWER: frozenset({"organizations.view_organization", "organizations.view_membership"}),
}


class StaffRoleBackend(BaseBackend):
    """Answers ``has_perm`` for staff from their roles; signs nobody in and knows no customer."""

    def has_perm(self, user_obj: Person, perm: str, obj: Model | None = None) -> bool:
        return perm in self._permissions_of(user_obj)

    def has_module_perms(self, user_obj: Person, app_label: str) -> bool:
        """Whether the person may see anything of the app at all."""
        return any(perm.startswith(f"{app_label}.") for perm in self._permissions_of(user_obj))

    def _permissions_of(self, person: Person) -> frozenset[str]:
        """Asked once a request: the answer stays with the account that the request loaded."""
        if not isinstance(person, User):
            return frozenset()
        known: frozenset[str] | None = getattr(person, "_kellexa_staff_permissions", None)
        if known is None:
            known = frozenset().union(*(PERMISSIONS.get(role, frozenset()) for role in staff_roles(person)))
            person._kellexa_staff_permissions = known  # type: ignore[attr-defined]  # noqa: SLF001  # a cache of this request
        return known


@register_retry_rule
def may_retry_mail(actor: Actor) -> bool:
    """Whether the staff member holds, now, a role that orders another try of a mail."""
    person = User.objects.filter(public_id=actor.id, is_active=True).first()
    return person is not None and person.has_perm("mail.retry_outboxmail")


class PortalAdminSite(admin.AdminSite):
    """Admits staff with a verified second factor only; has no sign-in page of its own.

    Attack case 1 (CVE-2022-24857): a password alone, posted to ``/admin/login/``, opens nothing.
    """

    site_header = _("Kellexa staff")
    site_title = _("Kellexa staff")
    index_title = _("Work")
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(is_verified(request) and request.user.is_active and request.user.is_staff)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        """Strangers go to the portal's sign-in and come back here; customers find nothing.

        The policy is the portal's without Trusted Types, because Django's admin writes HTML through jQuery.
        Everything else of it holds, so no script comes from elsewhere and none stands in a page.
        """
        # Nothing of it is stored, the pages that Django holds cacheable included (attack case 37).
        unstored = cache_control(no_store=True, private=True)(super().admin_view(view, cacheable=False))
        inner = csp_replace({"require-trusted-types-for": None})(unstored)

        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if self.has_permission(request):
                return inner(request, *args, **kwargs)
            return self._turn_away(request, request.get_full_path())

        return guarded

    def _turn_away(self, request: HttpRequest, target: str) -> HttpResponse:
        if is_verified(request):
            raise Http404
        return redirect_to_sign_in(request, target)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """No page of its own: the portal's sign-in, or straight on for staff who are signed in."""
        target = safe_next(request, reverse("admin:index"))
        return redirect(target) if self.has_permission(request) else self._turn_away(request, target)

    def logout(  # type: ignore[override]  # Django's stub promises one class of response
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return sessions.logout(request)

    def password_change(  # type: ignore[override]  # the same
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect("accounts:password")

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The lists grouped by the work and not by table; one app's own page keeps Django's form."""
        if app_label is not None:
            return super().get_app_list(request, app_label)
        shown = {
            f"{app['app_label']}.{model['object_name']}": model
            for app in self._build_app_dict(request).values()
            for model in app["models"]
        }
        groups = [(name, [shown[label] for label in labels if label in shown]) for name, labels in GROUPS]
        return [
            {"name": name, "app_label": "", "app_url": "", "has_module_perms": True, "models": models}
            for name, models in groups
            if models
        ]
