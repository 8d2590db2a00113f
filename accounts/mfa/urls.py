from __future__ import annotations

from django.urls import path

from accounts.mfa.views import clock, factors, passkey_sign_in, passkeys, sign_in

app_name = "mfa"
urlpatterns = [
    path("login/passkey/begin/", passkey_sign_in.begin, name="passkey_begin"),
    path("login/passkey/", passkey_sign_in.finish, name="passkey_sign_in"),
    path("login/verify/", sign_in.verify, name="verify"),
    path("login/verify/clock/", clock.resync_at_sign_in, name="verify_resync"),
    path("login/verify/passkey/begin/", passkey_sign_in.begin_verify, name="verify_passkey_begin"),
    path("login/verify/passkey/", sign_in.verify_with_passkey, name="verify_passkey"),
    path("login/recover/", sign_in.recover, name="recover"),
    path("login/enrol/", sign_in.enrol, name="enrol"),
    path("login/enrol/passkey/begin/", passkey_sign_in.begin_enrol, name="enrol_passkey_begin"),
    path("login/enrol/passkey/", sign_in.enrol_passkey, name="enrol_passkey"),
    path("login/enrol/codes/", sign_in.enrol_codes, name="enrol_codes"),
    path("login/enrol/codes/new/", sign_in.enrol_new_codes, name="enrol_new_codes"),
    path("mfa/", factors.overview, name="overview"),
    path("mfa/authenticator/", factors.replace, name="replace"),
    path("mfa/authenticator/new/", factors.replace_scan, name="replace_scan"),
    path("mfa/authenticator/remove/", factors.remove_app, name="remove_app"),
    path("mfa/authenticator/clock/", clock.resync, name="resync"),
    path("mfa/passkeys/add/", passkeys.add, name="passkey_add"),
    path("mfa/passkeys/add/begin/", passkeys.begin_add, name="passkey_add_begin"),
    path("mfa/passkeys/verify/begin/", passkeys.begin_step_up, name="passkey_step_up"),
    path("mfa/passkeys/<uuid:public_id>/", passkeys.rename, name="passkey"),
    path("mfa/passkeys/<uuid:public_id>/remove/", passkeys.remove, name="passkey_remove"),
    path("mfa/recovery-codes/", factors.recovery_codes, name="recovery_codes"),
    path("mfa/recovery-codes/new/", factors.recovery_codes_new, name="recovery_codes_new"),
]
