"""Authority: the first path segment of Entra URLs.

It names a tenant (id or verified domain) or an account type such as `organizations`.
"""

from dataclasses import dataclass

from simulator.directory import PERSONAL_TENANT_ID, Directory, Tenant
from simulator.entra.errors import unknown_tenant

MULTI_TENANT = frozenset({"common", "organizations", "consumers"})


@dataclass(frozen=True)
class Authority:
    """A tenant or an account type; `tenant` is None for common, organizations and consumers."""

    name: str
    tenant: Tenant | None

    @property
    def path(self) -> str:
        """Return the path segment for URLs. Tenants appear by id, even if requested by domain."""
        return self.name if self.tenant is None else self.tenant.id

    @property
    def issuer(self) -> str:
        """Return the issuer of the discovery document."""
        if self.tenant is not None:
            return issuer_of(self.tenant.id)
        return issuer_of(PERSONAL_TENANT_ID if self.name == "consumers" else "{tenantid}")


def issuer_of(tenant_id: str) -> str:
    """Return the v2 issuer with Microsoft's host name, as in real tokens."""
    return f"https://login.microsoftonline.com/{tenant_id}/v2.0"


def find_authority(directory: Directory, name: str) -> Authority:
    """Return the authority. Raises EntraError 90002 for an unknown tenant."""
    lowered = name.lower()
    if lowered in MULTI_TENANT:
        return Authority(lowered, None)
    if lowered == PERSONAL_TENANT_ID:
        return Authority("consumers", None)
    tenant = directory.find_tenant(lowered)
    if tenant is None:
        raise unknown_tenant(name)
    return Authority(lowered, tenant)
