"""The outbox as staff see it: everything but what it says, and one button."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.identity.models import StaffAssignment, User
from kellexa_portal.audit import Stream
from kellexa_portal.audit.queries import events_of
from kellexa_portal.mail.models import OutboxMail
from tests.factories import accounts
from tests.factories.sign_in import new_person, sign_in
from tests.kellexa_portal.mail.conftest import Write

LIST = "/admin/mail/outboxmail/"

pytestmark = pytest.mark.django_db


def _staff(client: Client, role: str) -> User:
    person = accounts.staff(role)
    sign_in(client, person)
    return person


def _press_try_again(client: Client, mail: OutboxMail) -> int:
    form = {"action": "try_again", "_selected_action": [mail.pk]}
    return client.post(LIST, form, secure=True).status_code


@pytest.fixture
def failed(write: Write) -> OutboxMail:
    mail = write(to="ada@acme.example")
    OutboxMail.objects.update(state="failed", last_error="550 No such user")
    return mail


def test_list_and_page_show_facts_and_never_the_body(client: Client, failed: OutboxMail) -> None:
    _staff(client, StaffAssignment.Role.PLATFORM_AUDITOR)

    listed = client.get(LIST, secure=True).content.decode()
    shown = client.get(f"{LIST}{failed.pk}/change/", secure=True).content.decode()

    for page in (listed, shown):
        assert "ada@acme.example" in page
        assert "t0ken" not in page
    assert "550 No such user" in shown
    assert 'name="_save"' not in shown


def test_customer_gets_no_outbox(client: Client, failed: OutboxMail) -> None:
    sign_in(client, new_person())

    assert client.get(LIST, secure=True).status_code in {302, 404}


def test_button_orders_another_try_on_record(client: Client, failed: OutboxMail) -> None:
    person = _staff(client, StaffAssignment.Role.ADMINISTRATOR)

    _press_try_again(client, failed)

    failed.refresh_from_db()
    assert failed.state == "pending"
    [event] = events_of(Stream.staff()).filter(name="mail.delivery.retry")
    assert event.actor_id == str(person.public_id)


def test_button_without_the_permission_does_nothing(client: Client, failed: OutboxMail) -> None:
    _staff(client, StaffAssignment.Role.PLATFORM_AUDITOR)

    _press_try_again(client, failed)

    failed.refresh_from_db()
    assert failed.state == "failed"


@pytest.mark.parametrize("page", ["add/", "{}/delete/"])
def test_not_even_a_superuser_adds_or_deletes(client: Client, failed: OutboxMail, page: str) -> None:
    person = new_person("root@kellexa.example", is_staff=True)
    User.objects.filter(pk=person.pk).update(is_superuser=True)
    sign_in(client, person)

    answer = client.post(LIST + page.format(failed.pk), {"post": "yes"}, secure=True)

    assert answer.status_code == 403
    assert OutboxMail.objects.filter(pk=failed.pk).exists()
