"""The tags that pages are written with. Each draws one component; none reads the database."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from django import template
from django.contrib.messages import constants as message_levels
from django.contrib.messages.storage.base import Message
from django.forms import BaseForm
from django.forms.boundfield import BoundField
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import pgettext

from kellexa_portal.core.pagination import Page
from kellexa_portal.ui.relative import relative
from kellexa_portal.ui.theme import Theme

register = template.Library()

TONE_ICONS = {
    "ok": "circle-check",
    "attention": "triangle-alert",
    "danger": "octagon-alert",
    "neutral": "circle-minus",
    "info": "info",
}
MESSAGE_TONES = {
    message_levels.SUCCESS: "ok",
    message_levels.WARNING: "attention",
    message_levels.ERROR: "danger",
}
THEME_ICONS = {Theme.SYSTEM: "monitor", Theme.LIGHT: "sun", Theme.DARK: "moon"}


SPRITE = Path(__file__).parent.parent / "static/ui/icons.svg"


def icon_names() -> list[str]:
    """The names that the ``icon`` tag knows: the symbols of the sprite."""
    return re.findall(r'<symbol id="([^"]+)"', SPRITE.read_text(encoding="utf-8"))


class SummaryError(NamedTuple):
    """One line of the summary; ``target`` is the id of the input to go to, empty for the whole form."""

    text: str
    label: str = ""
    target: str = ""


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon of the sprite: decoration beside a text, or with ``label`` a picture that speaks for itself."""
    href = f"{static('ui/icons.svg')}#{name}"
    if label:
        return format_html(
            '<svg class="icon" width="20" height="20" role="img" aria-label="{}"><use href="{}"/></svg>',
            label,
            href,
        )
    return format_html(
        '<svg class="icon" width="20" height="20" aria-hidden="true"><use href="{}"/></svg>', href
    )


@register.simple_tag
def timestamp(at: datetime | date | None, mode: str = "full", empty: str = "—") -> SafeString:
    """An instant in the person's zone, the zone named, with its distance from now; ISO 8601 for machines.

    ``mode`` is ``full``, ``absolute`` (no distance), ``relative`` (the exact time in the title) or ``date``.
    A missing instant shows ``empty``.
    """
    if at is None or at == "":
        return format_html('<span class="muted">{}</span>', empty)
    if not isinstance(at, datetime):
        return format_html('<time datetime="{}">{}</time>', at.isoformat(), _date_text(at))
    local = timezone.localtime(at)
    exact = f"{local:%Y-%m-%d %H:%M:%S} {local.tzname()}"
    iso = local.isoformat(timespec="seconds")
    if mode == "date":
        return format_html('<time datetime="{}" title="{}">{}</time>', iso, exact, _date_text(local))
    distance = relative(at, now=timezone.now())
    if mode == "relative":
        return format_html('<time datetime="{}" title="{}">{}</time>', iso, exact, distance)
    text = f"{date_format(local, pgettext('date and time format', 'j M Y, H:i'))} {local.tzname()}"
    if mode == "absolute":
        return format_html('<time datetime="{}" title="{}">{}</time>', iso, exact, text)
    return format_html(
        '<time class="timestamp" datetime="{}" title="{}"><span>{}</span> '
        '<span class="timestamp-relative">{}</span></time>',
        iso,
        exact,
        text,
        distance,
    )


def _date_text(at: date) -> str:
    return date_format(at, pgettext("date format", "j M Y"))


@register.inclusion_tag("ui/components/status.html")
def status(tone: str, label: str) -> dict[str, str]:
    """A state in words and a shape; the colour only repeats them."""
    return {"tone": tone, "label": label, "icon": tone_icon(tone)}


@register.inclusion_tag("ui/components/error_summary.html")
def error_summary(form: BaseForm) -> dict[str, object]:
    """What was refused, first on the page and focused, each line a link to its input."""
    errors = [SummaryError(str(text)) for text in form.non_field_errors()] if form.is_bound else []
    if form.is_bound:
        for field in form.hidden_fields():
            errors += [SummaryError(str(text)) for text in field.errors]
        for field in form.visible_fields():
            errors += [SummaryError(str(text), str(field.label), input_id(field)) for text in field.errors]
    return {"errors": errors, "has_links": any(error.target for error in errors)}


def input_id(field: BoundField) -> str:
    """The id of the element to focus: of a group its first option."""
    return f"{field.auto_id}_0" if field.use_fieldset else (field.id_for_label or str(field.auto_id))


@register.inclusion_tag("ui/components/page_links.html", takes_context=True)
def page_links(context: dict[str, Any], page: Page[Any]) -> dict[str, object]:
    """Links to the next rows and back to the first, with the list's filters kept in the address."""
    request: HttpRequest = context["request"]
    query = request.GET.copy()
    had_cursor = bool(query.pop("cursor", None))
    first_url = f"?{query.urlencode()}" if had_cursor else ""
    is_sorted = bool(query.get("sort"))
    if page.next_cursor is None:
        return {"next_url": "", "first_url": first_url, "is_sorted": is_sorted}
    query["cursor"] = page.next_cursor
    return {"next_url": f"?{query.urlencode()}", "first_url": first_url, "is_sorted": is_sorted}


@register.simple_block_tag
def card(content: str, **options: object) -> SafeString:
    """``{% card title=… %}…{% endcard %}``: ``ui/components/card.html`` around the content."""
    return _component("card", body=content, **options)


@register.simple_block_tag
def danger_zone(content: str, **options: object) -> SafeString:
    """``{% danger_zone text=… %}…{% enddanger_zone %}``: the last section of a page, red only here."""
    return _component("danger_zone", body=content, **options)


@register.simple_block_tag
def confirm_dialog(content: str, **options: object) -> SafeString:
    """``{% confirm_dialog id=… title=… confirm_label=… %}…{% endconfirm_dialog %}``: asks before it acts."""
    return _component("confirm_dialog", body=content, **options)


def _component(name: str, **context: object) -> SafeString:
    return render_to_string(f"ui/components/{name}.html", context)


@register.filter
def tone_icon(tone: str | None) -> str:
    """The shape that goes with a tone."""
    return TONE_ICONS.get(tone or "info", "info")


@register.filter
def theme_icon(theme: Theme) -> str:
    """The picture of a position of the theme switch."""
    return THEME_ICONS[theme]


@register.filter
def message_tone(message: Message) -> str:
    """The tone of a notice of ``django.contrib.messages``."""
    return MESSAGE_TONES.get(message.level, "info")


@register.filter
def has_attr(field: BoundField, name: str) -> bool:
    """Whether the field's widget carries the attribute ``name``."""
    return name in field.field.widget.attrs
