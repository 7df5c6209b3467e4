"""The schedule: a day with a column per person, a week of one person or of many, or a list."""

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

from appointments.forms.schedule import WEEK, ScheduleForm
from appointments.schedule.calendar_json import calendar_json
from appointments.schedule.days import Schedule, bounds, people_on, schedule_of
from appointments.schedule.rows import fingerprint
from appointments.schedule.week_table import grid_of
from staff.access import current_member
from staff.models import StaffMember

COLUMNS_PER_PAGE = 12
ROWS_PER_PAGE = 50


@dataclass(frozen=True)
class _Look:
    """What somebody asked to see, and what it comes to."""

    member: StaffMember
    query: QueryDict
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
        return Paginator(people, size).get_page(self.query.get("page"))

    @cached_property
    def shown(self) -> Schedule:
        return schedule_of(list(self.page), *self.days, self.member.zone)

    @property
    def is_drawn(self) -> bool:
        """Whether a script draws columns: of people on a day, or of the days of one person."""
        people = self.page.paginator.count
        return self.form.wanted_view != "list" and (people == 1 or (people > 1 and self.days[1] == 1))

    @property
    def etag(self) -> str:
        """Differs when what is shown does, without loading it."""
        return quote_etag(fingerprint(list(self.page), *bounds(*self.days, self.member.zone)))


@require_safe
def schedule(request: HttpRequest) -> HttpResponse:
    """The days. A list or table is in the page; the script draws columns from the same data."""
    look = _look(request)
    # Before anything is loaded: what changes meanwhile is seen by the next poll.
    etag = look.etag
    part = (
        "appointments/schedule/_week.html" if look.days[1] == WEEK else "appointments/schedule/_day_list.html"
    )
    context = {
        "form": look.form,
        "shown": look.shown,
        "page": look.page,
        "part": part,
        "rows": grid_of(look.shown),
        "calendar": calendar_json(look.shown, may_book=look.member.can_schedule) if look.is_drawn else None,
        "today": look.today,
        "etag": etag,
        **_links(look),
    }
    is_part = request.htmx  # type: ignore[attr-defined]
    return render(request, part if is_part else "appointments/schedule/page.html", context)


@require_safe
def schedule_events(request: HttpRequest) -> HttpResponse:
    """What the calendar draws, with an ETag that is found without loading it: 304 while nothing changed."""
    look = _look(request)
    etag = look.etag
    answer = get_conditional_response(request, etag=etag)
    if answer is None:
        drawn = calendar_json(look.shown, may_book=look.member.can_schedule) if look.is_drawn else {}
        answer = JsonResponse(drawn)
    answer["ETag"] = etag
    answer["Cache-Control"] = "private, no-cache"
    return answer


def _look(request: HttpRequest) -> _Look:
    member = current_member(request)
    form = ScheduleForm(request.GET, viewer=member)
    form.is_valid()
    return _Look(member, request.GET, form)


def _links(look: _Look) -> dict[str, Any]:
    """The addresses beside the days; filters and the chosen view stay."""

    def address(**changes: str) -> str:
        wanted = {name: look.query.get(name) or "" for name in look.query if name != "appointment"} | changes
        kept = {name: value for name, value in wanted.items() if value}
        return f"?{urlencode(kept)}"

    first, length = look.days
    chosen = look.form.cleaned_data.get("date") or look.today
    return {
        "previous_url": address(date=(first - timedelta(days=length)).isoformat()),
        "next_url": address(date=(first + timedelta(days=length)).isoformat()),
        "today_url": address(date=""),
        "views": [
            (value, label, address(view=value, date=chosen.isoformat(), page=""))
            for value, label in look.form.fields["view"].choices  # type: ignore[attr-defined]
        ],
        "everybody_url": address(staff="", page=""),
        "week_of_url": f"{address(view='week', staff='', q='', page='', date=chosen.isoformat())}&staff=",
        "day_url": f"{address(view='', date='', page='')}&date=",
        "page_url": f"{address(page='', date=first.isoformat())}&page=",
        "events_query": address(),
    }
