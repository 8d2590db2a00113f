"""Addresses under ``/accounts/organization/``."""

from __future__ import annotations

from django.urls import path

from accounts.organizations.views import invitations, members, pages

app_name = "organizations"

urlpatterns = [
    path("", pages.detail, name="detail"),
    path("members/", members.members, name="members"),
    path("members/<uuid:public_id>/", members.member, name="member"),
    path("members/<uuid:public_id>/remove/", members.remove, name="remove"),
    path("members/<uuid:public_id>/transfer/", members.transfer, name="transfer"),
    path("leave/", members.leave, name="leave"),
    path("invitations/<uuid:public_id>/resend/", members.resend, name="resend"),
    path("invitations/<uuid:public_id>/withdraw/", members.withdraw, name="withdraw"),
    path("invitation/<str:token>/", invitations.invitation, name="invitation"),
    path("policy/", pages.policy, name="policy"),
    path("audit/", pages.audit, name="audit"),
    path("switch/", pages.switch, name="switch"),
]
