"""The staff hear of a new case at once, and learn nothing from the mail that a list would not show them."""

from __future__ import annotations

import pytest

from accounts.lockdown.actions import raise_alarm
from kellexa_portal.core.actor import Actor
from kellexa_portal.mail.models import OutboxMail
from tests.accounts.identity.mailbox import texts_to
from tests.factories.accounts import staff
from tests.factories.sign_in import new_person

pytestmark = pytest.mark.django_db


def _told() -> list[str]:
    return sorted(OutboxMail.objects.filter(kind="lockdown.case").values_list("recipient", flat=True))


def test_those_who_close_cases_are_told_once() -> None:
    person = new_person()
    workers = [staff("administrator"), staff("incident_commander")]
    staff("dpo")
    gone = staff("administrator")
    type(gone).objects.filter(pk=gone.pk).update(is_active=False)

    for _ in range(2):
        raise_alarm(actor=Actor.of(person), user=person)

    assert _told() == sorted(worker.email for worker in workers)


def test_the_mail_names_the_case_and_no_customer() -> None:
    person, worker = new_person(), staff("administrator")

    lockdown = raise_alarm(actor=Actor.of(person), user=person)

    text = texts_to(worker.email)[-1]
    assert str(lockdown.public_id) in text
    assert f"/admin/lockdown/lockdown/{lockdown.pk}/change/" in text
    assert person.email not in text
    assert person.name not in text
