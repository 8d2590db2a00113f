"""Fields carry what screen readers and password managers need."""

from __future__ import annotations

import re

from django import forms


class _Form(forms.Form):
    email = forms.EmailField(
        label="Email",
        help_text="Only about security.",
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    password = forms.CharField(
        label="Password",
        widget=forms.PasswordInput(
            attrs={
                "autocomplete": "current-password",
                "data-password-toggle": True,
                "data-password-strength": True,
            }
        ),
    )
    scopes = forms.MultipleChoiceField(
        label="Scopes",
        help_text="What the key may do.",
        choices=[("read", "Read"), ("write", "Write")],
        widget=forms.CheckboxSelectMultiple,
    )
    note = forms.CharField(label="Note", required=False)
    agree = forms.BooleanField(label="I agree")


def _field(name: str, data: dict[str, str] | None = None) -> str:
    return str(_Form(data)[name].as_field_group())


def test_the_label_names_the_input_and_nothing_else():
    assert re.search(r'<label [^>]*for="id_email">Email</label>', _field("email"))
    assert re.search(r'<label [^>]*for="id_note">Note</label>', _field("note"))


def test_the_help_describes_the_input():
    html = _field("email")

    assert 'aria-describedby="id_email_helptext"' in html
    assert 'id="id_email_helptext"' in html


def test_a_refused_input_is_marked_and_described_by_its_error():
    html = _field("email", {"email": "x"})

    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_email_helptext id_email_error"' in html
    assert 'id="id_email_error"' in html
    assert "Enter a valid email address." in html


def test_what_was_typed_is_kept_and_escaped():
    assert 'value="&quot;&gt;&lt;b&gt;"' in _field("email", {"email": '"><b>'})


def test_a_password_is_never_written_back():
    assert "hunter" not in _field("password", {"password": "hunter2"})


def test_autocomplete_reaches_the_input():
    assert 'autocomplete="username"' in _field("email")
    assert 'autocomplete="current-password"' in _field("password")


def test_an_optional_field_says_so_beside_its_label():
    assert "(optional)" in _field("note")
    assert "(optional)" not in _field("email")


def test_a_group_of_options_is_a_fieldset_with_a_legend():
    html = _field("scopes", {})

    assert html.startswith("<fieldset")
    assert re.search(r"<legend[^>]*>Scopes</legend>", html)
    assert 'aria-describedby="id_scopes_helptext id_scopes_error"' in html.split(">", 1)[0]


def test_a_checkbox_stands_before_its_label():
    html = _field("agree")

    assert html.index("<input") < html.index("<label")


def test_the_password_tools_wait_for_the_script():
    html = _field("password")

    assert re.search(r"<button[^>]* data-toggle-for=\"id_password\"[^>]* hidden>", html)
    assert re.search(r"data-strength-for=\"id_password\" hidden>", html)
    assert "<meter" in html


def test_only_one_element_is_labelled_password():
    html = _field("password")

    assert len(re.findall(r"(?:aria-label=\"[^\"]*[Pp]assword|>Password</label>)", html)) == 1
