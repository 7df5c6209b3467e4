"""Organisations, their locations, their staff (the user model) and when staff work."""

from staff.models.closings import DateOverride, DateOverrideQuerySet, HolidayCalendar, OverrideHours
from staff.models.hours import LocationHours, TimeOff, TimeOffQuerySet, TimeSpan, Weekday, WeeklyHours, WorkingHours
from staff.models.organizations import Location, LockQuerySet, Organization
from staff.models.outbox import EmailState, OutboxEmail, OutboxEmailQuerySet
from staff.models.people import Role, StaffMember, StaffMemberManager, StaffMemberQuerySet, VideoChoice

__all__ = [
    "DateOverride",
    "DateOverrideQuerySet",
    "EmailState",
    "HolidayCalendar",
    "Location",
    "LocationHours",
    "LockQuerySet",
    "Organization",
    "OutboxEmail",
    "OutboxEmailQuerySet",
    "OverrideHours",
    "Role",
    "StaffMember",
    "StaffMemberManager",
    "StaffMemberQuerySet",
    "TimeOff",
    "TimeOffQuerySet",
    "TimeSpan",
    "VideoChoice",
    "Weekday",
    "WeeklyHours",
    "WorkingHours",
]
