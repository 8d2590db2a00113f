"""A sign-up as a person types it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.test import Client

from tests.factories.accounts import PASSWORD

SIGNUP = "/accounts/signup/"
EMAIL = "robin@newcustomer.example"


def wish(**changed: Any) -> dict[str, Any]:
    """The fields of the sign-up form, filled in well but for what is ``changed``."""
    return {
        "name": "Robin Sample",
        "email": EMAIL,
        "organization_name": "Sample Works",
        "password": PASSWORD,
        "time_zone": "Europe/Lisbon",
        **changed,
    }


def sign_up(client: Client, *, ip: str = "203.0.113.5", **changed: Any) -> HttpResponse:
    """Posts a sign-up."""
    return client.post(SIGNUP, wish(**changed), REMOTE_ADDR=ip)
