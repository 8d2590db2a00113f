"""Filters for mail templates."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def one_line(value: object) -> str:
    """``value`` on one line.

    Attack: a name with line breaks in a text mail forges facts, or a whole letter, under our sender.
    """
    return " ".join(str(value).split())
