"""Turns a mail's two templates into its two bodies, at the moment that it is deferred."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

from css_inline import CSSInliner
from django.conf import settings
from django.template.backends.django import DjangoTemplates
from django.template.loader import render_to_string

from kellexa_portal.mail.body import Body

_BLANK_LINES = re.compile(r"\n{3,}")
_TRAILING_SPACE = re.compile(r"[ \t]+$", re.MULTILINE)

# No stylesheet is ever fetched or read from disk: a link that a template took from a person must not make
# the server ask anything of anybody (SSRF). At-rules stay, since dark mode and small screens need them.
_inliner = CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)


@functools.lru_cache(maxsize=1)
def _text_engine() -> DjangoTemplates:
    """Templates for plain text: HTML escapes would stand in the mail as ``&amp;`` and break its links."""
    return DjangoTemplates(
        {"NAME": "mail_text", "DIRS": [], "APP_DIRS": True, "OPTIONS": {"autoescape": False}}
    )


def render(template: str, *, subject: str, context: Mapping[str, Any]) -> Body:
    """The text and HTML of ``{template}.txt`` and ``{template}.html``; the HTML's styles become inline."""
    values = {**context, "subject": subject, "portal_url": settings.PUBLIC_URL}
    text = _text_engine().get_template(f"{template}.txt").render(values)
    html = render_to_string(f"{template}.html", values)
    return Body(text=_tidy(text), html=_inliner.inline(html))


def _tidy(text: str) -> str:
    """Without the holes that template tags leave: no space at line ends, never two empty lines."""
    return _BLANK_LINES.sub("\n\n", _TRAILING_SPACE.sub("", text)).strip() + "\n"
