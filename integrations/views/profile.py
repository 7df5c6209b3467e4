"""The page of a person's Video Calls Platform."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from integrations.connections.forms import ProfileForm
from integrations.hooks import notices_of
from integrations.hosting.eligibility import hosting_of
from staff.access import current_member, current_organization
from staff.people import person_or_404


def profile(request: HttpRequest, pk: int) -> HttpResponse:
    """A person's Video Calls Platform: admins for anybody of the organisation, everybody for themselves."""
    member = current_member(request)
    person = person_or_404(member, pk)
    form = ProfileForm(request.POST or None, instance=person)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("staff-profile", person.pk)
    # The form has put what was typed into its person; the page shows the one who is stored.
    stored = person_or_404(member, pk)
    context = {
        "person": stored,
        "form": form,
        "hosting": hosting_of([stored])[stored.pk],
        "notices": notices_of(current_organization(request), stored) if member.is_admin else [],
    }
    return render(request, "integrations/profile.html", context)
