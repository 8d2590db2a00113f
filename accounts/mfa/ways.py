"""The factors that a signed-in person can show again (step-up). Recovery codes are none of them."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device

from accounts.identity.models import User
from accounts.mfa.actions.assertions import prove_passkey
from accounts.mfa.actions.verification import prove_code
from accounts.mfa.forms import CodeForm, PasskeyForm
from accounts.mfa.queries import authenticator_of, passkeys_of
from accounts.sessions.models import AccountSession
from accounts.sessions.stepup import Way, register_way


def register() -> None:
    """Makes the factors of this app known to ``accounts.sessions``."""
    register_way(
        Way(
            factor="passkey",
            label=_("Use a passkey"),
            is_open_to=_has_passkey,
            form=lambda data: PasskeyForm(data, begin="mfa:passkey_step_up"),
            template="accounts/mfa/_passkey_field.html",
            prove=_prove_passkey,
            order=10,
            is_phishing_resistant=True,
        )
    )
    register_way(
        Way(
            factor="totp",
            label=_("Use your authenticator app"),
            is_open_to=_has_authenticator,
            form=lambda data: CodeForm(data, takes_focus=True),
            template="accounts/mfa/_code_field.html",
            prove=_prove_code,
        )
    )


def _has_authenticator(user: User) -> bool:
    return authenticator_of(user) is not None


def _has_passkey(user: User) -> bool:
    return passkeys_of(user).exists()


def _prove_passkey(session: AccountSession, form: forms.Form) -> Device:
    return prove_passkey(session=session, answer=form.cleaned_data["credential"])


def _prove_code(session: AccountSession, form: forms.Form) -> Device:
    return prove_code(session=session, code=form.cleaned_data["code"])
