"""Default connection of an organisation, and the name of a connection."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from integrations.connections.defaults import (
    NameTaken,
    make_default,
    move_staff_to_default,
    rename_connection,
)
from integrations.connections.forms import RenameConnectionForm
from integrations.models import Connection
from integrations.platforms.registry import platform_of
from integrations.views.access import while_connected, with_connection
from staff.access import admin_only, current_member


@admin_only
@require_POST
@while_connected
def default(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Make the connection the default for all staff without a choice of their own."""
    if make_default(connection, current_member(request)):
        sentence = _("%(name)s is the organisation's default now.")
        messages.success(request, sentence % {"name": connection.name})
        if not connection.matches.filter(enabled=True).exists():
            sentence = _("Video Calls is off for everybody on %(name)s. Turn it on below.")
            messages.warning(request, sentence % {"name": connection.name})
            return redirect("connection", connection.pk)
    return redirect("video-calls")


@admin_only
@require_POST
@with_connection
def use_default(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Move the staff who chose this disconnected connection to the organisation's default."""
    moved = move_staff_to_default(connection, current_member(request))
    sentence = ngettext(
        "%d person uses the organisation's default now.",
        "%d people use the organisation's default now.",
        moved,
    )
    messages.success(request, sentence % moved)
    return redirect("video-calls")


@admin_only
@with_connection
def rename(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Rename the connection."""
    form = RenameConnectionForm(request.POST or None, initial={"name": connection.name})
    if request.method == "POST" and form.is_valid():
        try:
            rename_connection(connection, form.cleaned_data["name"], current_member(request))
        except NameTaken as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("connection", connection.pk)
    context = {"connection": connection, "platform": platform_of(connection), "form": form}
    return render(request, "integrations/connections/rename.html", context)
