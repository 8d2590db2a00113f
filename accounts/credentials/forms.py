"""What people type about keys, cleaned; nothing is written here."""

from __future__ import annotations

import re
import uuid
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.credentials import access, queries, rules, scopes
from accounts.credentials.actions import errors
from accounts.credentials.models import ApiKey
from accounts.identity.models import User
from accounts.identity.rules import zone_named
from accounts.organizations.access import Permission, allows, permissions_of
from accounts.organizations.models import Membership, Organization
from kellexa_portal.core.pagination import Order

PRESETS = (30, 90, 180, 365)
OVERLAPS = (
    (timedelta(0), _("Now")),
    (timedelta(hours=1), _("In an hour, on %(moment)s")),
    (timedelta(hours=24), _("In 24 hours, on %(moment)s")),
    (timedelta(days=7), _("In 7 days, on %(moment)s")),
)


class FilterForm(forms.Form):
    """The list's filter. It lives in the address, so what makes no sense there is left out, not refused."""

    q = forms.CharField(label=_("Name contains"), required=False, max_length=rules.MAX_NAME)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ("", _("Any state")),
            (queries.DUE, _("To be rotated")),
            (rules.State.ACTIVE, _("Active")),
            (rules.State.EXPIRING, _("Expires soon")),
            (rules.State.RETIRING, _("Being replaced")),
            (rules.State.SUSPENDED, _("Suspended")),
            (rules.State.EXPIRED, _("Expired")),
            (rules.State.REVOKED, _("Revoked")),
        ],
    )
    kind = forms.ChoiceField(
        label=_("Kind"), required=False, choices=[("", _("Any kind")), *ApiKey.Kind.choices]
    )
    environment = forms.ChoiceField(
        label=_("Environment"),
        required=False,
        choices=[("", _("Any environment")), *ApiKey.Environment.choices],
    )

    sort = forms.ChoiceField(
        label=_("Sort by"),
        required=False,
        choices=[
            ("", _("Newest first")),
            ("name", _("Name")),
            ("end", _("Next to end")),
            ("use", _("Longest unused")),
        ],
    )

    def __init__(self, data: Any, *, owners: list[tuple[str, str]]) -> None:
        super().__init__(data)
        if len(owners) > 1:
            self.fields["owner"] = forms.ChoiceField(
                label=_("Owner"), required=False, choices=[("", _("Any owner")), *owners]
            )
            self.order_fields(["q", "state", "kind", "environment", "owner", "sort"])

    def chosen(self) -> dict[str, Any]:
        """The filters that make sense."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value and name != "sort"}

    def order(self) -> Order | None:
        """How to sort, or ``None`` for newest first; of use after ``chosen``."""
        return queries.ORDERS.get(self.cleaned_data.get("sort", ""))


class ScopeField(forms.MultipleChoiceField):
    """Checkboxes, each a scope with its meaning."""

    widget = forms.CheckboxSelectMultiple

    @staticmethod
    def label_of(scope: scopes.Scope) -> str:
        return format_html('<span>{} <code class="mono muted">{}</code></span>', scope.meaning, scope.name)


class PeopleField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # generic in the stubs alone
    """People of the organization. Django has a sentence of its own for each way to name nobody."""

    def clean(self, value: Any) -> Any:
        try:
            return super().clean(value)
        except ValidationError as error:
            raise ValidationError(_("Choose people who are members of your organization.")) from error


class CreateKeyForm(forms.Form):
    """A new key. ``nonce`` ties one page to one key, however often it is sent.

    For a person who may make some kind of key; a program that leaves kind or environment out gets the
    ones that a page would have chosen.
    """

    name = forms.CharField(
        label=_("Name"),
        max_length=rules.MAX_NAME,
        strip=True,
        help_text=_("What will use it, such as “Nightly export”."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    environment = forms.ChoiceField(
        label=_("Environment"),
        choices=ApiKey.Environment.choices,
        initial=ApiKey.Environment.LIVE,
        widget=forms.RadioSelect,
    )
    kind = forms.ChoiceField(label=_("Kind"), widget=forms.RadioSelect)
    scopes = ScopeField(
        label=_("Scopes"),
        help_text=_("What requests with this key may do. Choose as few as it needs."),
        error_messages={"required": _("Choose at least one scope.")},
    )
    expires_at = forms.DateField(
        label=_("Expires"),
        required=False,
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": _("Enter a date as year-month-day.")},
    )
    allowed_networks = forms.CharField(
        label=_("Allowed addresses"),
        required=False,
        max_length=4000,
        help_text=_(
            "IP addresses or networks such as 192.0.2.0/24, one a line. Empty: the key works from anywhere."
        ),
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
    )
    owner_label = forms.CharField(
        label=_("Team"),
        required=False,
        max_length=rules.MAX_NAME,
        help_text=_("For a service key: who looks after it when you are away."),
    )
    contacts = PeopleField(
        label=_("Contacts"),
        required=False,
        queryset=User.objects.none(),
        to_field_name="public_id",
        help_text=_("For a service key: they hear of it and may rotate it."),
        widget=forms.CheckboxSelectMultiple,
    )
    nonce = forms.UUIDField(
        widget=forms.HiddenInput,
        error_messages={
            "required": _("This page was too old. Check what stands here and send it again."),
            "invalid": _("This page was too old. Check what stands here and send it again."),
        },
    )

    def __init__(self, data: Any = None, *, membership: Membership) -> None:
        self._zone = zone_named(membership.user.time_zone)
        self._today = timezone.localtime(timezone.now(), self._zone).date()
        kinds = [choice for choice in ApiKey.Kind.choices if access.may_create(membership, choice[0])]
        if data is not None:
            data = data.copy()
            data.setdefault("environment", ApiKey.Environment.LIVE)
            data.setdefault("kind", kinds[0][0])
        super().__init__(data, initial={"nonce": uuid.uuid4()})
        self._offer_kinds(kinds, membership)
        self._offer_scopes(membership)
        self._offer_dates()

    def _offer_kinds(self, kinds: list[tuple[str, Any]], membership: Membership) -> None:
        self._choices("kind").choices = kinds
        self.fields["kind"].initial = kinds[0][0]
        if not allows(membership, Permission.KEYS_MANAGE):
            del self.fields["contacts"], self.fields["owner_label"]
            return
        people = people_of(membership).exclude(pk=membership.user_id)
        _offer_people(self, people)

    def _offer_scopes(self, membership: Membership) -> None:
        offered = scopes.grantable(
            permissions=permissions_of(membership.role),
            is_platform=membership.organization.kind == Organization.Kind.PLATFORM,
        )
        self._choices("scopes").choices = [(scope.name, ScopeField.label_of(scope)) for scope in offered]

    def _offer_dates(self) -> None:
        field = self.fields["expires_at"]
        default = self._today + rules.DEFAULT_LIFETIME
        field.initial = default
        field.widget = forms.DateInput(
            format="%Y-%m-%d",
            attrs={
                "type": "date",
                "min": self._today.isoformat(),
                "max": (self._today + rules.MAX_LIFETIME).isoformat(),
                "list": "expiry-presets",
            },
        )
        field.help_text = gettext(
            "The last day on which the key works, at most a year from now. Left empty, it works for 90 days."
        )

    def _choices(self, name: str) -> Any:
        return self.fields[name]

    def presets(self) -> list[tuple[str, int]]:
        """Dates to choose from, each with its number of days."""
        return [((self._today + timedelta(days=days)).isoformat(), days) for days in PRESETS]

    def clean_name(self) -> str:
        cleaned = rules.clean_text(self.cleaned_data["name"], longest=rules.MAX_NAME)
        if cleaned is None:
            raise ValidationError(errors.InvalidKeyName.message)
        return cleaned

    def clean_owner_label(self) -> str:
        label = self.cleaned_data["owner_label"]
        cleaned = rules.clean_text(label, longest=rules.MAX_NAME) if label.strip() else ""
        if cleaned is None:
            raise ValidationError(errors.InvalidKeyName.message)
        return cleaned

    def clean_expires_at(self) -> datetime | None:
        """The end of the chosen day in the person's zone: the key works on that day, and not after it."""
        chosen: date | None = self.cleaned_data["expires_at"]
        if chosen is None:
            return None
        if not self._today <= chosen <= self._today + rules.MAX_LIFETIME:
            raise ValidationError(_("Choose a day from today to a year from now."))
        return datetime.combine(chosen + timedelta(days=1), time.min, tzinfo=self._zone)

    def clean_allowed_networks(self) -> list[str]:
        texts = [text for text in re.split(r"[\s,;]+", self.cleaned_data["allowed_networks"]) if text]
        return checked_networks(texts)

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if "nonce" not in cleaned:  # the page comes back with one that works
            self.data["nonce"] = str(uuid.uuid4())  # type: ignore[index]  # a copy of ours: see __init__
        if cleaned.get("kind") == ApiKey.Kind.PERSONAL and cleaned.get("contacts"):
            self.add_error("contacts", _("Only service keys have contacts."))
        return cleaned


