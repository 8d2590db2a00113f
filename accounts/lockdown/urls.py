"""Addresses under ``/accounts/lockdown/``."""

from __future__ import annotations

from django.urls import path

from accounts.lockdown import views

app_name = "lockdown"
urlpatterns = [
    path("", views.page, name="page"),
    path("lift/", views.lift, name="lift"),
    path("keys/", views.keys, name="keys"),
    path("done/", views.done, name="done"),
    path("<str:token>/", views.link, name="link"),
]
