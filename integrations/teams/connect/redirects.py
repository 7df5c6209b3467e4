"""To Microsoft: where to send the browser, and what the session keeps until it comes back."""

from __future__ import annotations

import secrets
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.urls import reverse

from integrations.teams.connect.session import PendingSignIn, Step, WizardAnswers, keep_pending_sign_in
from integrations.teams.entra import sign_in as login
from integrations.teams.entra.tenants import Tenant
from integrations.teams.models import Method, TeamsConnection


def depart(session: SessionBase, tenant: Tenant, answers: WizardAnswers) -> str:
    """The first trip: sign in as the service account, or consent as an administrator. Returns the address.

    Raises PlatformError; nothing but the session is written.
    """
    if answers.method == Method.ACCESS_POLICY:
        return _to_consent(session, tenant, answers)
    flow = login.start_sign_in(tenant.id, _redirect_uri(), login_hint=_account_to_renew(answers))
    return _keep(session, Step.SIGN_IN, answers, flow)


def depart_to_prove(session: SessionBase, answers: WizardAnswers) -> str:
    """The second trip under an access policy: whoever consented shows who they are. As `depart`.

    The return of a consent names a tenant that anybody could have written there
    (learn.microsoft.com/entra/identity-platform/v2-admin-consent).
    """
    flow = login.start_identification(answers.tenant_id, _redirect_uri())
    return _keep(session, Step.PROOF, answers, flow)


def _keep(session: SessionBase, leg: Step, answers: WizardAnswers, flow: dict[str, object]) -> str:
    address = str(flow.pop("auth_uri"))
    keep_pending_sign_in(session, str(flow["state"]), PendingSignIn(leg, answers, flow))
    return address


def _to_consent(session: SessionBase, tenant: Tenant, answers: WizardAnswers) -> str:
    """Admin consent for everything that the app registration lists; MSAL has no words for it."""
    state = secrets.token_urlsafe(32)
    keep_pending_sign_in(session, state, PendingSignIn(Step.CONSENT, answers))
    query = {
        "client_id": settings.MICROSOFT_CLIENT_ID,
        "scope": login.default_scope(),
        "redirect_uri": _redirect_uri(),
        "state": state,
    }
    sign_in = urlsplit(tenant.authorization_endpoint)
    return f"{sign_in.scheme}://{sign_in.netloc}/{tenant.id}/v2.0/adminconsent?{urlencode(query)}"


def _account_to_renew(answers: WizardAnswers) -> str:
    if answers.connection_id is None:
        return ""
    return TeamsConnection.objects.get(connection=answers.connection_id).account_upn


def _redirect_uri() -> str:
    """The one address that Microsoft sends people back to."""
    return f"{settings.BASE_URL}{reverse('teams-callback')}"
