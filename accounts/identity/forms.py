"""Validation of what people type into the sign-up and sign-in family; no writes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext_lazy as _

from accounts.identity import passwords, rules
from accounts.identity.models import User


class AddressField(forms.EmailField):
    """An e-mail address, folded to the form in which it is stored and mailed (``rules.clean_email``)."""

    def __init__(self, *, autocomplete: str, **kwargs: Any) -> None:
        super().__init__(label=_("Email"), max_length=rules.MAX_EMAIL_LENGTH, **kwargs)
        self.widget.attrs.update(autocomplete=autocomplete, spellcheck="false", autocapitalize="none")

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return text
        try:
            return rules.clean_email(text)
        except ValueError as error:
            raise ValidationError(
                _("Enter a complete email address, such as name@example.com."), code="invalid"
            ) from error


class NameField(forms.CharField):
    """A name of a person or an organization, in characters that show."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=rules.MAX_NAME_LENGTH, **kwargs)

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        if not text:
            return ""
        try:
            return rules.clean_name(text)
        except ValueError as error:
            raise ValidationError(_("Leave out control characters."), code="invalid") from error


class PasswordField(forms.CharField):
    """A password as typed: never trimmed or echoed, and without ``maxlength``, which would cut it.

    More than 256 characters are refused here, before anything is hashed (CVE-2013-1443).
    """

    def __init__(self, *, autocomplete: str, **kwargs: Any) -> None:
        too_long = _("Use at most %(limit_value)d characters.")
        super().__init__(
            strip=False,
            widget=forms.PasswordInput(attrs={"autocomplete": autocomplete, "data-password-toggle": ""}),
            validators=[MaxLengthValidator(passwords.MAX_LENGTH, too_long)],
            **kwargs,
        )


class NewPasswordField(PasswordField):
    """A password that is being chosen, with the strength meter; its rules need context: see ``_judge``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            autocomplete="new-password",
            help_text=_("At least 15 characters. A few unrelated words are strong and easy to remember."),
            **kwargs,
        )
        self.widget.attrs.update(
            {"data-password-strength": "", "passwordrules": f"minlength: {passwords.MIN_LENGTH};"}
        )


class SignUpForm(forms.Form):
    """Who, for which organization, with which password."""

    name = NameField(label=_("Name"), widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = AddressField(autocomplete="email")
    organization_name = NameField(
        label=_("Organization"), widget=forms.TextInput(attrs={"autocomplete": "organization"})
    )
    password = NewPasswordField(label=_("Password"))
    time_zone = forms.CharField(
        required=False,
        max_length=64,
        empty_value="",
        widget=forms.HiddenInput(attrs={"data-time-zone": ""}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        about = passwords.About(
            email=cleaned.get("email", ""),
            name=cleaned.get("name", ""),
            organization_name=cleaned.get("organization_name", ""),
        )
        _judge(self, "password", about)
        return cleaned


class ConfirmSignUpForm(forms.Form):
    """The button that confirms an address; in another browser also the password that was chosen."""

    password = PasswordField(label=_("Password"), autocomplete="current-password")

    def __init__(self, data: Any = None, *, asks_password: bool) -> None:
        super().__init__(data)
        if not asks_password:
            del self.fields["password"]


class LoginForm(forms.Form):
    """Address and password; the browser offers passkeys where the address is typed."""

    email = AddressField(autocomplete="username webauthn")
    password = PasswordField(label=_("Password"), autocomplete="current-password")


class EmailForm(forms.Form):
    """The new address of the account."""

    email = AddressField(autocomplete="email")


class ResetRequestForm(forms.Form):
    """Whose password."""

    email = AddressField(autocomplete="username")


class NewPasswordForm(forms.Form):
    """A new password for ``user``, who came by a mailed link."""

    new_password = NewPasswordField(label=_("New password"))

    def __init__(self, data: Any = None, *, user: User) -> None:
        super().__init__(data)
        self.user = user

    def clean(self) -> dict[str, Any]:
        _judge(self, "new_password", passwords.About(email=self.user.email, name=self.user.name))
        return self.cleaned_data


class ChangePasswordForm(NewPasswordForm):
    """The current password and a new one."""

    password = PasswordField(label=_("Password"), autocomplete="current-password")
    field_order = ("password", "new_password")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        new = cleaned.get("new_password")
        if new and new == cleaned.get("password"):
            self.add_error("new_password", _("Choose a password that differs from the current one."))
        return cleaned


def _judge(form: forms.Form, field: str, about: passwords.About) -> None:
    """Puts the password rules' refusal beside ``field``, once the rest of it is readable."""
    password = form.cleaned_data.get(field)
    if not password:
        return
    try:
        passwords.validate(password, about)
    except ValidationError as error:
        form.add_error(field, error)
