from __future__ import annotations

from django.urls import path

from kellexa_portal.ui import views

app_name = "ui"
urlpatterns = [path("appearance/", views.switch_theme, name="theme")]
