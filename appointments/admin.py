"""Operators see which emails were sent. Appointments are private to the organisation."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from appointments.models import Notification
from staff.admin import ReadOnlyAdmin


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ["to", "kind", "organization", "state", "created_at", "sent_at", "error"]
    list_filter = ["state", "kind"]
    list_select_related = ["appointment__organization"]
    search_fields = ["to", "appointment__organization__name"]
    ordering = ["-created_at"]
    show_full_result_count = False
    fields = ["organization", "kind", "sequence", "to", "state", "error", "created_at", "sent_at"]
    readonly_fields = ["organization"]

    @admin.display(description=_("organisation"))
    def organization(self, notification: Notification) -> str:
        return notification.appointment.organization.name
