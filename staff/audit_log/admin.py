"""Audit log for operators, with the events that belong to no organisation."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from staff.admin import ReadOnlyAdmin
from staff.audit_log.kinds import kind_named
from staff.audit_log.models import AuditEvent
from staff.audit_log.text import entries_of


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "organization", "actor", "kind_label", "subject_name", "address"]
    list_filter = [("organization", admin.EmptyFieldListFilter)]
    list_select_related = ["organization", "actor"]
    search_fields = ["actor__email", "subject_name", "organization__name", "address"]
    # The only index over all organisations. Rows are added in the order of time.
    ordering = ["-pk"]
    show_full_result_count = False
    fields = ["at", "organization", "actor", "address", "kind_label", "subject_name", "details"]
    readonly_fields = ["kind_label", "details"]

    @admin.display(description=_("kind"), ordering="kind")
    def kind_label(self, event: AuditEvent) -> str:
        return str(kind_named(event.kind).label)

    @admin.display(description=_("details"))
    def details(self, event: AuditEvent) -> str:
        (entry,) = entries_of([event])
        return entry.details or "–"
