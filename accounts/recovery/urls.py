"""Addresses under ``/accounts/recovery/``."""

from __future__ import annotations

from django.urls import path

from accounts.recovery import views

app_name = "recovery"
urlpatterns = [
    path("", views.page, name="page"),
    path("help/", views.help_page, name="help"),
    path("done/", views.done, name="done"),
    path("cancel/<str:token>/", views.cancel_link, name="cancel_link"),
    path("finish/<str:token>/", views.finish, name="finish"),
]
