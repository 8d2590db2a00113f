"""The tokens keep WCAG 2.2: text 4.5:1 (1.4.3), controls and shapes 3:1 (1.4.11), in both themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import kellexa_portal.ui

TOKENS = Path(kellexa_portal.ui.__file__).parent / "static/ui/css/tokens.css"
PAIR = re.compile(r"--([\w-]+): (?:light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)|(#[0-9a-f]{6}));")
GROUNDS = ("page", "surface", "sunken")
TONES = ("ok", "attention", "danger")

TEXT = [
    *((text, ground) for text in ("text", "text-muted", "accent", "accent-strong") for ground in GROUNDS),
    *((tone, ground) for tone in TONES for ground in GROUNDS),
    *((tone, f"{tone}-soft") for tone in (*TONES, "accent")),
    *(("text", f"{tone}-soft") for tone in (*TONES, "accent")),
    *(("accent", f"{tone}-soft") for tone in TONES),
    *(("danger-strong", ground) for ground in (*GROUNDS, "danger-soft")),
    *(
        ("on-fill", fill)
        for fill in ("accent-fill", "accent-fill-strong", "danger-fill", "danger-fill-strong")
    ),
]
SHAPES = [
    (shape, ground) for shape in ("line-strong", "accent", "accent-fill", "danger-fill") for ground in GROUNDS
]


def _tokens(theme: str) -> dict[str, str]:
    index = 1 if theme == "light" else 2
    return {m[0]: m[index] or m[3] for m in PAIR.findall(TOKENS.read_text(encoding="utf-8"))}


def _luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG, between 1 and 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_black_on_white_is_twenty_one_to_one():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT)
def test_text_stands_out_from_its_ground(theme, text, ground):
    tokens = _tokens(theme)

    assert contrast(tokens[text], tokens[ground]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("shape", "ground"), SHAPES)
def test_controls_stand_out_from_their_ground(theme, shape, ground):
    tokens = _tokens(theme)

    assert contrast(tokens[shape], tokens[ground]) >= 3
