"""The roof's table of contents: includes only."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("kellexa_portal.web.urls")),
    path("", include("kellexa_portal.operations.urls")),
    path("", include("kellexa_portal.ui.urls")),
    path(".well-known/", include("accounts.identity.well_known_urls")),
    path(".well-known/", include("accounts.mfa.well_known_urls")),
    path("accounts/", include("accounts.identity.urls")),
    path("accounts/", include("accounts.sessions.urls")),
    path("accounts/", include("accounts.mfa.urls")),
    path("accounts/organization/", include("accounts.organizations.urls")),
    path("accounts/", include("accounts.sso.urls")),
    path("accounts/keys/", include("accounts.credentials.urls")),
    path("accounts/lockdown/", include("accounts.lockdown.urls")),
    path("accounts/recovery/", include("accounts.recovery.urls")),
    path("accounts/", include("accounts.rotation.urls")),
    path("accounts/", include("accounts.overview.urls")),
    path("api/v1/", include("accounts.credentials.api_urls")),
    path("admin/", admin.site.urls),
]
if settings.DEVELOPMENT:
    urlpatterns.append(path("dev/", include("kellexa_portal.dev.urls")))

handler400 = "kellexa_portal.web.views.bad_request"
handler403 = "kellexa_portal.web.views.permission_denied"
handler404 = "kellexa_portal.web.views.page_not_found"
handler500 = "kellexa_portal.web.views.server_error"
