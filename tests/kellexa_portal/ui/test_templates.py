"""No template of the project carries what the content security policy forbids, or an unknown icon."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

from kellexa_portal.ui.templatetags.ui import icon_names

INLINE = re.compile(
    r"<style\b|\sstyle\s*=|<script(?![^>]*\ssrc=)[^>]*>|\son\w+\s*=\s*[\"']|\shx-on|javascript:",
    re.IGNORECASE,
)
CODE_ICON = re.compile(r"""\bicon=["']([\w-]+)["']""")
OURS = ("kellexa_portal", "accounts", "subprocessors", "disclosures")
ICON = re.compile(r"""{%\s*icon\s+["']([\w-]+)["']|\bicon=["']([\w-]+)["']""")


def _templates() -> list[Path]:
    """The pages of all our apps; mail bodies are no pages and have styles of their own."""
    ours = [
        Path(app.path) for app in apps.get_app_configs() if Path(app.path).is_relative_to(settings.BASE_DIR)
    ]
    ours = [folder for folder in ours if ".venv" not in folder.parts]
    found = [path for folder in ours for path in folder.glob("templates/**/*.html")]
    return sorted(path for path in found if "mail" not in path.parent.parts[-1:])


def _findings(pattern: re.Pattern[str]) -> dict[str, list[str]]:
    """What the pattern finds, for each template in which it finds something."""
    texts = {
        str(path.relative_to(settings.BASE_DIR)): path.read_text(encoding="utf-8") for path in _templates()
    }
    found = {name: [match[0] for match in pattern.finditer(text)] for name, text in texts.items()}
    return {name: matches for name, matches in found.items() if matches}


def test_the_walk_finds_the_pages():
    assert len(_templates()) > 20


def test_no_template_has_an_inline_style_or_script():
    assert _findings(INLINE) == {}


@pytest.mark.parametrize(
    "planted", ['<p style="color:red">', "<style>", "<script>alert(1)</script>", '<a onclick="x()">']
)
def test_planted_inline_code_is_found(planted):
    assert INLINE.search(planted)


def test_templates_name_only_icons_of_the_sprite():
    known = set(icon_names())
    named = {name: set(ICON.findall(" ".join(found))) for name, found in _findings(ICON).items()}
    unknown = {name: {one or other for one, other in icons} - known for name, icons in named.items()}

    assert {name: icons for name, icons in unknown.items() if icons} == {}


def test_code_names_only_icons_of_the_sprite():
    sources = [path for top in OURS for path in (settings.BASE_DIR / top).glob("**/*.py")]
    used = {name for path in sources for name in CODE_ICON.findall(path.read_text(encoding="utf-8"))}

    assert used - set(icon_names()) == set()
