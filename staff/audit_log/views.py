"""Settings > Audit log."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from staff.access import admin_only, current_member, current_organization
from staff.audit_log import search
from staff.audit_log.csv_file import audit_file
from staff.audit_log.kinds import AUDIT_LOG_EXPORTED
from staff.audit_log.record import record
from staff.audit_log.search import MOST_SHOWN, AuditFilter, find_events
from staff.audit_log.text import entries_of
from staff.pagination import list_context


@require_GET
@admin_only
def audit_log(request: HttpRequest) -> HttpResponse:
    """List the events that match the filter, newest first."""
    organization = current_organization(request)
    filters = AuditFilter(request.GET)
    rows = find_events(organization, **filters.criteria)
    context = list_context(request, rows[:MOST_SHOWN])
    context |= {
        "filters": filters,
        "entries": entries_of(context["page"]),
        "most_shown": MOST_SHOWN,
        "most_people": search.MOST_PEOPLE,
        "are_people_cut": search.match_too_many_people(organization, filters.criteria["words"]),
        "is_cut": context["page"].paginator.count == MOST_SHOWN,
    }
    return render(request, "staff/audit_log.html", context)


@require_GET
@admin_only
def audit_log_file(request: HttpRequest) -> HttpResponse:
    """Return all events that match the filter as a CSV file."""
    organization = current_organization(request)
    filters = AuditFilter(request.GET)
    events = find_events(organization, **filters.criteria)
    record(AUDIT_LOG_EXPORTED, organization=organization)
    lines = audit_file(events, current_member(request).zone)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="audit-log-{timezone.localdate():%Y-%m-%d}.csv"'
    return cast(HttpResponse, response)
