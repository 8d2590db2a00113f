from __future__ import annotations

from django.urls import path

from accounts.sso.views import settings, sign_in

app_name = "sso"
urlpatterns = [
    path("login/sso/", sign_in.start, name="start"),
    path("login/sso/<uuid:public_id>/callback/", sign_in.callback, name="callback"),
    path("organization/sso/", settings.settings, name="settings"),
    path("organization/sso/test/", settings.test, name="test"),
    path("organization/sso/require/", settings.enforce, name="enforce"),
    path("organization/sso/relax/", settings.relax, name="relax"),
    path("organization/sso/disconnect/", settings.disconnect, name="disconnect"),
    path("organization/domains/add/", settings.domain_add, name="domain_add"),
    path("organization/domains/<uuid:public_id>/check/", settings.domain_check, name="domain_check"),
    path("organization/domains/<uuid:public_id>/remove/", settings.domain_remove, name="domain_remove"),
]
