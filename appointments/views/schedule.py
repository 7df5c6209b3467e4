"""Schedule: a day with a column per staff member, a week, or a list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe

from appointments.changes.local_times import moved_by_zone_rules
from appointments.forms.schedule import WEEK, ScheduleForm
from appointments.schedule.calendar_json import calendar_json
from appointments.schedule.days import Schedule, bounds, people_on, schedule_of
from appointments.schedule.rows import fingerprint
from appointments.schedule.week_table import week_table
from appointments.views.responses import is_htmx
from staff.access import current_member
from staff.models import StaffMember

COLUMNS_PER_PAGE = 12
ROWS_PER_PAGE = 50


@dataclass(frozen=True)
class _ScheduleQuery:
    """Days and staff that the address requests, loaded lazily."""

    member: StaffMember
    parameters: QueryDict
    form: ScheduleForm

    @cached_property
    def today(self) -> date:
        return timezone.localdate(timezone=self.member.zone)

    @cached_property
    def days(self) -> tuple[date, int]:
        return self.form.days(self.today)

    @cached_property
    def page(self) -> Page[StaffMember]:
        chosen = self.form.cleaned_data
        people = people_on(
            self.member,
            *self.days,
            location=chosen.get("location"),
            service=chosen.get("service"),
            only=self.form.only,
            search=chosen.get("q", ""),
        )
        size = ROWS_PER_PAGE if self.days[1] == WEEK else COLUMNS_PER_PAGE
        return Paginator(people, size).get_page(self.parameters.get("page"))

    @cached_property
    def shown(self) -> Schedule:
        return schedule_of(list(self.page), *self.days, self.member.zone)

    @property
    def is_drawn(self) -> bool:
        """Return whether a script draws columns: of staff on a day, or of the days of one staff member."""
        people = self.page.paginator.count
        return self.form.shown_view != "list" and (people == 1 or (people > 1 and self.days[1] == 1))

    @property
    def etag(self) -> str:
        """Return an ETag that changes with the shown data, without loading the data."""
        return quote_etag(fingerprint(list(self.page), *bounds(*self.days, self.member.zone)))


@require_safe
def schedule(request: HttpRequest) -> HttpResponse:
    """Show the days. The page has a list or a table; a script draws columns from the same data."""
    query = _schedule_query(request)
    # Computed before the data is loaded, so that the next poll sees changes made in between.
    etag = query.etag
    part = "appointments/schedule/_week.html" if query.days[1] == WEEK else "appointments/schedule/_day_list.html"
    context = {
        "form": query.form,
        "shown": query.shown,
        "page": query.page,
        "part": part,
        "week": week_table(query.shown, query.today),
        "calendar": calendar_json(query.shown, may_book=query.member.can_schedule) if query.is_drawn else None,
        "today": query.today,
        "etag": etag,
        "moved_by_zone_rules": _count_moved(query.member),
        **_navigation(query),
    }
    return render(request, part if is_htmx(request) else "appointments/schedule/page.html", context)


def _count_moved(member: StaffMember) -> int:
    """Return the number of appointments that new time zone rules moved, for an admin to decide."""
    if not member.is_admin or member.organization is None:
        return 0
    return moved_by_zone_rules(member.organization).count()


@require_safe
def schedule_events(request: HttpRequest) -> HttpResponse:
    """Return the data of the calendar with an ETag; 304 if nothing changed."""
    query = _schedule_query(request)
    etag = query.etag
    response = get_conditional_response(request, etag=etag)
    if response is None:
        drawn = calendar_json(query.shown, may_book=query.member.can_schedule) if query.is_drawn else {}
        response = JsonResponse(drawn)
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


def _schedule_query(request: HttpRequest) -> _ScheduleQuery:
    member = current_member(request)
    form = ScheduleForm(request.GET, viewer=member)
    form.is_valid()
    return _ScheduleQuery(member, request.GET, form)


def _navigation(query: _ScheduleQuery) -> dict[str, Any]:
    """Return the URLs of the navigation. They keep the filters and the view."""

    def address(**changes: str) -> str:
        present = {name: query.parameters.get(name) for name in query.parameters if name != "appointment"}
        return f"?{urlencode({name: value for name, value in (present | changes).items() if value})}"

    first, length = query.days
    chosen = query.form.cleaned_data.get("date") or query.today
    return {
        "previous_url": address(date=(first - timedelta(days=length)).isoformat()),
        "next_url": address(date=(first + timedelta(days=length)).isoformat()),
        "today_url": address(date=""),
        "views": [
            (value, label, address(view=value, date=chosen.isoformat(), page=""))
            for value, label in query.form.fields["view"].choices  # type: ignore[attr-defined]
        ],
        "everyone_url": address(staff="", page=""),
        "week_of_url": f"{address(view='week', staff='', q='', page='', date=chosen.isoformat())}&staff=",
        "day_url": f"{address(view='', date='', page='')}&date=",
        "page_url": f"{address(page='', date=first.isoformat())}&page=",
        "events_query": address(),
    }
