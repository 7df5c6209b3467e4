"""Logo of an organisation: store, remove, find."""

from __future__ import annotations

from hashlib import sha256

from django.db import transaction

from staff.audit_log.kinds import LOGO_CHANGED, LOGO_REMOVED
from staff.audit_log.record import record
from staff.models import Logo, Organization


def save_logo(organization: Organization, png: bytes) -> None:
    """Store the PNG as the organisation's logo. Its address changes with its bytes."""
    with transaction.atomic():
        Organization.objects.lock(organization.pk)
        Logo.objects.update_or_create(organization=organization, defaults={"png": png})
        _set_digest(organization, sha256(png).hexdigest())
        record(LOGO_CHANGED, organization, name=organization.name)


def remove_logo(organization: Organization) -> None:
    """Remove the logo. A second click changes nothing."""
    with transaction.atomic():
        if not Organization.objects.lock(organization.pk).logo_digest:
            return
        Logo.objects.filter(organization=organization).delete()
        _set_digest(organization, "")
        record(LOGO_REMOVED, organization, name=organization.name)


def logo_with(slug: str, digest: str) -> bytes | None:
    """Return the PNG with this digest; None if the organisation has another logo, or none."""
    logos = Logo.objects.filter(organization__slug=slug, organization__logo_digest=digest)
    png = logos.values_list("png", flat=True).first()
    return None if png is None else bytes(png)


def _set_digest(organization: Organization, digest: str) -> None:
    organization.logo_digest = digest
    organization.save(update_fields=["logo_digest"])
