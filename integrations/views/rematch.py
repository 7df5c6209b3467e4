"""Actions > Rematch users."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from integrations.matching import start_run
from integrations.models import RematchTrigger
from integrations.platforms import platform_of
from integrations.views.access import connection_or_404, while_connected
from staff.access import admin_only, current_member


@admin_only
@while_connected
def rematch(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask once more, then start to rematch everybody and return at once."""
    connection = connection_or_404(request, pk)
    if request.method == "POST":
        start_run(connection, trigger=RematchTrigger.ADMIN, started_by=current_member(request))
        return redirect("connection", connection.pk)
    context = {"connection": connection, "platform": platform_of(connection)}
    return render(request, "integrations/rematch.html", context)
