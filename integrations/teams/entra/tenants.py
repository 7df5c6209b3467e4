"""Resolve a typed tenant ID or domain to a Microsoft tenant by OpenID discovery."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from coconut.fields.pasted_text import describe_character
from integrations.messages import Message, MessageCode
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.entra.errors import Refusal, numbered, read_refusal, unreachable, unreported_error
from integrations.teams.entra.tenant_names import find_tenant_name
from integrations.teams.http import LastResponse, Unreachable, entra_url, get_document, graph_url
from integrations.teams.messages import TeamsMessage

# The tenant of personal Microsoft accounts (learn.microsoft.com/entra/identity-platform/id-token-claims-reference).
PERSONAL_TENANT: Final = "9188040d-6c67-4c5b-b112-36a304b66dad"
# Words that stand for a kind of account (learn.microsoft.com/entra/identity-platform/v2-protocols-oidc).
_ACCOUNT_TYPES: Final = frozenset({"common", "organizations", "consumers"})
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DOMAIN = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_ODD_CHARACTER = re.compile(r"[^a-z0-9.-]")
_IN_ISSUER = re.compile(rf"/({_GUID.pattern})/v2\.0")
# The simulator's sign-in page has no TLS. A host has only these letters, so that the origin is safe in a header.
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?/[!-~]*")
_TENANT_NOT_FOUND: Final = 90002


class TenantProblem(Exception):
    """The input isn't a tenant that can be connected. `str()` is a sentence with the remedy."""

    def __init__(self, code: MessageCode, *, number: int = 0, **params: str) -> None:
        """`number` is Microsoft's error code, 0 without one."""
        self.message = numbered(Message(code, params), number)
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

    Raises TenantProblem for other input, and PlatformError (OUTAGE or THROTTLED) if Microsoft can't be reached.
    """
    name = _validated_name(typed)
    last = _fetch_openid_configuration(name)
    if last.status != 200:
        raise _refused_tenant(name, read_refusal(last.body, last))
    document = last.body
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
    if name in _ACCOUNT_TYPES:
        raise TenantProblem(TeamsMessage.TENANT_IS_WORD, word=name)
    if name == PERSONAL_TENANT:
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


def _fetch_openid_configuration(name: str) -> LastResponse:
    try:
        return get_document(discovery_url(name))
    except Unreachable as error:
        raise unreachable(error.last) from error


def _read_tenant(name: str, document: dict[str, Any]) -> Tenant:
    issuer = str(document.get("issuer", ""))
    found = _IN_ISSUER.search(issuer)
    addresses = [_address(document, key) for key in ("jwks_uri", "authorization_endpoint")]
    if found is None or found.end() != len(issuer) or not all(addresses) or not addresses[0].startswith("https://"):
        # The document comes from a proxy or another site, not from Microsoft.
        raise unreachable()
    return Tenant(found[1], "" if _GUID.fullmatch(name) else name, issuer, *addresses)


def _address(document: dict[str, Any], key: str) -> str:
    """Return the address in a field, "" if it has none."""
    address = document.get(key)
    return address if isinstance(address, str) and _ADDRESS.fullmatch(address) else ""


def _refused_tenant(typed: str, refusal: Refusal) -> TenantProblem | PlatformError:
    """Return the problem of a tenant that discovery refuses."""
    if refusal.row.kind == ErrorKind.CONNECTION and refusal.number != _TENANT_NOT_FOUND:
        return TenantProblem(refusal.row.at_sign_in or refusal.row.sentence, number=refusal.number)
    if refusal.error == "invalid_tenant" or refusal.number == _TENANT_NOT_FOUND:
        return TenantProblem(TeamsMessage.TENANT_UNKNOWN, number=refusal.number, tenant=typed)
    return unreported_error(refusal)
