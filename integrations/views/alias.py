"""Page that adopts the user name behind an alias."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from integrations.matching.alias import AliasError, adopt_user_name, user_name_change_for
from integrations.models import Connection
from integrations.platforms.registry import platform_of
from integrations.views.access import while_connected
from integrations.views.dashboard import back_to_dashboard
from staff.access import admin_only, current_member
from staff.models import StaffMember
from staff.sessions.current import keep_session
from staff.sessions.password_check import PasswordCheckForm


@admin_only
@while_connected
def use_alias(request: HttpRequest, connection: Connection, staff_pk: int) -> HttpResponse:
    """Show the change of the user name; on POST, apply it. Only the name that the platform reported is accepted."""
    person = get_object_or_404(StaffMember, pk=staff_pk, organization=connection.organization_id)
    back = (request.POST if request.method == "POST" else request.GET).get("back", "")
    try:
        change = user_name_change_for(connection, person)
        password_check = PasswordCheckForm(request) if change.is_login else None
        if request.method != "POST" or (password_check and not password_check.is_valid()):
            context = {"connection": connection, "platform": platform_of(connection), "back": back}
            context |= {"change": change, "password_check": password_check}
            return render(request, "integrations/dashboard/use_alias.html", context)
        _adopt(request, connection, person)
    except AliasError as error:
        messages.error(request, str(error))
    return back_to_dashboard(connection, back)


def _adopt(request: HttpRequest, connection: Connection, person: StaffMember) -> None:
    member = current_member(request)
    change = adopt_user_name(connection, person, request.POST.get("new", ""), member)
    if person == member:
        keep_session(request, member)
    sentence = _("%(person)s uses %(new)s now and is being matched again.")
    messages.success(request, sentence % {"person": person.name, "new": change.new})
