"""Add, change and remove overrides of locations and staff members.

Each change locks the rows that bookings lock, so that a booking committed later has seen it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from staff.audit_log.kinds import (
    CLOSING_ADDED,
    CLOSING_CHANGED,
    CLOSING_REMOVED,
    EXCEPTION_ADDED,
    EXCEPTION_CHANGED,
    EXCEPTION_REMOVED,
)
from staff.audit_log.record import record
from staff.closings.days_text import days_text
from staff.closings.locks import lock_locations
from staff.hooks import Days, changing_hours
from staff.models import DateOverride, Location, Organization, OverrideHours, StaffMember


@dataclass(frozen=True)
class OverrideValues:
    """Values of an override. Without hours the dates are closed. `branch` is for hours of staff members only."""

    first_day: date
    last_day: date
    hours: Sequence[tuple[time, time]] = ()
    all_methods: bool = True
    label: str = ""
    branch: Location | None = None


def upcoming_closings(organization: Organization) -> QuerySet[DateOverride]:
    """Return the overrides of the organisation's locations that aren't over, by their first day."""
    # A day earlier: the date in UTC may be ahead of the location's.
    today = timezone.now().date()
    rows = DateOverride.objects.filter(location__organization=organization, last_day__gte=today)
    return rows.select_related("location").prefetch_related("hours")


def upcoming_exceptions(person: StaffMember) -> QuerySet[DateOverride]:
    """Return the person's overrides that aren't over, by their first day."""
    today = timezone.localdate(timezone=person.zone)
    return person.overrides.filter(last_day__gte=today).select_related("branch").prefetch_related("hours")


def add_closings(locations: Sequence[Location], values: OverrideValues) -> list[DateOverride]:
    """Add the same override to each location, or to none.

    Raises ValidationError with a sentence if a location has an override on one of these days already.
    """
    with transaction.atomic():
        lock_locations(locations)
        for location in locations:
            _check_free(location.overrides.all(), values, location.name)
        with changing_hours(locations=locations, days=[(values.first_day, values.last_day)]):
            added = [_save(DateOverride(location=location), values) for location in locations]
        for override in added:
            _record(CLOSING_ADDED, override)
    return added


def change_closing(override: DateOverride, values: OverrideValues) -> None:
    """Replace the values of a location's override; see `add_closings`."""
    location = override.location
    assert location is not None  # noqa: S101 - narrows the type for mypy
    with transaction.atomic():
        lock_locations([location])
        _check_free(location.overrides.exclude(pk=override.pk), values, location.name)
        before = _as_json(override)
        with changing_hours(locations=[location], days=_days_of(override, values)):
            _save(override, values)
        _record(CLOSING_CHANGED, override, before)


def remove_closing(override: DateOverride) -> None:
    """Remove the override of a location. If it is gone already, nothing happens."""
    assert override.location is not None  # noqa: S101
    with transaction.atomic():
        lock_locations([override.location])
        if DateOverride.objects.filter(pk=override.pk).exists():
            _record(CLOSING_REMOVED, override)
            with changing_hours(locations=[override.location], days=_days_of(override)):
                override.delete()


def save_exception(person: StaffMember, values: OverrideValues, override: DateOverride | None = None) -> DateOverride:
    """Add an override of a staff member, or replace the values of `override`.

    Raises ValidationError with a sentence if the person has another override on one of these days.
    """
    with transaction.atomic():
        StaffMember.objects.lock(person.pk)
        others = person.overrides.exclude(pk=override.pk) if override else person.overrides.all()
        _check_free(others, values, person.name)
        before = _as_json(override) if override else None
        with changing_hours(person=person.pk, days=_days_of(override, values)):
            saved = _save(override or DateOverride(staff=person), values)
        _record(EXCEPTION_CHANGED if override else EXCEPTION_ADDED, saved, before)
    return saved


def remove_exception(person: StaffMember, pk: int) -> bool:
    """Remove an override of this person. Return False if there is none with this pk."""
    with transaction.atomic():
        StaffMember.objects.lock(person.pk)
        override = person.overrides.filter(pk=pk).first()
        if override is None:
            return False
        _record(EXCEPTION_REMOVED, override)
        with changing_hours(person=person.pk, days=_days_of(override)):
            override.delete()
    return True


def _days_of(*overrides: DateOverride | OverrideValues | None) -> list[Days]:
    return [(override.first_day, override.last_day) for override in overrides if override is not None]


def _check_free(others: QuerySet[DateOverride], values: OverrideValues, name: str) -> None:
    other = others.overlapping(values.first_day, values.last_day).first()  # type: ignore[attr-defined]
    if other is not None:
        days = {"name": name, "days": days_text(other.first_day, other.last_day)}
        raise ValidationError(
            _("%(name)s already has an exception on %(days)s. Change that one, or choose other days.") % days
        )


def _save(override: DateOverride, values: OverrideValues) -> DateOverride:
    for name in ("first_day", "last_day", "all_methods", "label", "branch"):
        setattr(override, name, getattr(values, name))
    override.save()
    override.hours.all().delete()
    OverrideHours.objects.bulk_create(
        OverrideHours(override=override, start=start, end=end) for start, end in values.hours
    )
    return override


def _record(kind: Any, override: DateOverride, before: dict[str, Any] | None = None) -> None:
    subject: Location | StaffMember = override.location or override.staff  # type: ignore[assignment]
    params = {**({"before": before} if before else {}), "after": _as_json(override)}
    name = override.location.name if override.location else ""
    record(kind, subject, name=name, params=params)


def _as_json(override: DateOverride) -> dict[str, Any]:
    """Return the values for the audit log. The name of a person's exception may be private."""
    hours = override.hours.order_by("start").values_list("start", "end")
    values: dict[str, Any] = {
        "days": [override.first_day.isoformat(), override.last_day.isoformat()],
        "hours": [[f"{start:%H:%M}", f"{end:%H:%M}"] for start, end in hours],
    }
    if override.location_id is not None:
        values |= {"label": override.label, "all_methods": override.all_methods}
    return values
