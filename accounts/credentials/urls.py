"""Addresses under ``/accounts/keys/``."""

from __future__ import annotations

from django.urls import path, register_converter

from accounts.credentials import views
from accounts.credentials.tokens import ID_LENGTH

app_name = "credentials"


class KeyIdConverter:
    """Admits what can be a key's id; anything else is not an address here."""

    regex = f"[0-9A-Za-z]{{{ID_LENGTH}}}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(KeyIdConverter, "key_id")

urlpatterns = [
    path("", views.index, name="list"),
    path("create/", views.create, name="create"),
    path("revoke/", views.revoke_many, name="revoke_many"),
    path("help/", views.guide, name="help"),
    path("<key_id:key_id>/", views.detail, name="detail"),
    path("<key_id:key_id>/token/", views.token, name="token"),
    path("<key_id:key_id>/contacts/", views.contacts, name="contacts"),
    path("<key_id:key_id>/rotate/", views.rotate, name="rotate"),
    path("<key_id:key_id>/revoke/", views.revoke, name="revoke"),
]
