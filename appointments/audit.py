"""Events about clients and the Client View in the audit log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from appointments.bulk_change_models import BulkAction, BulkChange
from appointments.models import Audience, Client, NotificationKind
from staff.audit_log.kinds import AuditKind
from staff.audit_log.models import AuditEvent
from staff.audit_log.record import record
from staff.audit_log.text import field_label
from staff.models import StaffMember


def _describe_fields(events: Sequence[AuditEvent]) -> dict[int, str]:
    """Return the names of the changed fields. The log keeps no values about clients."""
    return {
        event.pk: ", ".join(field_label(event.subject_model, name) for name in event.params.get("fields", []))
        for event in events
    }


CLIENT_CHANGED: Final = AuditKind(
    "client_changed", _lazy("Client changed"), page="client-edit", describe=_describe_fields
)


def _describe_count(events: Sequence[AuditEvent]) -> dict[int, str]:
    return {
        event.pk: ngettext("%(count)d appointment", "%(count)d appointments", event.params["count"]) % event.params
        for event in events
    }


def _describe_merge(events: Sequence[AuditEvent]) -> dict[int, str]:
    """Return the number of the client who was merged, and the names of the details taken from them."""
    fields = _describe_fields(events)
    return {
        event.pk: ": ".join(
            filter(None, [_("with client %(number)s") % {"number": event.params["merged"]}, fields[event.pk]])
        )
        for event in events
    }


def _describe_bulk_changes(events: Sequence[AuditEvent]) -> dict[int, str]:
    """Return the action and the number of appointments."""
    return {event.pk: f"{BulkAction(event.params['action']).label}: {event.params['appointments']}" for event in events}


def _describe_email_settings(events: Sequence[AuditEvent]) -> dict[int, str]:
    """Return the minutes before an appointment of the reminders, before and after, and the turned switches."""
    return {event.pk: "; ".join(_email_settings_changes(event.params)) for event in events}


def _email_settings_changes(params: Mapping[str, Any]) -> list[str]:
    changes = []
    if params["before"] != params["after"]:
        words = {"before": _reminder_list(params["before"]), "after": _reminder_list(params["after"])}
        changes.append(_("Reminders: %(before)s → %(after)s") % words)
    for name, is_on in params.get("switches", {}).items():
        kind, audience = name.rsplit("_", 1)
        label = f"{NotificationKind(kind).label} ({Audience(audience).label})"
        changes.append(f"{label}: {_('on') if is_on else _('off')}")
    return changes


def _reminder_list(minutes: Sequence[int] | None) -> str:
    if minutes is None:
        return _("as the organisation")
    listed = ", ".join(str(each) for each in minutes)
    return _("%(minutes)s minutes before") % {"minutes": listed} if minutes else _("none")


CLIENT_MERGED: Final = AuditKind("client_merged", _lazy("Clients merged"), page="client-edit", describe=_describe_merge)
CLIENT_EXPORTED: Final = AuditKind("client_exported", _lazy("Client’s data exported"), page="client-edit")
# Without a page: the client has none any more.
CLIENT_ERASED: Final = AuditKind("client_erased", _lazy("Client’s data erased"))
RETENTION_CHANGED: Final = AuditKind("retention_changed", _lazy("Privacy settings changed"))
CLIENT_VIEW_CHANGED: Final = AuditKind("client_view_changed", _lazy("Client View settings changed"))
LOCAL_TIMES_RESTORED: Final = AuditKind("local_times_restored", _lazy("Local times restored"), describe=_describe_count)
EMAIL_SETTINGS_CHANGED: Final = AuditKind(
    "email_settings_changed", _lazy("Email settings changed"), describe=_describe_email_settings
)
SERVICE_REMINDERS_CHANGED: Final = AuditKind(
    "service_reminders_changed",
    _lazy("Reminders of a service changed"),
    page="service-reminders",
    describe=_describe_email_settings,
)
BULK_CHANGE_STARTED: Final = AuditKind(
    "bulk_change_started", _lazy("Bulk change started"), page="attention-progress", describe=_describe_bulk_changes
)
CALENDAR_FEED_CREATED: Final = AuditKind("calendar_feed_created", _lazy("Calendar address created"), page="staff-edit")
CALENDAR_FEED_ENDED: Final = AuditKind("calendar_feed_ended", _lazy("Calendar address ended"), page="staff-edit")
APPOINTMENT_KINDS: Final = (
    CALENDAR_FEED_CREATED,
    CALENDAR_FEED_ENDED,
    BULK_CHANGE_STARTED,
    CLIENT_CHANGED,
    CLIENT_MERGED,
    CLIENT_EXPORTED,
    CLIENT_ERASED,
    RETENTION_CHANGED,
    CLIENT_VIEW_CHANGED,
    LOCAL_TIMES_RESTORED,
    EMAIL_SETTINGS_CHANGED,
    SERVICE_REMINDERS_CHANGED,
)


def record_client_changes(client: Client, fields: Sequence[str]) -> None:
    """Record the names of the changed fields, if any."""
    if fields:
        record(CLIENT_CHANGED, client, params={"fields": list(fields)})


def record_client_merge(kept: Client, merged: Client, fields: Sequence[str]) -> None:
    """Record that `merged` was merged into `kept`, and the names of the details that came from it."""
    record(CLIENT_MERGED, kept, params={"merged": merged.pk, "fields": list(fields)})


def record_client_export(client: Client) -> None:
    """Record that the data of a client was exported, on a page or by a command."""
    record(CLIENT_EXPORTED, client)


def record_client_erasure(client: Client, actor: StaffMember | None) -> None:
    """Record that the data of a client was erased. `actor` is None for the retention period and for commands."""
    record(CLIENT_ERASED, client, actor=actor)


def record_bulk_change(change: BulkChange, appointments: int) -> None:
    """Record that a bulk change of this number of appointments was started."""
    record(BULK_CHANGE_STARTED, change, params={"action": change.action, "appointments": appointments})
