"""Foreign keys point down the house; a string reference would slip past import-linter."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.db.models import Field, Model

from tests.architecture.layers import levels, may_know


def _relations() -> Iterator[tuple[type[Model], Field, type[Model]]]:
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.get_fields(include_hidden=False):
            if field.is_relation and not field.auto_created and field.related_model:
                yield model, field, field.related_model


def _app(model: type[Model]) -> str:
    return model._meta.app_config.name


def test_every_app_of_the_house_stands_on_the_map() -> None:
    ours = {"kellexa_portal", "accounts", "subprocessors", "disclosures"}
    names = {config.name for config in apps.get_app_configs() if config.name.split(".")[0] in ours}

    missing = names - set(levels()) - {"kellexa_portal.staff"}

    assert missing == set()


def test_foreign_keys_point_down() -> None:
    level = levels()

    upward = [
        f"{model._meta.label}.{field.name} -> {target._meta.label}"
        for model, field, target in _relations()
        if _app(model) in level and _app(target) in level and not may_know(_app(model), _app(target))
    ]

    assert upward == []


def test_keys_across_apps_leave_no_trace_on_their_target() -> None:
    house = set(levels())

    traces = [
        f"{model._meta.label}.{field.name}"
        for model, field, target in _relations()
        if {_app(model), _app(target)} <= house
        and _app(model) != _app(target)
        and not field.remote_field.hidden
    ]

    assert traces == []