def checked_networks(texts: list[str]) -> list[str]:
    """``texts`` in canonical form; each that is none is named in the error."""
    wrong = []
    for text in texts:
        try:
            rules.parse_network(text)
        except rules.EveryAddress as error:
            raise ValidationError(
                _("%(text)s is every address there is. To let the key work from anywhere, leave this empty."),
                params={"text": text},
            ) from error
        except ValueError:
            wrong.append(text)
    if wrong:
        message = _(
            "These are not networks: %(texts)s. Write an address alone, or a network by its first address."
        )
        raise ValidationError(message, params={"texts": ", ".join(wrong[:5])[:200]})
    networks = rules.canonical_networks(texts)
    if len(networks) > rules.MAX_NETWORKS:
        raise ValidationError(errors.InvalidNetworks.message)
    return networks


def people_of(membership: Membership) -> Any:
    """The active people of the organization, by name."""
    members = Membership.objects.filter(organization=membership.organization_id).values("user")
    return User.objects.filter(pk__in=members, is_active=True).order_by("name", "pk")


def _offer_people(form: forms.Form, people: Any) -> None:
    field: Any = form.fields["contacts"]
    field.queryset = people
    field.label_from_instance = lambda person: person.name


class ContactsForm(forms.Form):
    """Who hears of a service key beside its owner, and may rotate it."""

    contacts = PeopleField(
        label=_("Contacts"),
        required=False,
        queryset=User.objects.none(),
        to_field_name="public_id",
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, data: Any = None, *, membership: Membership, key: ApiKey) -> None:
        present = [row.user.public_id for row in key.contact_rows.select_related("user")]
        super().__init__(data, initial={"contacts": present})
        _offer_people(self, people_of(membership).exclude(pk=key.owner_id))


