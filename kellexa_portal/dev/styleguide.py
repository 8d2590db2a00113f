"""The styleguide: every component in every state, and the three frames with everything in them.

What a person or a visual test looks at, so it holds the long names and the odd lengths on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone

from kellexa_portal.core.pagination import Page
from kellexa_portal.ui.navigation import NavLink, OrganizationChoice, OrganizationMenu
from kellexa_portal.ui.shell import Shell
from kellexa_portal.ui.templatetags.ui import TONE_ICONS, icon_names
from kellexa_portal.ui.theme import Theme
from kellexa_portal.web import gates
from kellexa_portal.web.methods import require_safe

FRAMES = ("public", "auth", "customer")
COLORS = ("page", "surface", "sunken", "line", "line-strong", "text", "text-muted", "accent", "accent-soft")
SECRET = "klxs_test_" + "Demo0Only" * 7
CODES = tuple(f"{n:02d}demo-{n * 7919 % 100000:05d}" for n in range(1, 11))
AGES = {
    "A moment ago": timedelta(seconds=-5),
    "Minutes": timedelta(minutes=-3),
    "Hours": timedelta(hours=-5),
    "Days ahead": timedelta(days=12, minutes=1),
    "Months": timedelta(days=-70),
}


@dataclass(frozen=True)
class SamplePerson:
    """Somebody to show in the frame."""

    name: str = "Ada Lindqvist"
    email: str = "ada.lindqvist@acme.example"


@dataclass(frozen=True)
class SampleShell:
    """A frame with every slot filled, whatever the apps have registered; the theme is the real one."""

    path: str
    theme: Theme
    themes: list[tuple[Theme, bool]]
    color_scheme: str
    theme_url: str
    items: list[NavLink]
    public_links: list[NavLink]
    footer_links: list[NavLink]
    account_links: list[NavLink]
    home: NavLink
    sign_in: NavLink
    sign_out: NavLink
    alarm: NavLink
    organization: OrganizationMenu
    person: SamplePerson | None


def _link(label: str, icon: str = "", *, is_current: bool = False) -> NavLink:
    return NavLink(label, "#main", icon, is_current)


def sample_shell(request: HttpRequest, *, person: SamplePerson | None) -> SampleShell:
    """The frame around a sample page."""
    real = Shell(request)
    here = request.path
    return SampleShell(
        path=real.path,
        theme=real.theme,
        themes=real.themes,
        color_scheme=real.color_scheme,
        theme_url=real.theme_url,
        items=[
            _link("Checkup", "shield-check"),
            _link("Sign-in & factors", "fingerprint"),
            _link("API keys", "key", is_current=True),
            _link("Webhooks", "webhook"),
            _link("Integrations", "plug"),
            _link("Activity", "activity"),
            _link("Organization", "building"),
        ],
        public_links=[_link("Trust center", is_current=True), _link("Report a vulnerability")],
        footer_links=[_link("Policies"), _link("security.txt")],
        account_links=[_link("Password", "lock"), _link("Devices", "laptop")],
        home=NavLink("Checkup", here, "shield-check", is_current=False),
        sign_in=_link("Sign in", "log-in"),
        sign_out=NavLink("Sign out", here, "log-out", is_current=False),
        alarm=_link("Lock down", "siren"),
        organization=OrganizationMenu(
            name="Acme Research and Manufacturing",
            switch_url_name="ui:theme",  # a harmless address: samples switch nothing
            choices=(
                OrganizationChoice("acme", "Acme Research and Manufacturing", is_current=True),
                OrganizationChoice("globex", "Globex"),
            ),
        ),
        person=person,
    )


class SampleForm(forms.Form):
    """One field of each kind."""

    email = forms.EmailField(
        label="Email",
        help_text="We write to this address only about security.",
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    new_password = forms.CharField(
        label="New password",
        help_text="At least 15 characters. A few unrelated words work well.",
        widget=forms.PasswordInput(
            attrs={
                "autocomplete": "new-password",
                "data-password-toggle": True,
                "data-password-strength": True,
            }
        ),
    )
    code = forms.CharField(
        label="Authentication code",
        max_length=6,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
    environment = forms.ChoiceField(
        label="Environment", choices=[("live", "Live"), ("test", "Test")], widget=forms.RadioSelect
    )
    scopes = forms.MultipleChoiceField(
        label="Scopes",
        help_text="A scope says what a key may do. Give only what is needed.",
        choices=[("keys:read", "Read keys"), ("keys:write", "Create, rotate and revoke keys")],
        widget=forms.CheckboxSelectMultiple,
    )
    expires = forms.ChoiceField(label="Expires", choices=[("90", "In 90 days"), ("30", "In 30 days")])
    allowed_networks = forms.CharField(
        label="Allowed addresses",
        help_text="One network a line, such as 192.0.2.0/24.",
        required=False,
        widget=forms.Textarea,
    )
    evidence = forms.FileField(label="Attachments", required=False)
    remember = forms.BooleanField(label="Tell me when this key is about to expire", required=False)
    frozen = forms.CharField(label="Owner", disabled=True, required=False, initial="Ada Lindqvist")

    def clean(self) -> dict[str, Any]:
        raise ValidationError("This key can’t be created now: your organization has 50 keys already.")


def _sample_messages() -> list[Message]:
    return [
        Message(messages.SUCCESS, "The key “deploy-bot” was revoked."),
        Message(messages.WARNING, "Two keys expire within 14 days."),
        Message(messages.ERROR, "The key was not created."),
    ]


def _samples() -> dict[str, Any]:
    now: datetime = timezone.now()
    return {
        "colors": COLORS,
        "icons": icon_names(),
        "tones": tuple(TONE_ICONS),
        "ages": [(label, now + age) for label, age in AGES.items()],
        "now": now,
        "form": SampleForm(initial={"environment": "live"}, auto_id="fresh_%s"),
        "refused": SampleForm({"email": "ada@", "environment": "other"}, auto_id="refused_%s"),
        "page_with_more": Page(items=[], next_cursor="MQ"),
        "steps": ["Scan the code", "Confirm", "Keep the recovery codes"],
        "crumbs": [("API keys", "#main"), ("deploy-bot", "")],
        "secret": SECRET,
        "codes": CODES,
        "messages": _sample_messages(),
    }


@gates.public
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Every component in every state."""
    context = {**_samples(), "shell": sample_shell(request, person=None)}
    return render(request, "dev/styleguide.html", context)


@gates.public
@require_safe
def frame(request: HttpRequest, name: str) -> HttpResponse:
    """One of the three frames around a typical page."""
    if name not in FRAMES:
        raise Http404
    person = SamplePerson() if name == "customer" else None
    context = {
        **_samples(),
        "messages": _sample_messages()[:1],
        "shell": sample_shell(request, person=person),
    }
    return render(request, f"dev/frame_{name}.html", context)


app_name = "styleguide"
urlpatterns = [path("", page, name="page"), path("<slug:name>/", frame, name="frame")]
