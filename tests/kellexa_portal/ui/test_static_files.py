"""The static files: complete, small, and one style sheet in production."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command

import kellexa_portal.ui
from kellexa_portal.ui.storage import IMPORT, bundled

STATIC = Path(kellexa_portal.ui.__file__).parent / "static/ui"
BUDGET = 60_000


def _packed(text: str | bytes) -> int:
    return len(gzip.compress(text.encode() if isinstance(text, str) else text, 6))


def test_every_style_sheet_is_part_of_the_entry():
    imported = {f"ui/{found['url']}" for found in IMPORT.finditer((STATIC / "portal.css").read_text())}
    present = {f"ui/{path.relative_to(STATIC).as_posix()}" for path in STATIC.glob("css/**/*.css")}

    assert imported == present


def test_the_bundle_holds_every_layer_and_no_import():
    text = bundled()

    assert "@import" not in text
    for layer in ("tokens", "base", "layout", "components", "utilities"):
        assert f"@layer {layer} {{" in text


def test_the_bundle_s_braces_are_balanced():
    text = re.sub(r"/\*.*?\*/", "", bundled(), flags=re.DOTALL)

    assert text.count("{") == text.count("}")


@pytest.mark.django_db
def test_a_first_page_stays_within_its_budget(client):
    pages = [client.get(f"/dev/styleguide/{frame}/").content for frame in ("public", "auth", "customer")]
    scripts = [path.read_bytes() for path in STATIC.glob("js/*.js")]
    pictures = [(STATIC / name).read_bytes() for name in ("icons.svg", "favicon.svg")]

    total = max(map(_packed, pages)) + sum(map(_packed, [*scripts, *pictures, bundled()]))

    assert total <= BUDGET / 2  # the other half is for what the apps' own pages add


def test_every_module_that_is_imported_exists():
    for module in STATIC.glob("js/*.js"):
        for name in re.findall(r'from "\./([\w.-]+)"|import "\./([\w.-]+)"', module.read_text()):
            assert (module.parent / (name[0] or name[1])).is_file()


def test_no_script_writes_markup_or_evaluates_text():
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\.style\b"
    )

    assert [path.name for path in STATIC.glob("js/*.js") if forbidden.search(path.read_text())] == []


@pytest.fixture
def collected(settings, tmp_path):
    """The static files as production has them."""
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "kellexa_portal.ui.storage.PortalStaticFilesStorage"},
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    return tmp_path


def test_production_serves_the_style_sheet_in_one_piece(collected):
    name = staticfiles_storage.stored_name("ui/portal.css")

    assert name != "ui/portal.css"
    assert "@import" not in (collected / name).read_text()
    assert (collected / f"{name}.gz").exists()


def test_production_modules_import_hashed_names(collected):
    text = (collected / staticfiles_storage.stored_name("ui/js/portal.js")).read_text()
    imported = re.findall(r'import "\./([\w.-]+)";', text)

    source = (STATIC / "js/portal.js").read_text()
    assert len(imported) == source.count('import "./') > 0
    assert all(re.fullmatch(r"[\w-]+\.[0-9a-f]{12}\.js", name) for name in imported)
    assert all((collected / "ui/js" / name).is_file() for name in imported)


def test_the_licence_of_the_icons_is_shipped():
    path = finders.find("ui/LICENSES")

    assert path is not None
    assert "ISC License" in Path(path).read_text()
