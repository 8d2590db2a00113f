"""Forms of organizations; no writes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.identity import passwords
from accounts.identity.forms import AddressField, NameField, NewPasswordField
from accounts.organizations import rules
from accounts.organizations.access import roles_to_hand_out
from accounts.organizations.models import Invitation, Membership, MfaPolicy


class RoleField(forms.ChoiceField):
    """A role. Every role that exists is understood, so that one too strong is refused on record.

    Only those that ``by`` may hand out are offered.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(label=_("Role"), choices=Membership.Role.choices, **kwargs)

    def offer(self, by: Membership) -> None:
        self.widget.choices = [(role.value, role.label) for role in roles_to_hand_out(by)]


class InviteForm(forms.Form):
    """Whom, and as what."""

    email = AddressField(autocomplete="off")
    role = RoleField(initial=Membership.Role.MEMBER)

    def __init__(self, data: Any, *, by: Membership, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        self.fields["role"].offer(by)  # type: ignore[attr-defined]  # a RoleField


class RoleForm(forms.Form):
    """Another role for a member."""

    role = RoleField()

    def __init__(self, data: Any, *, by: Membership, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        self.fields["role"].offer(by)  # type: ignore[attr-defined]  # a RoleField


class MfaPolicyForm(forms.Form):
    """What the organization asks of a sign-in, and how long people have."""

    requirement = forms.ChoiceField(
        label=_("Everyone signs in with"),
        choices=MfaPolicy.Requirement.choices,
        widget=forms.RadioSelect,
        help_text=_(
            "A passkey answers only to this portal’s own address, so a fake sign-in page gets nothing of it."
        ),
    )
    grace_days = forms.IntegerField(
        label=_("Days to comply"),
        min_value=0,
        max_value=rules.MAX_GRACE_DAYS,
        help_text=_("0 to 30. They count for each person from the choice above, or from the day they join."),
    )

    def __init__(self, data: Any, *, policy: MfaPolicy, initial: Any = None) -> None:
        stored = {"requirement": policy.requirement, "grace_days": policy.grace_days}
        super().__init__(data, initial=initial or stored)


class JoinForm(forms.Form):
    """An account for an invited person; the address is the invitation's and cannot be typed."""

    name = NameField(label=_("Name"), widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = NewPasswordField(label=_("Password"))
    time_zone = forms.CharField(
        required=False,
        max_length=64,
        empty_value="",
        widget=forms.HiddenInput(attrs={"data-time-zone": ""}),
    )

    def __init__(self, data: Any, *, invitation: Invitation) -> None:
        super().__init__(data)
        self.invitation = invitation

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if cleaned.get("password"):
            about = passwords.About(
                email=self.invitation.email,
                name=cleaned.get("name", ""),
                organization_name=self.invitation.organization.name,
            )
            try:
                passwords.validate(cleaned["password"], about)
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned
