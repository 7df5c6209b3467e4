"""Signing in at Microsoft: authorization, tokens, refresh. The only module that imports MSAL."""

from __future__ import annotations

import msal
from django.conf import settings

from integrations.teams.http import entra_url, new_session


def application(tenant_id: str) -> msal.ConfidentialClientApplication:
    """A new MSAL application for one attempt: a shared one would replay a refusal for a minute."""
    return msal.ConfidentialClientApplication(
        settings.MICROSOFT_CLIENT_ID,
        client_credential=settings.MICROSOFT_CLIENT_SECRET,
        authority=f"{entra_url()}/{tenant_id}",
        http_client=new_session(),
        token_cache=msal.TokenCache(),
        instance_discovery=False,
    )
