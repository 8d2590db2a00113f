"""Forms of rotation."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.rotation import rules
from accounts.rotation.models import RotationPolicy


def _days(count: int) -> str:
    return ngettext("%(n)d day", "%(n)d days", count) % {"n": count}


class RotationPolicyForm(forms.Form):
    """How old credentials may grow, and how early people are told."""

    max_age_days = forms.TypedChoiceField(
        label=_("Rotate at least every"),
        coerce=int,
        choices=lambda: [(days, _days(days)) for days in rules.MAX_AGE_CHOICES],
        help_text=_("A key is due when it reaches this age, or when it expires if that comes first."),
    )
    stages = forms.TypedMultipleChoiceField(
        label=_("Also remind this long before"),
        coerce=int,
        required=False,
        choices=lambda: [(stage, _days(stage)) for stage in rules.OPTIONAL_STAGES],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Reminders 3 days, 1 day and at the end are always sent."),
    )

    def __init__(self, data: Any, *, policy: RotationPolicy) -> None:
        super().__init__(data, initial={"max_age_days": policy.max_age_days, "stages": policy.stages})
