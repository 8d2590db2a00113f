"""The two kinds of code that people type. Neither is ever sent back in a page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.mfa import rules

LONGEST_CODE = 16
LONGEST_RECOVERY_CODE = 64


def typed(request: HttpRequest) -> QueryDict | None:
    """What was posted, however little, so that an empty form is refused and not taken for a first visit."""
    return request.POST if request.method == "POST" else None


class UnkeptInput(forms.TextInput):
    """A text field that forgets what was typed, because that is a secret."""

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
