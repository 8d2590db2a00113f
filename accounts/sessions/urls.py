from __future__ import annotations

from django.urls import path

from accounts.sessions import views

app_name = "sessions"
urlpatterns = [
    path("verify/", views.verify, name="verify"),
    path("logout/", views.logout, name="logout"),
    path("sessions/", views.session_list, name="list"),
    path("sessions/end-others/", views.end_others, name="end_others"),
    path("sessions/<uuid:public_id>/end/", views.end, name="end"),
    path("sessions/trusted/<uuid:public_id>/forget/", views.forget_browser, name="forget_browser"),
    path("activity/", views.activity, name="activity"),
    path("activity/export.csv", views.activity_export, {"kind": "csv"}, name="activity_csv"),
    path("activity/export.jsonl", views.activity_export, {"kind": "jsonl"}, name="activity_jsonl"),
]
