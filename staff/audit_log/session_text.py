"""Details of events about sessions that ended automatically."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from staff.audit_log.models import AuditEvent


def describe_session_end(events: Sequence[AuditEvent]) -> dict[int, str]:
    """Return the limit that ended each session, such as "After 30 minutes without activity"."""
    return {event.pk: _limit_text(event.params) for event in events}


def _limit_text(params: Mapping[str, Any]) -> str:
    if params["reason"] == "idle":
        return _("After %(minutes)d minutes without activity") % params
    return _("%(hours)d hours after the sign-in") % params
