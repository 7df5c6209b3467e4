"""Resolve a typed tenant ID or domain to a Microsoft tenant by OpenID discovery."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from coconut.fields.pasted_text import describe_character
from integrations.messages import Message
from integrations.teams.entra.errors import Refusal, read_refusal, unreachable
from integrations.teams.entra.tenant_names import find_tenant_name
from integrations.teams.http import Unreachable, entra_url, get_json, graph_url
from integrations.teams.messages import TeamsMessage

# The tenant of personal Microsoft accounts (learn.microsoft.com/entra/identity-platform/id-token-claims-reference).
PERSONAL_TENANT: Final = "9188040d-6c67-4c5b-b112-36a304b66dad"
_NOT_A_TENANT: Final = frozenset({"common", "organizations", "consumers"})
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DOMAIN = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_ODD_CHARACTER = re.compile(r"[^a-z0-9.-]")
_IN_ISSUER = re.compile(r"/([0-9a-f-]{36})/v2\.0$")
_OTHER_CLOUD_NUMBERS: Final = frozenset({90038, 900382, 900432})


class TenantProblem(Exception):
    """The input isn't a tenant that can be connected. `str()` is a sentence with the remedy."""

    def __init__(self, code: TeamsMessage, **params: str) -> None:
        self.message = Message(code, params)
        super().__init__(self.message)


@dataclass(frozen=True)
class Tenant:
    """A tenant's OpenID metadata. `domain` is the typed domain, "" if a GUID was typed."""

    id: str
    domain: str
    issuer: str
    jwks_uri: str
    authorization_endpoint: str


def resolve_tenant(typed: str) -> Tenant:
    """Return the tenant of a GUID or a verified domain, or of an address that holds one.

    Raises TenantProblem for other input, and PlatformError (OUTAGE) if Microsoft can't be reached.
    """
    name = _validated_name(typed)
    status, document = _fetch_openid_configuration(name)
    if status != 200:
        raise _unknown_tenant(name, read_refusal(document))
    tenant = _read_tenant(name, document)
    if tenant.id == PERSONAL_TENANT:
        raise TenantProblem(TeamsMessage.TENANT_PERSONAL)
    # From memory, not from Microsoft's pages: discovery names the Graph host of the tenant's cloud.
    graph_host = urlsplit(graph_url()).hostname
    if document.get("msgraph_host", graph_host) != graph_host:
        raise TenantProblem(TeamsMessage.TENANT_OF_OTHER_CLOUD)
    return tenant


def discovery_url(name: str) -> str:
    """Return the address of the OpenID metadata of a tenant ID or domain. Its issuer holds the tenant ID."""
    return f"{entra_url()}/{quote(name)}/v2.0/.well-known/openid-configuration"


def _validated_name(typed: str) -> str:
    name = find_tenant_name(typed)
    if name in _NOT_A_TENANT or name == PERSONAL_TENANT:
        raise TenantProblem(TeamsMessage.TENANT_PERSONAL)
    if "@" in name:
        raise TenantProblem(TeamsMessage.TENANT_IS_EMAIL)
    if not _GUID.fullmatch(name) and not _DOMAIN.fullmatch(name):
        raise _malformed(name)
    return name


def _malformed(name: str) -> TenantProblem:
    odd = _ODD_CHARACTER.search(name)
    if odd is None:
        return TenantProblem(TeamsMessage.TENANT_MALFORMED)
    return TenantProblem(TeamsMessage.TENANT_ODD_CHARACTER, character=describe_character(odd[0]))


def _fetch_openid_configuration(name: str) -> tuple[int, dict[str, Any]]:
    try:
        return get_json(discovery_url(name))
    except Unreachable as error:
        raise unreachable() from error


def _read_tenant(name: str, document: dict[str, Any]) -> Tenant:
    issuer = str(document.get("issuer", ""))
    found = _IN_ISSUER.search(issuer)
    addresses = [str(document.get(key, "")) for key in ("jwks_uri", "authorization_endpoint")]
    if found is None or not all(addresses):
        # The document comes from a proxy or another site, not from Microsoft.
        raise unreachable()
    return Tenant(found[1], "" if _GUID.fullmatch(name) else name, issuer, *addresses)


def _unknown_tenant(typed: str, refusal: Refusal) -> TenantProblem:
    if refusal.number in _OTHER_CLOUD_NUMBERS:
        return TenantProblem(TeamsMessage.TENANT_OF_OTHER_CLOUD)
    return TenantProblem(TeamsMessage.TENANT_UNKNOWN, tenant=typed)
