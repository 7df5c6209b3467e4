"""The day on the schedule: a column per person, or the same as a list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import conditional_page, require_safe

from appointments.forms.schedule import DayForm
from appointments.schedule import Day, day_of, people_on
from appointments.schedule_json import calendar_json
from staff.access import current_member
from staff.models import StaffMember

COLUMNS_PER_PAGE = 12


@dataclass(frozen=True)
class _Shown:
    form: DayForm
    day: Day
    page: Page[StaffMember]


@require_safe
def schedule(request: HttpRequest) -> HttpResponse:
    """One day. The list is in the page; the script draws the columns from the same data."""
    member = current_member(request)
    shown = _shown(request.GET, member)
    template = "appointments/_day_list.html" if request.htmx else "appointments/schedule.html"  # type: ignore[attr-defined]
    context = {
        "form": shown.form,
        "day": shown.day,
        "page": shown.page,
        "calendar": calendar_json(shown.day, may_book=member.can_schedule),
        "today": timezone.localdate(timezone=member.zone),
        "as_list": request.GET.get("view") == "list",
        **_links(request.GET, shown.day.date),
    }
    return render(request, template, context)


@require_safe
@conditional_page
def schedule_events(request: HttpRequest) -> JsonResponse:
    """The day as the calendar reads it, with an ETag: 304 while nothing changed."""
    member = current_member(request)
    shown = _shown(request.GET, member)
    answer = JsonResponse(calendar_json(shown.day, may_book=member.can_schedule))
    answer["Cache-Control"] = "private, no-cache"
    return answer


def _shown(query: QueryDict, member: StaffMember) -> _Shown:
    form = DayForm(query, viewer=member)
    form.is_valid()
    chosen = form.cleaned_data
    day = chosen.get("date") or timezone.localdate(timezone=member.zone)
    people = people_on(
        member,
        day,
        location=chosen.get("location"),
        service=chosen.get("service"),
        search=chosen.get("q", ""),
    )
    page = Paginator(people, COLUMNS_PER_PAGE).get_page(query.get("page"))
    return _Shown(form, day_of(list(page), day, member.zone), page)


def _links(query: QueryDict, day: date) -> dict[str, Any]:
    """The addresses beside the day; filters and the chosen view stay."""

    def address(**changes: str) -> str:
        wanted = {name: query.get(name) or "" for name in query} | changes
        kept = {name: value for name, value in wanted.items() if value}
        return f"?{urlencode(kept)}"

    return {
        "previous_url": address(date=(day - timedelta(days=1)).isoformat()),
        "next_url": address(date=(day + timedelta(days=1)).isoformat()),
        "today_url": address(date=""),
        "list_url": address(view="list"),
        "columns_url": address(view=""),
        "page_url": f"{address(page='', date=day.isoformat())}&page=",
        "events_query": address(),
    }
