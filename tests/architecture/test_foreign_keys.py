"""Foreign keys point down the house; a string reference would slip past import-linter."""

from __future__ import annotations

from django.apps import apps

from tests.architecture import foreign_keys
from tests.architecture.layers import levels


def test_every_app_of_the_house_stands_on_the_map() -> None:
    ours = {"kellexa_portal", "accounts", "subprocessors", "disclosures"}
    names = {config.name for config in apps.get_app_configs() if config.name.split(".")[0] in ours}

    assert names - set(levels()) == set()


def test_foreign_keys_point_down() -> None:
    assert foreign_keys.upward() == []


def test_keys_across_apps_leave_no_trace_on_their_target() -> None:
    assert foreign_keys.traces() == []
