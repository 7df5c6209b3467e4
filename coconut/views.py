"""Home page and security.txt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from staff.models import StaffMember

# RFC 9116 recommends less than a year.
_SECURITY_TXT_LIFE: Final = timedelta(days=180)


def home(request: HttpRequest) -> HttpResponse:
    """Redirect operators to Django admin, and staff to the schedule."""
    if isinstance(request.user, StaffMember) and request.user.organization_id is None:
        return redirect("admin:index")
    return redirect("schedule")


@require_safe
@login_not_required
def security_txt(request: HttpRequest) -> HttpResponse:
    """Say where to report a vulnerability (RFC 9116). 404 if no contact is set."""
    if not settings.SECURITY_CONTACT:
        raise Http404
    contacts = [f"mailto:{each}" if "://" not in each else each for each in settings.SECURITY_CONTACT]
    expires = datetime.now(UTC) + _SECURITY_TXT_LIFE
    lines = [
        *(f"Contact: {contact}" for contact in contacts),
        f"Expires: {expires:%Y-%m-%d}T00:00:00Z",
        f"Canonical: {settings.BASE_URL}{reverse('security-txt')}",
        "Preferred-Languages: en",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
