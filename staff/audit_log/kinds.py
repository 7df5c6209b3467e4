"""Kinds of events in the audit log. Each app declares its own, and registers them in `AppConfig.ready()`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from django.utils.translation import gettext_lazy as _

from staff.audit_log.closings_text import describe_future_hours, describe_holidays, describe_overrides
from staff.audit_log.hours_text import describe_hours, describe_opening_hours, describe_time_off
from staff.audit_log.session_text import describe_session_end
from staff.hooks import Registry

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

    from staff.audit_log.models import AuditEvent

Describe: TypeAlias = "Callable[[Sequence[AuditEvent]], Mapping[int, str]]"


@dataclass(frozen=True)
class AuditKind:
    """A kind of event. `name` is the stored value, and `label` its text for people.

    `page` is the name of the subject's URL, which takes its primary key. `describe` returns the details of events of
    this kind by primary key. Without it, the details are the values before and after.
    """

    name: str
    label: _StrOrPromise
    page: str = ""
    describe: Describe | None = None


#: Kinds of the installed apps.
audit_kinds: Final[Registry[AuditKind]] = Registry()


def kind_named(name: str) -> AuditKind:
    """Return the kind with this stored name, or a bare one if no installed app declares it."""
    return next((kind for kind in audit_kinds if kind.name == name), AuditKind(name, name))


def _about_person(name: str, label: _StrOrPromise) -> AuditKind:
    return AuditKind(name, label, page="staff-edit")


def _about_hours(name: str, label: _StrOrPromise, describe: Describe) -> AuditKind:
    return AuditKind(name, label, page="staff-hours", describe=describe)


SIGNED_IN: Final = _about_person("signed_in", _("Signed in"))
SIGN_IN_FAILED: Final = _about_person("sign_in_failed", _("Sign-in failed"))
SIGN_IN_LIMITED: Final = _about_person("sign_in_limited", _("Too many sign-in attempts"))
SIGNED_OUT: Final = _about_person("signed_out", _("Signed out"))
SESSION_ENDED: Final = AuditKind(
    "session_ended", _("Signed out automatically"), page="staff-edit", describe=describe_session_end
)
INVITATION_SENT: Final = _about_person("invitation_sent", _("Invitation sent"))
PASSWORD_LINK_SENT: Final = _about_person("password_link_sent", _("Password link sent"))
PASSWORD_CHANGED: Final = _about_person("password_changed", _("Password changed"))
SIGNED_OUT_ELSEWHERE: Final = _about_person("signed_out_elsewhere", _("Signed out everywhere else"))
PERSON_ADDED: Final = _about_person("person_added", _("Person added"))
PERSON_CHANGED: Final = _about_person("person_changed", _("Person’s details changed"))
EMAIL_CHANGED: Final = _about_person("email_changed", _("Email changed"))
ROLE_CHANGED: Final = _about_person("role_changed", _("Role changed"))
SWITCHED_OFF: Final = _about_person("switched_off", _("Person switched off"))
SWITCHED_ON: Final = _about_person("switched_on", _("Person switched on"))
TAKEN_EMAIL_ENTERED: Final = AuditKind("taken_email_entered", _("Tried an email that is already taken"))
HOURS_CHANGED: Final = _about_hours("hours_changed", _("Working hours changed"), describe_hours)
TIME_OFF_ADDED: Final = _about_hours("time_off_added", _("Time off added"), describe_time_off)
TIME_OFF_REMOVED: Final = _about_hours("time_off_removed", _("Time off removed"), describe_time_off)
EXCEPTION_ADDED: Final = _about_hours("exception_added", _("Exception added"), describe_overrides)
EXCEPTION_CHANGED: Final = _about_hours("exception_changed", _("Exception changed"), describe_overrides)
EXCEPTION_REMOVED: Final = _about_hours("exception_removed", _("Exception removed"), describe_overrides)
FUTURE_HOURS_SAVED: Final = _about_hours("future_hours_saved", _("Future hours saved"), describe_future_hours)
FUTURE_HOURS_REMOVED: Final = _about_hours("future_hours_removed", _("Future hours removed"), describe_future_hours)
CLOSING_ADDED: Final = AuditKind("closing_added", _("Closing added"), describe=describe_overrides)
CLOSING_CHANGED: Final = AuditKind("closing_changed", _("Closing changed"), describe=describe_overrides)
CLOSING_REMOVED: Final = AuditKind("closing_removed", _("Closing removed"), describe=describe_overrides)
HOLIDAYS_CHANGED: Final = AuditKind("holidays_changed", _("Holidays changed"), describe=describe_holidays)
ORGANIZATION_ADDED: Final = AuditKind("organization_added", _("Organisation added"))
ORGANIZATION_CHANGED: Final = AuditKind("organization_changed", _("Organisation changed"))
LOGO_CHANGED: Final = AuditKind("logo_changed", _("Logo changed"))
LOGO_REMOVED: Final = AuditKind("logo_removed", _("Logo removed"))
LOCATION_ADDED: Final = AuditKind("location_added", _("Location added"), page="location-edit")
LOCATION_CHANGED: Final = AuditKind("location_changed", _("Location changed"), page="location-edit")
FUTURE_OPENING_HOURS_SAVED: Final = AuditKind(
    "future_opening_hours_saved",
    _("Future opening hours saved"),
    page="location-hours",
    describe=describe_future_hours,
)
FUTURE_OPENING_HOURS_REMOVED: Final = AuditKind(
    "future_opening_hours_removed",
    _("Future opening hours removed"),
    page="location-hours",
    describe=describe_future_hours,
)
OPENING_HOURS_CHANGED: Final = AuditKind(
    "opening_hours_changed", _("Opening hours changed"), page="location-hours", describe=describe_opening_hours
)
AUDIT_LOG_EXPORTED: Final = AuditKind("audit_log_exported", _("Audit log exported"))

STAFF_KINDS: Final = (
    SIGNED_IN,
    SIGN_IN_FAILED,
    SIGN_IN_LIMITED,
    SIGNED_OUT,
    SESSION_ENDED,
    INVITATION_SENT,
    PASSWORD_LINK_SENT,
    PASSWORD_CHANGED,
    SIGNED_OUT_ELSEWHERE,
    PERSON_ADDED,
    PERSON_CHANGED,
    EMAIL_CHANGED,
    ROLE_CHANGED,
    SWITCHED_OFF,
    SWITCHED_ON,
    TAKEN_EMAIL_ENTERED,
    HOURS_CHANGED,
    TIME_OFF_ADDED,
    TIME_OFF_REMOVED,
    EXCEPTION_ADDED,
    EXCEPTION_CHANGED,
    EXCEPTION_REMOVED,
    FUTURE_HOURS_SAVED,
    FUTURE_HOURS_REMOVED,
    CLOSING_ADDED,
    CLOSING_CHANGED,
    CLOSING_REMOVED,
    HOLIDAYS_CHANGED,
    ORGANIZATION_ADDED,
    ORGANIZATION_CHANGED,
    LOGO_CHANGED,
    LOGO_REMOVED,
    LOCATION_ADDED,
    LOCATION_CHANGED,
    FUTURE_OPENING_HOURS_SAVED,
    FUTURE_OPENING_HOURS_REMOVED,
    OPENING_HOURS_CHANGED,
    AUDIT_LOG_EXPORTED,
)
