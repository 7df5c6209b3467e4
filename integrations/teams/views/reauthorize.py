"""Actions > Reauthorize."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from integrations.models import Connection
from integrations.platforms.values import PlatformError
from integrations.teams.access_policy.guide import DOCUMENTATION
from integrations.teams.connect.decorators import (
    connect_page,
    form_data,
    render_sign_in_form,
    see_other,
    with_next_step,
)
from integrations.teams.connect.reauthorize import Disconnected, answers_for
from integrations.teams.connect.redirects import start_authorization
from integrations.teams.entra.tenants import TenantProblem, resolve_tenant
from integrations.teams.forms import ReauthorizeForm
from integrations.views.access import connection_or_404


@connect_page
def reauthorize(request: HttpRequest, pk: int) -> HttpResponse:
    """Request the tenant ID and redirect to Microsoft. Healthy connections can be reauthorized as well."""
    connection = connection_or_404(request, pk)
    if not connection.is_live:
        messages.warning(request, str(Disconnected()))
        return redirect("video-calls")
    form = ReauthorizeForm(form_data(request), initial={"tenant": connection.teams.tenant_id})
    if form.is_valid():
        try:
            return see_other(_authorization_address(request, connection, form.cleaned_data["tenant"]))
        except TenantProblem as problem:
            form.add_error("tenant", str(problem))
        except PlatformError as problem:
            form.add_error(None, with_next_step(problem, reauthorizing=True))
    context = {
        "form": form,
        "connection": connection,
        "teams": connection.teams,
        "client_id": settings.MICROSOFT_CLIENT_ID,
        "documentation": DOCUMENTATION,
    }
    return render_sign_in_form(request, "teams/reauthorize.html", context)


def _authorization_address(request: HttpRequest, connection: Connection, typed: str) -> str:
    tenant = resolve_tenant(typed)
    return start_authorization(request.session, tenant, answers_for(connection.teams, tenant))
