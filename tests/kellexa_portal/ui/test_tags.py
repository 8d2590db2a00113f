"""What the template tags write."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone

from kellexa_portal.core.pagination import Page


def _draw(source: str, **context: object) -> str:
    return Template("{% load ui %}" + source).render(Context(context))


def test_an_icon_beside_a_text_is_hidden_from_screen_readers():
    html = _draw('{% icon "key" %}')

    assert 'aria-hidden="true"' in html
    assert 'href="/static/ui/icons.svg#key"' in html


def test_an_icon_with_a_label_speaks_for_itself():
    html = _draw("{% icon 'key' label=label %}", label='a "key"')

    assert 'role="img" aria-label="a &quot;key&quot;"' in html
    assert "aria-hidden" not in html


def test_a_timestamp_names_zone_and_distance():
    at = timezone.now() - timedelta(minutes=3, seconds=5)

    with timezone.override(ZoneInfo("Europe/Berlin")):
        html = _draw("{% timestamp at %}", at=at)

    assert f'datetime="{at.astimezone(ZoneInfo("Europe/Berlin")).isoformat(timespec="seconds")}"' in html
    assert "CE" in html  # CET or CEST
    assert "3 minutes ago" in html


def test_a_timestamp_in_absolute_mode_is_exact():
    at = datetime(2026, 1, 5, 14, 5, 31, tzinfo=UTC)

    with timezone.override(UTC):
        html = _draw('{% timestamp at mode="absolute" %}', at=at)

    assert html == (
        '<time datetime="2026-01-05T14:05:31+00:00" title="2026-01-05 14:05:31 UTC">'
        "5 Jan 2026, 14:05 UTC</time>"
    )


def test_a_date_has_no_hour():
    html = _draw("{% timestamp day %}", day=date(2026, 1, 5))

    assert html == '<time datetime="2026-01-05">5 Jan 2026</time>'


def test_a_missing_instant_says_so():
    assert "Never used" in _draw('{% timestamp at empty="Never used" %}', at=None)


@pytest.mark.parametrize("tone", ["ok", "attention", "danger", "neutral", "info"])
def test_a_status_has_a_shape_and_words_beside_its_colour(tone):
    html = _draw("{% status tone label %}", tone=tone, label="Active <b>")

    assert f'data-tone="{tone}"' in html
    assert "icons.svg#" in html
    assert "Active &lt;b&gt;" in html


def test_page_links_keep_the_filters_and_replace_the_cursor():
    request = RequestFactory().get("/keys/", {"state": "active", "cursor": "old"})

    html = _draw("{% page_links page %}", request=request, page=Page(items=[], next_cursor="next"))

    assert 'href="?state=active&amp;cursor=next"' in html
    assert 'href="?state=active"' in html
    assert "cursor=old" not in html


def test_a_list_of_one_page_has_no_links():
    request = RequestFactory().get("/keys/")

    html = _draw("{% page_links page %}", request=request, page=Page(items=[], next_cursor=None))

    assert html.strip() == ""


def test_the_content_of_a_block_component_is_kept_and_its_options_are_escaped():
    html = _draw("{% danger_zone title=title %}<b>inside</b>{% enddanger_zone %}", title="<i>Revoke</i>")

    assert "<b>inside</b>" in html
    assert "&lt;i&gt;Revoke&lt;/i&gt;" in html
    assert "<i>" not in html


class _Form(forms.Form):
    email = forms.EmailField(label="Email")
    kind = forms.ChoiceField(label="Kind", choices=[("a", "A")], widget=forms.RadioSelect)
    token = forms.CharField(widget=forms.HiddenInput)

    def clean(self) -> None:
        raise forms.ValidationError("Not <now>.")


def test_the_summary_links_each_error_to_its_input():
    html = _draw("{% error_summary form %}", form=_Form({"email": "x"}))

    assert 'href="#id_email">Email: Enter a valid email address.' in html
    assert 'href="#id_kind_0"' in html
    assert "Not &lt;now&gt;." in html
    assert 'tabindex="-1"' in html


def test_the_error_of_a_hidden_field_is_said_without_a_link():
    html = _draw("{% error_summary form %}", form=_Form({"email": "a@b.example", "kind": "a"}))

    assert "<li>This field is required.</li>" in html


def test_a_fresh_form_has_no_summary():
    assert _draw("{% error_summary form %}", form=_Form()).strip() == ""
