"""Staff see who was told what; nothing here can be changed."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from accounts.rotation.models import Digest, Reminder, RotationPolicy
from kellexa_portal.web.admin import ReadOnlyAdmin


@admin.register(Reminder)
class ReminderAdmin(ReadOnlyAdmin):
    """The plan: one row a credential, stage and person."""

    list_display = ("subject_kind", "subject_id", "stage", "due_at", "recipient", "state", "planned_at")
    list_filter: ClassVar = ["state", "stage", "subject_kind"]
    search_fields = ("subject_id",)
    list_select_related = ("recipient",)
    ordering = ("-pk",)


@admin.register(Digest)
class DigestAdmin(ReadOnlyAdmin):
    """The mails that gathered reminders."""

    list_display = ("public_id", "recipient", "kind", "local_date", "created_at")
    list_filter: ClassVar = ["kind"]
    list_select_related = ("recipient",)
    ordering = ("-pk",)


@admin.register(RotationPolicy)
class RotationPolicyAdmin(ReadOnlyAdmin):
    """What organizations chose."""

    list_display = ("organization", "max_age_days", "stages", "updated_at")
    list_select_related = ("organization",)
    ordering = ("-pk",)
