"""Video Calls Platform of a staff member."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from integrations.connections.forms import VideoPlatformForm
from integrations.hooks import notices_of
from integrations.hosting.eligibility import hosting_of
from staff.access import current_member, current_organization
from staff.people import person_or_404
from staff.sessions.listing import session_rows


def profile(request: HttpRequest, pk: int) -> HttpResponse:
    """Show and save the platform of a staff member: own profile, or any profile for admins.

    One's own profile also lists one's sessions.
    """
    member = current_member(request)
    person = person_or_404(member, pk)
    form = VideoPlatformForm(request.POST or None, instance=person)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("staff-profile", person.pk)
    # The form has written the input to its instance; the page shows the stored staff member.
    stored = person_or_404(member, pk)
    context = {
        "person": stored,
        "form": form,
        "hosting": hosting_of([stored])[stored.pk],
        "notices": notices_of(current_organization(request), stored) if member.is_admin else [],
        "sessions": session_rows(request, member) if person == member else None,
    }
    return render(request, "integrations/profile.html", context)
