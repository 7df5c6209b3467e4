"""Read-only pages of connections and meetings for operators, without links, tokens, subjects or notes."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from integrations.event_text import event_text
from integrations.models import Connection, ConnectionEvent, Meeting, MeetingState
from staff.admin import ReadOnlyAdmin


class ConnectionEventInline(admin.TabularInline):  # type: ignore[type-arg]
    model = ConnectionEvent
    fields = ["at", "kind", "actor", "text"]
    readonly_fields = ["at", "kind", "actor", "text"]
    extra = 0
    can_delete = False

    @admin.display(description=_("text"))
    def text(self, event: ConnectionEvent) -> str:
        return event_text(event)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConnectionEvent]:
        return super().get_queryset(request).select_related("connection", "actor")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Connection)
class ConnectionAdmin(ReadOnlyAdmin):
    list_display = ["name", "organization", "platform", "status", "is_default", "last_success_at"]
    list_filter = ["platform", "status"]
    list_select_related = ["organization"]
    search_fields = ["name", "organization__name"]
    fields = [
        "organization",
        "platform",
        "name",
        "match_field",
        "status",
        "status_reason",
        "is_default",
        "paused_until",
        "probe_at",
        "connected_by",
        "connected_at",
        "last_success_at",
    ]
    inlines = [ConnectionEventInline]


class MeetingStateFilter(admin.SimpleListFilter):
    """Filter by state. Offers all states: a query for the existing ones would read the whole table."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in MeetingState.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Meeting]) -> QuerySet[Meeting]:
        return queryset.filter(state=self.value()) if self.value() else queryset


@admin.register(Meeting)
class MeetingAdmin(ReadOnlyAdmin):
    """Pending and failed meetings with the reason and the platform's request id, for support."""

    list_display = ["id", "organization", "host", "starts_at", "state", "attempts", "error_kind"]
    list_filter = [MeetingStateFilter, "error_kind"]
    list_select_related = ["organization", "host"]
    search_fields = ["id", "error_request_id", "host__email", "organization__name"]
    ordering = ["-starts_at"]
    show_full_result_count = False
    fields = [
        "id",
        "organization",
        "connection",
        "host",
        "starts_at",
        "ends_at",
        "state",
        "desired_state",
        "version",
        "synced_version",
        "due_at",
        "enqueued_at",
        "claimed_at",
        "week_check_at",
        "day_check_at",
        "lease_until",
        "attempts",
        "crashes",
        "unusable_answers",
        "warning",
        "error_kind",
        "error",
        "error_request_id",
        "replaced_by",
        "created_at",
    ]
