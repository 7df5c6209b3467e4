"""Notice about a waiting request, on the Video Calls pages."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from integrations.teams.models import ConnectionRequest
from staff.models import Organization, StaffMember
from staff.notices import Notice


def waiting_request(organization: Organization, person: StaffMember | None) -> Notice | None:
    """Return the notice about the organisation's oldest waiting request, or None. One query."""
    if person is not None:
        return None
    waiting = ConnectionRequest.objects.waiting().filter(organization=organization)
    request = waiting.order_by("requested_at", "pk").first()
    if request is None:
        return None
    return Notice(
        _sentence(request),
        _("View request"),
        reverse("teams-request", args=[request.pk]),
        is_urgent=bool(request.failure),
        button=_("Cancel request"),
        button_address=reverse("teams-request-cancel", args=[request.pk]),
    )


def _sentence(request: ConnectionRequest) -> str:
    tenant = {"tenant": request.tenant_name or request.tenant_id}
    if request.failure:
        failed = _("Your Customer Success Team could not connect the Microsoft tenant %(tenant)s.") % tenant
        return f"{failed} {request.failure}"
    return _("Your Customer Success Team has to confirm the Microsoft tenant %(tenant)s.") % tenant
