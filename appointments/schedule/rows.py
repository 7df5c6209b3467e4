"""Plain rows of appointments for the schedule, because a week of 50 staff has a thousand of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import md5
from typing import Any, NamedTuple

from django.contrib.postgres.aggregates import StringAgg
from django.db.models import Case, CharField, F, Func, Q, QuerySet, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import MD5, Cast, Coalesce
from django.utils.translation import gettext as _

from appointments.attention.conditions import cause_column
from appointments.changes.move import MOVABLE
from appointments.models import LIVE_STATUSES, Appointment, Status, client_label
from integrations.models import MeetingState
from services.models import MeetingMethod
from staff.models import DateOverride, HolidayCalendar, OverrideHours, StaffMember, TimeOff, WorkingHours


class AppointmentRow(NamedTuple):
    """Appointment on the schedule.

    `link` is the state of its link, empty if it needs none. `cause` is that of `attention.conditions`.
    """

    pk: int
    staff_id: int
    starts_at: datetime
    ends_at: datetime
    status: str
    method: int
    client: str
    service: str
    version: int
    adjustable: bool
    start_step: int
    link: str
    cause: str

    @property
    def client_label(self) -> str:
        return client_label(self.client)

    @property
    def status_label(self) -> str:
        return str(Status(self.status).label)

    @property
    def method_label(self) -> str:
        return str(MeetingMethod(self.method).label)

    @property
    def link_label(self) -> str:
        return link_label(self.link)

    @property
    def is_movable(self) -> bool:
        """Return whether the status allows moving the appointment."""
        return self.status in MOVABLE


def link_label(state: str) -> str:
    """Return the label of a link state; empty if there is none."""
    if state == MeetingState.PENDING:
        return _("Link is being created")
    if state == MeetingState.READY:
        return _("Link ready")
    return _("No link yet") if state == MeetingState.FAILED else ""


# A link that was never requested is as missing as one that failed.
_LINK = Case(
    When(
        method=MeetingMethod.VIDEO,
        meeting=None,
        personal_meeting_url="",
        status__in=LIVE_STATUSES,
        then=Value(MeetingState.FAILED),
    ),
    default=Coalesce("meeting__state", Value("")),
    output_field=CharField(),
)
_COLUMNS: dict[str, Combinable] = {
    "pk": F("pk"),
    "staff_id": F("staff_id"),
    "starts_at": F("starts_at"),
    "ends_at": F("ends_at"),
    "status": F("status"),
    "method": F("method"),
    "client": F("client__name"),
    "service": F("service__name"),
    "version": F("version"),
    "adjustable": F("service__adjustable_length"),
    "start_step": F("service__start_step"),
    "link": _LINK,
}
_HOURS_COLUMNS = ("staff_id", "weekday", "start", "end", "starts_on", "location_id")
_OVERRIDE_COLUMNS = ("staff_id", "location_id", "branch_id", "first_day", "last_day", "all_methods", "label")
_HOLIDAY_COLUMNS = ("location_id", "country", "region", "all_methods", "switched_off")


def _columns() -> dict[str, Combinable]:
    return {**_COLUMNS, "cause": cause_column()}


def appointment_rows_between(people: Sequence[StaffMember], start: datetime, end: datetime) -> Iterator[AppointmentRow]:
    """Return the appointments of these staff members that overlap [start, end), except cancelled ones. One query."""
    rows, columns = _shown(people, start, end).order_by("starts_at", "pk"), _columns()
    return map(AppointmentRow._make, rows.values_list(*(columns[name] for name in AppointmentRow._fields)))


def fingerprint(people: Sequence[StaffMember], start: datetime, end: datetime) -> str:
    """Return a digest that changes with the schedule of these staff. PostgreSQL reads the rows, in one query."""
    off = TimeOff.objects.filter(staff__in=people).overlapping(start, end)
    hours = WorkingHours.objects.filter(staff__in=people)
    days = (start.date() - timedelta(days=1), end.date() + timedelta(days=1))
    places = {member.location_id for member in people if member.location_id}
    overrides = DateOverride.objects.overlapping(*days).filter(Q(staff__in=people) | Q(location__in=places))
    override_hours = OverrideHours.objects.filter(override__in=overrides)
    holidays = HolidayCalendar.objects.filter(location__in=places)
    digests = _digest("booked", _shown(people, start, end), _columns().values()).union(
        _digest("off", off, [F("staff_id"), F("starts_at"), F("ends_at")]),
        _digest("hours", hours, [F(name) for name in _HOURS_COLUMNS]),
        _digest("overrides", overrides, [F(name) for name in _OVERRIDE_COLUMNS]),
        _digest("override hours", override_hours, [F("override_id"), F("start"), F("end")]),
        _digest("holidays", holidays, [F(name) for name in _HOLIDAY_COLUMNS]),
        all=True,
    )
    names = [(member.pk, member.name, member.location_id) for member in people]
    return md5(repr((names, sorted(digests))).encode(), usedforsecurity=False).hexdigest()


def _digest(kind: str, rows: QuerySet[Any], columns: Iterable[Combinable]) -> QuerySet[Any, Any]:
    """Select `kind` and the digest of all rows; no row if there are none."""
    row = Cast(Func(*columns, function="ROW", output_field=TextField()), TextField())
    every = StringAgg(row, delimiter="\n", order_by="pk")
    digests = rows.order_by().values(kind=Value(kind)).annotate(digest=MD5(every))
    found: QuerySet[Any, Any] = digests.values_list("kind", "digest")
    return found


def _shown(people: Sequence[StaffMember], start: datetime, end: datetime) -> QuerySet[Appointment]:
    return Appointment.objects.exclude(status=Status.CANCELLED).filter(
        staff__in=people, starts_at__lt=end, ends_at__gt=start
    )
