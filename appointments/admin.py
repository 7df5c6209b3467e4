"""Operators see which emails were sent. Appointments are private to the organisation."""

from __future__ import annotations

from django.contrib import admin

from appointments.models import Notification
from staff.admin import ReadOnlyAdmin


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = [
        "to",
        "kind",
        "appointment__organization",
        "email__state",
        "email__created_at",
        "email__sent_at",
        "email__error",
    ]
    list_filter = ["email__state", "kind"]
    list_select_related = ["email", "appointment__organization"]
    search_fields = ["email__to", "appointment__organization__name"]
    ordering = ["-email__created_at"]
    show_full_result_count = False
    fields = ["kind", "sequence", "to", "email"]
    readonly_fields = ["to"]
