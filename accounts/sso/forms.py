"""Forms of single sign-on; no writes."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.identity.forms import AddressField
from accounts.organizations.models import Membership
from accounts.sso import rules
from accounts.sso.models import Connection


class StartForm(forms.Form):
    """Whose organization's provider is wanted."""

    email = AddressField(autocomplete="username")


class ConnectionForm(forms.Form):
    """Who the provider is. The secret is taken and never given back."""

    issuer = forms.CharField(
        label=_("Issuer"),
        max_length=rules.MAX_ISSUER,
        help_text=_(
            "The address that the provider calls itself by, exactly, such as https://login.example.com."
        ),
        widget=forms.URLInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    client_id = forms.CharField(
        label=_("Client ID"),
        max_length=rules.MAX_CLIENT_ID,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    client_secret = forms.CharField(
        label=_("Client secret"),
        max_length=rules.MAX_CLIENT_SECRET,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    creates_members = forms.BooleanField(
        label=_("Let people of a verified domain in at their first sign-in"),
        required=False,
        help_text=_(
            "They become members, with the least rights. Without this only people who were invited come in."
        ),
    )

    def __init__(self, data: Any, *, connection: Connection | None, initial: Any = None) -> None:
        stored = {
            "issuer": connection.issuer if connection else "",
            "client_id": connection.client_id if connection else "",
            "creates_members": connection.creates_members if connection else True,
        }
        super().__init__(data, initial=initial or stored)
        secret = self.fields["client_secret"]
        if connection is None:
            secret.required = True
        else:
            secret.help_text = _("Leave empty to keep the present one. It is never shown.")

    def clean_issuer(self) -> str:
        issuer: str = self.cleaned_data["issuer"].strip()
        try:
            parts = urlsplit(issuer)
            is_plain = parts.scheme in {"https", "http"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_plain = False
        if not is_plain or not issuer.isascii() or parts.query or parts.fragment or parts.username:
            raise ValidationError(_("Write the issuer’s address, beginning with https://."), code="invalid")
        return issuer


class DomainForm(forms.Form):
    """A domain that the organization calls its own."""

    name = forms.CharField(
        label=_("Domain"),
        max_length=rules.MAX_DOMAIN_LENGTH,
        help_text=_("What stands behind the @ in your people’s addresses, such as example.com."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
        ),
    )


class EnforceForm(forms.Form):
    """Who may still come in when the provider is down."""

    emergency = forms.ModelChoiceField(
        label=_("Emergency owner"),
        queryset=Membership.objects.none(),
        to_field_name="public_id",
        help_text=_(
            "Signs in with a password or passkey of this portal, for when the provider is down. Every owner "
            "is told of it."
        ),
    )

    def __init__(self, data: Any, *, place: Membership, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        field = self.fields["emergency"]
        owners = place.organization.memberships.filter(role=Membership.Role.OWNER, user__is_active=True)
        field.queryset = owners.select_related("user").order_by("pk")  # type: ignore[attr-defined]
        field.label_from_instance = (  # type: ignore[attr-defined]  # Django's seam for the label
            lambda owner: f"{owner.user.name} ({owner.user.email})"
        )
