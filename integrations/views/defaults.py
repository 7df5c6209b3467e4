"""Make default, whoever has lost a platform, and the name of a connection."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from integrations.connections.defaults import give_default, make_default
from integrations.connections.forms import NameForm
from integrations.connections.names import NameTaken, rename_connection
from integrations.platforms.registry import platform_of
from integrations.views.access import connection_or_404, while_connected
from staff.access import admin_only, current_member


@admin_only
@require_POST
@while_connected
def default(request: HttpRequest, pk: int) -> HttpResponse:
    """Make default: everybody who has chosen no platform uses this one from now on."""
    connection = connection_or_404(request, pk)
    if make_default(connection, current_member(request)):
        words = _("%(name)s is the organisation's default now.")
        messages.success(request, words % {"name": connection.name})
        if not connection.matches.filter(enabled=True).exists():
            words = _("Video Calls is off for everybody on %(name)s. Turn it on below.")
            messages.warning(request, words % {"name": connection.name})
            return redirect("connection", connection.pk)
    return redirect("video-calls")


@admin_only
@require_POST
def use_default(request: HttpRequest, pk: int) -> HttpResponse:
    """Whoever has chosen this connection, which is gone, uses the organisation's default from now on."""
    moved = give_default(connection_or_404(request, pk), current_member(request))
    sentence = ngettext(
        "%d person uses the organisation's default now.",
        "%d people use the organisation's default now.",
        moved,
    )
    messages.success(request, sentence % moved)
    return redirect("video-calls")


@admin_only
def rename(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the connection a name that tells it apart."""
    connection = connection_or_404(request, pk)
    form = NameForm(request.POST or None, initial={"name": connection.name})
    if request.method == "POST" and form.is_valid():
        try:
            rename_connection(connection, form.cleaned_data["name"], current_member(request))
        except NameTaken as taken:
            form.add_error("name", str(taken))
        else:
            messages.success(request, _("Saved."))
            return redirect("connection", connection.pk)
    context = {"connection": connection, "platform": platform_of(connection), "form": form}
    return render(request, "integrations/rename.html", context)
