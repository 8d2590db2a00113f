"""The staff site: Django's admin behind the portal's own sign-in and a verified second factor."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from accounts.sessions import views as sessions
from kellexa_portal.web.gates import is_verified, redirect_to_sign_in


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

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect_to_sign_in(request)

    def logout(  # type: ignore[override]  # Django's stub promises one class of response
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return sessions.logout(request)

    def password_change(  # type: ignore[override]  # the same
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect("accounts:password")
