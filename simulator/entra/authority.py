"""The first part of every Entra address: which tenant, or which kind of account."""

from dataclasses import dataclass

from simulator.directory import PERSONAL_TENANT_ID, Directory, Tenant
from simulator.entra.errors import unknown_tenant

MULTI_TENANT = frozenset({"common", "organizations", "consumers"})


@dataclass(frozen=True)
class Authority:
    """`tenant` is None for common, organizations and consumers."""

    name: str
    tenant: Tenant | None

    @property
    def path(self) -> str:
        """How this authority is written in addresses: the GUID of a tenant, whatever it was asked by."""
        return self.name if self.tenant is None else self.tenant.id

    @property
    def issuer(self) -> str:
        """The issuer in its discovery document."""
        if self.tenant is not None:
            return issuer_of(self.tenant.id)
        return issuer_of(PERSONAL_TENANT_ID if self.name == "consumers" else "{tenantid}")


def issuer_of(tenant_id: str) -> str:
    """The v2 issuer, with Microsoft's host name as in real tokens."""
    return f"https://login.microsoftonline.com/{tenant_id}/v2.0"


def find_authority(directory: Directory, name: str) -> Authority:
    """Raises EntraError 90002 for a tenant that does not exist."""
    lowered = name.lower()
    if lowered in MULTI_TENANT:
        return Authority(lowered, None)
    if lowered == PERSONAL_TENANT_ID:
        return Authority("consumers", None)
    tenant = directory.resolve(lowered)
    if tenant is None:
        raise unknown_tenant(name)
    return Authority(lowered, tenant)
