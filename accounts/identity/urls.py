"""Addresses under ``/accounts/``."""

from __future__ import annotations

from django.urls import path

from accounts.identity.views import addresses, passwords, sign_in, sign_up

app_name = "accounts"

urlpatterns = [
    path("signup/", sign_up.signup, name="signup"),
    path("signup/sent/", sign_up.signup_sent, name="signup_sent"),
    path("signup/confirm/<str:token>/", sign_up.signup_confirm, name="signup_confirm"),
    path("login/", sign_in.login, name="login"),
    path("email/", addresses.email, name="email"),
    path("email/confirm/<str:token>/", addresses.email_confirm, name="email_confirm"),
    path("email/undo/<str:token>/", addresses.email_undo, name="email_undo"),
    path("password/", passwords.password, name="password"),
    path("password/reset/", passwords.password_reset, name="password_reset"),
    path("password/reset/sent/", passwords.password_reset_sent, name="password_reset_sent"),
    path("password/reset/<str:token>/", passwords.password_reset_confirm, name="password_reset_confirm"),
]