class RotateKeyForm(forms.Form):
    """When the old key ends. Each choice names the exact moment."""

    overlap = forms.TypedChoiceField(
        label=_("The old key stops working"),
        coerce=lambda text: timedelta(seconds=int(text)),
        initial=str(int(rules.DEFAULT_OVERLAP.total_seconds())),
        widget=forms.RadioSelect,
    )
    force = forms.BooleanField(required=False)

    def __init__(self, data: Any = None, *, key: ApiKey, earlier: ApiKey | None, zone: ZoneInfo) -> None:
        super().__init__(data)
        now = timezone.now()
        field: Any = self.fields["overlap"]
        field.choices = [
            (str(int(overlap.total_seconds())), _choice(key, overlap, sentence, now, zone))
            for overlap, sentence in OVERLAPS
        ]
        if earlier is None:
            del self.fields["force"]
        else:
            self.fields["force"].required = True
            self.fields["force"].label = gettext("End the earlier key %(key)s now") % {"key": earlier.masked}
            self.fields["force"].help_text = gettext(
                "It still works. At most two keys of one line may, so that you know which is in use."
            )


def _choice(key: ApiKey, overlap: timedelta, sentence: Any, now: datetime, zone: ZoneInfo) -> str:
    """When the old key ends; where its own expiry comes before the end of ``overlap``, the choice says so."""
    if not overlap:
        return str(sentence)
    end = rules.retirement(expires_at=key.expires_at, overlap=overlap, now=now)
    if end < now + overlap:
        sentence = gettext("At its own expiry, on %(moment)s")
    return str(sentence) % {"moment": date_format(timezone.localtime(end, zone), "DATETIME_FORMAT")}


class RevokeKeyForm(forms.Form):
    """Why a key ends."""

    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=ApiKey.RevokeReason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a reason.")},
    )
