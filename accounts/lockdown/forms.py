"""Which of the suspended keys shall work again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.credentials.models import ApiKey


class KeysForm(forms.Form):
    """One box for each suspended key; none is ticked, so that none comes back unseen."""

    keys = forms.MultipleChoiceField(
        label=_("Keys that shall work again"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, data: Any = None, *, keys: Iterable[ApiKey], required: bool = False) -> None:
        super().__init__(data)
        field = self.fields["keys"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(key.key_id, f"{key.name} ({key.masked}), {key.organization.name}") for key in keys]
        field.required = required
        if required:
            field.error_messages["required"] = _("Choose at least one key.")
        if not field.choices:
            del self.fields["keys"]
