"""Attacks on the record: by doing something that leaves no event, or several, or one that can be undone."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction

from kellexa_portal.audit import Outcome, catalogue
from kellexa_portal.audit.models import Event
from tests.accounts.attacks import scenes
from tests.accounts.attacks.scenes import SCENES, Scene

for module in pkgutil.iter_modules(scenes.__path__, f"{scenes.__name__}."):
    importlib.import_module(module.name)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

SHOWN_ELSEWHERE = {
    "account.lockdown.lift_deny": "tests/accounts/lockdown/test_lift.py",
    "anomaly.travel": "tests/accounts/anomalies/test_sign_in.py",
    "anomaly.takeover": "tests/accounts/anomalies/test_sweep.py",
    "org.sso.connect": "tests/accounts/sso/test_settings.py",
    "org.sso.test": "tests/accounts/sso/test_settings.py",
    "org.sso.test_fail": "tests/accounts/sso/test_settings.py",
    "org.sso.enforce": "tests/accounts/sso/test_settings.py",
    "org.sso.relax": "tests/accounts/sso/test_settings.py",
    "org.sso.disconnect": "tests/accounts/sso/test_settings.py",
    "org.sso.break_glass": "tests/accounts/sso/test_settings.py",
    "org.domain.add": "tests/accounts/sso/test_settings.py",
    "org.domain.verify": "tests/accounts/sso/test_settings.py",
    "org.domain.verify_fail": "tests/accounts/sso/test_settings.py",
    "org.domain.lapse": "tests/accounts/sso/test_settings.py",
    "org.domain.remove": "tests/accounts/sso/test_settings.py",
    "auth.sso.link": "tests/accounts/sso/test_sign_in.py",
    "auth.sso.fail": "tests/accounts/sso/test_sign_in.py",
}
"""Events whose cause takes more than a scene; the tests of their app bring it about."""


def _ids_of(scene: Scene) -> set[int]:
    return set(Event.objects.filter(name=scene.event.value).values_list("pk", flat=True))


def _acted(scene: Scene, *, is_undone: bool) -> list[Event]:
    """The events of this name that the act left behind."""
    act = scene.prepare()
    before = _ids_of(scene)
    if is_undone:
        with transaction.atomic():
            act()
            transaction.set_rollback(True)
    else:
        act()
    return list(Event.objects.filter(name=scene.event.value).exclude(pk__in=before))


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_nothing_is_done_without_exactly_one_event(scene: Scene) -> None:
    """Case 46 (TOB-PYPI26-4): not none, and not one a retry."""
    events = _acted(scene, is_undone=False)

    assert {event.outcome for event in events} == {scene.outcome.value}
    assert len(events) == len({(event.stream_type, event.stream_id) for event in events}) == scene.logs


def _refused() -> list[object]:
    return [pytest.param(scene, id=scene.name) for scene in SCENES if scene.outcome is not Outcome.SUCCESS]


@pytest.mark.parametrize("scene", _refused())
def test_no_refusal_is_erased_by_a_request_that_rolls_back(scene: Scene) -> None:
    """Case 46 (TOB-PYPI26-4): an attempt that is made to fail further on leaves its event all the same."""
    assert len(_acted(scene, is_undone=True)) == scene.logs


def test_no_event_of_accounts_is_without_a_scene() -> None:
    """Case 46 (TOB-PYPI26-4): the table is the whole catalogue."""
    ours = {event.value for event in catalogue.registered() if type(event).__module__.startswith("accounts.")}
    shown = {scene.event.value for scene in SCENES}

    assert ours - shown == set(SHOWN_ELSEWHERE)
    for name, path in SHOWN_ELSEWHERE.items():
        assert name in (Path(settings.BASE_DIR) / path).read_text(encoding="utf-8")
