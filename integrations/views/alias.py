"""The one-click remedy of the table: use the user name that an alias belongs to."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from integrations.matching.alias import AliasError, adopt_user_name, user_name_change_for
from integrations.platforms.registry import platform_of
from integrations.views.access import connection_or_404, while_connected
from integrations.views.dashboard import back_to_dashboard
from staff.access import admin_only, current_member
from staff.models import StaffMember


@admin_only
@while_connected
def takeover(request: HttpRequest, pk: int, staff_pk: int) -> HttpResponse:
    """Say what changes for the person; then change it. Only what the platform answered is accepted."""
    connection = connection_or_404(request, pk)
    person = get_object_or_404(StaffMember, pk=staff_pk, organization=connection.organization_id)
    back = (request.POST if request.method == "POST" else request.GET).get("back", "")
    try:
        if request.method != "POST":
            context = {"connection": connection, "platform": platform_of(connection), "back": back}
            context["offer"] = user_name_change_for(connection, person)
            return render(request, "integrations/takeover.html", context)
        offer = adopt_user_name(connection, person, request.POST.get("new", ""), current_member(request))
    except AliasError as refusal:
        messages.error(request, str(refusal))
    else:
        words = _("%(person)s uses %(new)s now and is being matched again.")
        messages.success(request, words % {"person": person.name, "new": offer.new})
    return back_to_dashboard(connection, back)
