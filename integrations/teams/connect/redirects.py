"""Ways to Microsoft: build the address and store the pending sign-in in the session."""

from __future__ import annotations

import secrets
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.urls import reverse

from integrations.teams.connect.runs import page_of_run
from integrations.teams.connect.session import PendingSignIn, Step, WizardAnswers, keep_pending_sign_in
from integrations.teams.entra import sign_in
from integrations.teams.entra.tenants import Tenant
from integrations.teams.entra.token_responses import default_scope
from integrations.teams.models import Method, TeamsConnection


def start_authorization(session: SessionBase, run: str, tenant: Tenant, answers: WizardAnswers) -> str:
    """Start the first step: the service account's sign-in, or the admin consent. Writes only the session.

    Returns the address of our page that opens Microsoft. A POST must not redirect to Microsoft itself: Chrome and
    Safari apply `form-action` to all redirects that follow a form, and the sign-in host of a federated tenant isn't
    known (github.com/w3c/webappsec-csp/issues/8). Raises PlatformError.
    """
    if answers.method == Method.ACCESS_POLICY:
        _start_admin_consent(session, run, tenant, answers)
    else:
        flow = sign_in.start_sign_in(tenant.id, _redirect_uri(), login_hint=_login_hint(answers))
        _keep_flow(session, run, Step.SIGN_IN, answers, flow)
    return page_of_run("teams-opening", run)


def start_identification_step(session: SessionBase, run: str, answers: WizardAnswers) -> str:
    """Return Microsoft's address at which the consenting administrator signs in. Raises PlatformError.

    The redirect after a consent names a tenant that can be forged
    (learn.microsoft.com/entra/identity-platform/v2-admin-consent).
    """
    flow = sign_in.start_identification(answers.tenant_id, _redirect_uri())
    return _keep_flow(session, run, Step.IDENTIFICATION, answers, flow)


def _keep_flow(session: SessionBase, run: str, step: Step, answers: WizardAnswers, flow: dict[str, object]) -> str:
    address = str(flow.pop("auth_uri"))
    keep_pending_sign_in(session, str(flow["state"]), PendingSignIn(step, answers, run, address, flow))
    return address


def _start_admin_consent(session: SessionBase, run: str, tenant: Tenant, answers: WizardAnswers) -> None:
    """Start the consent to all permissions of the app registration. MSAL doesn't support it."""
    state = secrets.token_urlsafe(32)
    query = {
        "client_id": settings.MICROSOFT_CLIENT_ID,
        "scope": default_scope(),
        "redirect_uri": _redirect_uri(),
        "state": state,
    }
    endpoint = urlsplit(tenant.authorization_endpoint)
    address = f"{endpoint.scheme}://{endpoint.netloc}/{tenant.id}/v2.0/adminconsent?{urlencode(query)}"
    keep_pending_sign_in(session, state, PendingSignIn(Step.CONSENT, answers, run, address))


def _login_hint(answers: WizardAnswers) -> str:
    if answers.connection_id is None:
        return ""
    return TeamsConnection.objects.get(connection=answers.connection_id).account_upn


def _redirect_uri() -> str:
    """Return the only redirect URI of the app registration."""
    return f"{settings.BASE_URL}{reverse('teams-callback')}"
