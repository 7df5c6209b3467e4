"""Events about clients and the Client View in the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from appointments.models import Client
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


def _describe_count(events: Sequence[AuditEvent]) -> dict[int, str]:
    return {
        event.pk: ngettext("%(count)d appointment", "%(count)d appointments", event.params["count"]) % event.params
        for event in events
    }


CLIENT_CHANGED: Final = AuditKind("client_changed", _("Client changed"), page="client-edit", describe=_describe_fields)
CLIENT_EXPORTED: Final = AuditKind("client_exported", _("Client’s data exported"), page="client-edit")
# Without a page: the client has none any more.
CLIENT_ERASED: Final = AuditKind("client_erased", _("Client’s data erased"))
RETENTION_CHANGED: Final = AuditKind("retention_changed", _("Privacy settings changed"))
CLIENT_VIEW_CHANGED: Final = AuditKind("client_view_changed", _("Client View settings changed"))
LOCAL_TIMES_RESTORED: Final = AuditKind("local_times_restored", _("Local times restored"), describe=_describe_count)
APPOINTMENT_KINDS: Final = (
    CLIENT_CHANGED,
    CLIENT_EXPORTED,
    CLIENT_ERASED,
    RETENTION_CHANGED,
    CLIENT_VIEW_CHANGED,
    LOCAL_TIMES_RESTORED,
)


def record_client_changes(client: Client, fields: Sequence[str]) -> None:
    """Record the names of the changed fields, if any."""
    if fields:
        record(CLIENT_CHANGED, client, params={"fields": list(fields)})


def record_client_export(client: Client) -> None:
    """Record that the data of a client was exported, on a page or by a command."""
    record(CLIENT_EXPORTED, client)


def record_client_erasure(client: Client, actor: StaffMember | None) -> None:
    """Record that the data of a client was erased. `actor` is None for the retention period and for commands."""
    record(CLIENT_ERASED, client, actor=actor)
