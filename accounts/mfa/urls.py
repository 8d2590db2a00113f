from __future__ import annotations

from django.urls import path

from accounts.mfa.views import factors, sign_in

app_name = "mfa"
urlpatterns = [
    path("login/verify/", sign_in.verify, name="verify"),
    path("login/recover/", sign_in.recover, name="recover"),
    path("login/enrol/", sign_in.enrol, name="enrol"),
    path("login/enrol/codes/", sign_in.enrol_codes, name="enrol_codes"),
    path("login/enrol/codes/new/", sign_in.enrol_new_codes, name="enrol_new_codes"),
    path("mfa/", factors.overview, name="overview"),
    path("mfa/authenticator/", factors.replace, name="replace"),
    path("mfa/authenticator/new/", factors.replace_scan, name="replace_scan"),
    path("mfa/recovery-codes/", factors.recovery_codes, name="recovery_codes"),
]
