"""Looks for foreign keys that point up the house; run as ``python -m tests.architecture.foreign_keys``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import django
from django.apps import apps
from django.db.models import Model

from tests.architecture.layers import levels, may_know

Relation = tuple[type[Model], Any, type[Model]]


def _relations() -> Iterator[Relation]:
    """Every foreign key and many-to-many among the models of the house."""
    level = levels()
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.get_fields():
            if not field.is_relation or field.auto_created or not isinstance(field.related_model, type):
                continue
            if app_of(model) in level and app_of(field.related_model) in level:
                yield model, field, field.related_model


def app_of(model: type[Model]) -> str:
    return model._meta.app_config.name


def upward() -> list[str]:
    """The keys that point at something their app may not know."""
    return [
        f"{model._meta.label}.{field.name} -> {target._meta.label}"
        for model, field, target in _relations()
        if not may_know(app_of(model), app_of(target))
    ]


def traces() -> list[str]:
    """The keys across apps that leave a reverse accessor on their target, which would know its users."""
    return [
        f"{model._meta.label}.{field.name}"
        for model, field, target in _relations()
        if app_of(model) != app_of(target) and not field.remote_field.hidden
    ]


def main() -> int:
    """Prints what is wrong; the exit status says whether anything is."""
    django.setup()
    found = [f"points up: {key}" for key in upward()] + [f"leaves a trace: {key}" for key in traces()]
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
