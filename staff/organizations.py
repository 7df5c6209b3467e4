"""Details of an organisation that its admins change."""

from __future__ import annotations

from typing import Final

from django.db import transaction

from staff.audit_log.differences import differences
from staff.audit_log.kinds import ORGANIZATION_CHANGED
from staff.audit_log.record import record
from staff.locks import lock_staff
from staff.models import ADDRESS_FIELDS, Organization, StaffMember

#: Fields of the page Organisation, in its order.
DETAILS: Final = (
    "name",
    "phone",
    "reply_to",
    *ADDRESS_FIELDS,
    "time_zone",
    "language",
    "clock",
    "first_weekday",
    "color",
)


def save_organization(organization: Organization) -> None:
    """Save the details of the organisation and record what changed."""
    with transaction.atomic():
        before = Organization.objects.lock(organization.pk)
        if before.time_zone != organization.time_zone:
            # Their working hours follow the organisation's zone.
            lock_staff(StaffMember.objects.filter(organization=organization, time_zone=None, location=None))
        organization.save(update_fields=DETAILS)
        if changes := differences(before, organization, DETAILS):
            record(ORGANIZATION_CHANGED, organization, name=organization.name, changes=changes)
