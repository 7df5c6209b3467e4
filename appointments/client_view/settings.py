"""Settings of the Client View."""

from __future__ import annotations

from typing import Final

from django.db import transaction

from appointments.audit import CLIENT_VIEW_CHANGED
from staff.audit_log.differences import differences
from staff.audit_log.record import record
from staff.models import Organization

_FIELDS: Final = ("phone", "embed_origins")


def save_client_view_settings(organization: Organization, *, phone: str, embed_origins: str) -> None:
    """Save the phone for clients, and the origins that may embed the Client View, one per line."""
    with transaction.atomic():
        before = Organization.objects.lock(organization.pk)
        organization.phone, organization.embed_origins = phone, embed_origins
        organization.save(update_fields=_FIELDS)
        if changes := differences(before, organization, _FIELDS):
            record(CLIENT_VIEW_CHANGED, organization, name=organization.name, changes=changes)
