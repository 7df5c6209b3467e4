"""Organisations, their locations, their staff (the user model) and when staff work."""

from staff.models.hours import LocationHours, TimeOff, TimeOffQuerySet, Weekday, WeeklyHours, WorkingHours
from staff.models.organizations import Location, LockQuerySet, Organization
from staff.models.outbox import EmailState, OutboxEmail, OutboxEmailQuerySet
from staff.models.people import Role, StaffMember, StaffMemberManager, StaffMemberQuerySet, VideoChoice

__all__ = [
    "EmailState",
    "Location",
    "LocationHours",
    "LockQuerySet",
    "Organization",
    "OutboxEmail",
    "OutboxEmailQuerySet",
    "Role",
    "StaffMember",
    "StaffMemberManager",
    "StaffMemberQuerySet",
    "TimeOff",
    "TimeOffQuerySet",
    "VideoChoice",
    "Weekday",
    "WeeklyHours",
    "WorkingHours",
]
