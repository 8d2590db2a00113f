"""The filter of the security log."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.sessions import rules


class ActivityFilterForm(forms.Form):
    """It lives in the address, so what makes no sense there is left out, not refused."""

    area = forms.ChoiceField(
        label=_("About"),
        required=False,
        choices=[
            ("", _("Everything")),
            ("auth", _("Sign-in and factors")),
            ("session", _("Sessions")),
            ("account", _("Password, email, account")),
            ("anomaly", _("Unusual use")),
        ],
    )
    result = forms.ChoiceField(
        label=_("Result"),
        required=False,
        choices=[("", _("Any result")), ("done", _("Done")), ("stopped", _("Refused or failed"))],
    )
    days = forms.TypedChoiceField(
        label=_("Since"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", _("Any time")), *((str(days), label) for days, label in rules.ACTIVITY_PERIODS)],
    )

    def chosen(self) -> dict[str, Any]:
        """The filters that make sense."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}
