"""The codes that people type, the answers of their authenticators, and the names they give them.

Neither a code nor an answer is ever sent back in a page.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.identity.rules import clean_name
from accounts.mfa import rules, webauthn
from accounts.sessions.rules import TRUST_LIFETIME

LONGEST_CODE = 16
LONGEST_RECOVERY_CODE = 64


def typed(request: HttpRequest) -> QueryDict | None:
    """What was posted, however little, so that an empty form is refused and not taken for a first visit."""
    return request.POST if request.method == "POST" else None


class UnkeptInput(forms.TextInput):
    """A text field that forgets what was typed, because that is a secret."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, None, attrs)


class UnkeptHiddenInput(forms.HiddenInput):
    """A hidden field that forgets what was sent, because it counts once."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, None, attrs)


class OneCodeForm(forms.Form):
    """A form of one field, which takes the focus where nothing above it has to be read first."""

    def __init__(self, data: QueryDict | None = None, *, takes_focus: bool = False) -> None:
        super().__init__(data)
        if takes_focus:
            for field in self.fields.values():
                field.widget.attrs["autofocus"] = True


class CodeForm(OneCodeForm):
    """The six digits of an authenticator app, as they are or with spaces."""

    code = forms.CharField(
        label=_("Authentication code"),
        max_length=LONGEST_CODE,
        strip=False,
        help_text=_("Six digits from your authenticator app."),
        widget=UnkeptInput(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "numeric",
                "spellcheck": "false",
            }
        ),
    )

    def clean_code(self) -> str:
        code = rules.canonical_code(self.cleaned_data["code"])
        if code is None:
            raise forms.ValidationError(_("Type the six digits that the app shows."), code="malformed")
        return code


class TrustingForm(forms.Form):
    """A form that may leave this browser trusted; without the offer it has no such field to answer."""

    trust = forms.BooleanField(
        required=False,
        help_text=_("Your password alone will then sign you in here. Never on a device that others use."),
    )

    def __init__(self, *args: Any, offers_trust: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not offers_trust:
            del self.fields["trust"]
            return
        days = TRUST_LIFETIME.days
        label = ngettext("Trust this browser for %(days)d day", "Trust this browser for %(days)d days", days)
        self.fields["trust"].label = label % {"days": days}


class VerifyCodeForm(TrustingForm, CodeForm):
    """The code that completes a sign-in."""


class RecoveryCodeForm(OneCodeForm):
    """One recovery code, in any case, with or without its hyphens."""

    recovery_code = forms.CharField(
        label=_("Recovery code"),
        max_length=LONGEST_RECOVERY_CODE,
        strip=False,
        help_text=_("Five groups of five letters and digits."),
        widget=UnkeptInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "class": "mono",
            }
        ),
    )

    def clean_recovery_code(self) -> str:
        code = rules.canonical_recovery_code(self.cleaned_data["recovery_code"])
        if code is None:
            raise forms.ValidationError(
                _("A recovery code has five groups of five letters and digits."), code="malformed"
            )
        return code


class PasskeyForm(forms.Form):
    """The answer of an authenticator, which ``ui/js/passkey.js`` fills in when the form is sent.

    ``begin`` names the address that asks the question; ``ceremony`` is what the browser is to do.
    """

    ceremony = "get"

    credential = forms.CharField(
        max_length=webauthn.MAX_ANSWER_LENGTH,
        strip=False,
        widget=UnkeptHiddenInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": _(
                "Your browser gave no passkey. It has to run JavaScript for that; else choose another way."
            )
        },
    )

    def __init__(self, data: QueryDict | None = None, *, begin: str) -> None:
        super().__init__(data)
        attrs = self.fields["credential"].widget.attrs
        attrs.update({"data-passkey": self.ceremony, "data-passkey-begin": reverse(begin)})

    def clean_credential(self) -> webauthn.Answer:
        try:
            return webauthn.read(self.cleaned_data["credential"])
        except webauthn.UnreadableAnswerError as error:
            raise forms.ValidationError(
                _("What your browser sent can’t be read. Try again."), code="malformed"
            ) from error


class VerifyPasskeyForm(TrustingForm, PasskeyForm):
    """The passkey that completes a sign-in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.auto_id = "passkey_%s"  # the page has the field twice, once for each factor


class PasskeyNameField(forms.CharField):
    """What a person calls a passkey, in characters that show."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            label=_("Name"),
            max_length=rules.MAX_PASSKEY_NAME,
            help_text=_("By which you will know it, such as “Work laptop”."),
            widget=forms.TextInput(attrs={"autocomplete": "off"}),
            **kwargs,
        )

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        if not text:
            return text
        try:
            return clean_name(text)
        except ValueError as error:
            raise forms.ValidationError(_("Leave out control characters."), code="invalid") from error


class NewPasskeyForm(PasskeyForm):
    """A new passkey and its name."""

    ceremony = "create"

    name = PasskeyNameField()

    def __init__(self, data: QueryDict | None = None, *, begin: str, name: str) -> None:
        super().__init__(data, begin=begin)
        self.fields["name"].initial = name


class PasskeyNameForm(forms.Form):
    """Another name for a passkey."""

    name = PasskeyNameField()
