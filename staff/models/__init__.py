"""Organisations, their locations, their staff (the user model) and when staff work."""

from staff.models.addresses import ADDRESS_FIELDS, PostalAddress
from staff.models.closings import DateOverride, DateOverrideQuerySet, HolidayCalendar, OverrideHours
from staff.models.hours import LocationHours, TimeOff, TimeOffQuerySet, TimeSpan, Weekday, WeeklyHours, WorkingHours
from staff.models.organizations import (
    Clock,
    FirstWeekday,
    Location,
    LocationQuerySet,
    LockQuerySet,
    Logo,
    Organization,
)
from staff.models.outbox import Bounce, EmailState, OutboxEmail, OutboxEmailQuerySet
from staff.models.people import Role, StaffMember, StaffMemberManager, StaffMemberQuerySet, VideoChoice

__all__ = [
    "ADDRESS_FIELDS",
    "Bounce",
    "Clock",
    "DateOverride",
    "DateOverrideQuerySet",
    "EmailState",
    "FirstWeekday",
    "HolidayCalendar",
    "Location",
    "LocationHours",
    "LocationQuerySet",
    "LockQuerySet",
    "Logo",
    "Organization",
    "OutboxEmail",
    "OutboxEmailQuerySet",
    "OverrideHours",
    "PostalAddress",
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
