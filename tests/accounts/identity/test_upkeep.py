"""The purge takes what is worthless, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.identity.models import PasswordReset, PendingSignIn, SignUp, User
from accounts.identity.tasks import purge_expired
from tests.accounts.identity.wishes import sign_up
from tests.factories import accounts

pytestmark = pytest.mark.django_db

LONG_AGO = timedelta(days=3)


def _fill() -> User:
    user = accounts.user()
    sign_up(Client())
    Client().post("/accounts/password/reset/", {"email": user.email})
    Client().post("/accounts/login/", {"email": user.email, "password": accounts.PASSWORD})
    return user


def test_what_expired_goes() -> None:
    _fill()
    now = timezone.now()
    for model in (SignUp, PasswordReset):
        model.objects.update(created_at=now - LONG_AGO, expires_at=now - timedelta(days=2))
    PendingSignIn.objects.update(expires_at=now - timedelta(minutes=1))
    Session.objects.update(expire_date=now - timedelta(minutes=1))

    purge_expired()

    for model in (SignUp, PasswordReset, PendingSignIn, Session):
        assert not model.objects.exists()


def test_what_is_live_stays() -> None:
    user = _fill()

    purge_expired()

    for model in (SignUp, PasswordReset, PendingSignIn, Session):
        assert model.objects.exists()
    assert User.objects.get() == user


def test_the_purge_is_in_the_beat_table() -> None:
    from kellexa_portal.celery import app

    assert app.conf.beat_schedule["accounts.purge_expired"]["task"] == purge_expired.name
