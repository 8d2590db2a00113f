"""Django's session rows: what a reader of the table learns."""

from __future__ import annotations

from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils import timezone

from accounts.sessions.store import SessionStore, row_name
from tests.factories import accounts
from tests.factories.sign_in import sign_in

pytestmark = pytest.mark.django_db


def test_a_stolen_table_signs_nobody_in(client: Client) -> None:
    sign_in(client, accounts.user())
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    row = Session.objects.get()
    assert key not in row.session_key + row.session_data
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = row.session_key
    assert thief.get("/accounts/").status_code == 302
    assert client.get("/accounts/").status_code == 200


def test_a_session_is_found_saved_and_deleted_by_its_key() -> None:
    store = SessionStore()
    store["colour"] = "green"
    store.create()
    store["colour"] = "blue"
    store.save()
    key = store.session_key
    assert key is not None
    assert SessionStore(key)["colour"] == "blue"
    assert SessionStore().exists(key)
    assert not SessionStore().exists(row_name(key))
    SessionStore(key).delete()
    assert not Session.objects.exists()


def test_a_new_key_leaves_nothing_under_the_old_one() -> None:
    store = SessionStore()
    store["colour"] = "green"
    store.create()
    old = store.session_key
    store.cycle_key()
    store.save()
    assert not SessionStore().exists(str(old))
    assert SessionStore(store.session_key)["colour"] == "green"


def test_a_session_past_its_time_is_empty() -> None:
    store = SessionStore()
    store["colour"] = "green"
    store.create()
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    late = SessionStore(store.session_key)
    assert late.get("colour") is None
    assert late.session_key is None


@pytest.mark.parametrize("ask", ["aload", "aexists", "asave", "adelete"])
def test_the_asynchronous_half_is_closed(ask: str) -> None:
    arguments = ["x" * 32] if ask in ("aexists", "adelete") else []
    with pytest.raises(ImproperlyConfigured):
        async_to_sync(getattr(SessionStore("x" * 32), ask))(*arguments)
