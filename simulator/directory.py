"""Directory of tenants and people, with application access policies.

Indexes find people by object id, user principal name or email address.
"""

import bisect
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from simulator import people as seeds

PERSONAL_TENANT_ID = "9188040d-6c67-4c5b-b112-36a304b66dad"
OBJECT_ID_NAMESPACE = uuid.UUID("5f0c4c1e-0365-4a5b-8000-00000000a11e")


def object_id(upn: str) -> str:
    """Return an object id derived from the user principal name, so that a reset keeps it."""
    return str(uuid.uuid5(OBJECT_ID_NAMESPACE, upn.lower()))


@dataclass
class PolicyGrant:
    """A Grant-CsApplicationAccessPolicy. `before` is in effect until `effective_at` (Unix time).

    Microsoft: a grant takes up to 30 minutes (cloud-communication-online-meeting-application-access-policy).
    """

    policy: str | None = None
    effective_at: float = 0.0
    before: str | None = None

    def current(self) -> str | None:
        """Return the name of the policy in effect."""
        return self.policy if time.time() >= self.effective_at else self.before


@dataclass
class Person:
    """A user object. `sequence` orders lists; `revision` is the tenant's at the latest change."""

    id: str
    upn: str
    name: str
    mail: str
    enabled: bool = True
    guest: bool = False
    licensed: bool = True
    roles: list[str] = field(default_factory=list)
    note: str = ""
    aliases: list[str] = field(default_factory=list)
    grant: PolicyGrant = field(default_factory=PolicyGrant)
    sequence: int = 0
    revision: int = 0

    @property
    def proxy_addresses(self) -> list[str]:
        """Return the primary address (prefix `SMTP:`), then the aliases (prefix `smtp:`)."""
        addresses = [f"SMTP:{self.mail}"] if self.mail else []
        return addresses + [f"smtp:{alias}" for alias in self.aliases]

    @property
    def can_grant_admin_consent(self) -> bool:
        """Return whether one of the person's roles can grant tenant-wide consent."""
        return not seeds.CONSENTING_ROLES.isdisjoint(self.roles)


@dataclass
class Tenant:
    """A Microsoft 365 tenant with its people and policies. `deleted` maps object id to revision."""

    id: str
    name: str
    domains: list[str]
    policies: dict[str, list[str]] = field(default_factory=dict)
    global_grant: PolicyGrant = field(default_factory=PolicyGrant)
    revision: int = 0
    deleted: dict[str, int] = field(default_factory=dict)
    _people: dict[str, Person] = field(default_factory=dict)
    _by_upn: dict[str, Person] = field(default_factory=dict)
    _order: list[Person] = field(default_factory=list)
    _sequence: int = 0
    # Index of email addresses, and the revision at which it was built.
    _addresses: dict[str, list[Person]] = field(default_factory=dict)
    _addresses_revision: int = -1

    def __len__(self) -> int:
        return len(self._people)

    def __iter__(self) -> Iterator[Person]:
        return iter(self._order)

    @property
    def default_domain(self) -> str:
        return self.domains[0]

    def add(self, person: Person) -> Person:
        """Add a person. Raises ValueError if the user principal name is taken."""
        if person.upn.lower() in self._by_upn:
            raise ValueError(f"The user name {person.upn} is taken.")
        self._sequence += 1
        person.sequence = self._sequence
        self._people[person.id] = person
        self._by_upn[person.upn.lower()] = person
        self._order.append(person)
        self.deleted.pop(person.id, None)
        self.record_change(person)
        return person

    def record_change(self, person: Person) -> None:
        """Raise the revision for delta queries."""
        self.revision += 1
        person.revision = self.revision

    def rename(self, person: Person, upn: str) -> None:
        """Change the user principal name. Raises ValueError if another person has it."""
        holder = self._by_upn.get(upn.lower())
        if holder is not None and holder is not person:
            raise ValueError(f"The user name {upn} is taken.")
        del self._by_upn[person.upn.lower()]
        person.upn = upn
        self._by_upn[upn.lower()] = person
        self.record_change(person)

    def remove(self, person: Person) -> None:
        """Delete a person and remember the deletion for delta queries."""
        del self._people[person.id]
        del self._by_upn[person.upn.lower()]
        self._order.pop(bisect.bisect_left(self._order, person.sequence, key=_sequence))
        self.revision += 1
        self.deleted[person.id] = self.revision

    def recreate(self, person: Person) -> Person:
        """Delete a person and add one with the same names but a new object id.

        The new user starts without policy, roles, consents and meetings: Entra keeps these by object id.
        """
        self.remove(person)
        return self.add(replace(person, id=str(uuid.uuid4()), roles=[], grant=PolicyGrant()))

    def by_id(self, oid: str) -> Person | None:
        return self._people.get(oid.lower())

    def by_upn(self, upn: str) -> Person | None:
        """Return the person with a user principal name, ignoring case."""
        return self._by_upn.get(upn.lower())

    def find_by_address(self, value: str) -> list[Person]:
        """Return people with this `mail` or proxy address ("smtp:…"), ignoring case."""
        if self._addresses_revision != self.revision:
            self._addresses = {}
            for person in self._order:
                for address in {person.mail.lower(), *map(str.lower, person.proxy_addresses)}:
                    self._addresses.setdefault(address, []).append(person)
            self._addresses_revision = self.revision
        return self._addresses.get(value.lower(), [])

    def find(self, key: str) -> Person | None:
        """Return a person by object id or user principal name.

        As in Graph, an email alias isn't a key (learn.microsoft.com/answers 1017338).
        """
        return self.by_id(key) or self.by_upn(key)

    def people_after(self, after: int, size: int) -> list[Person]:
        """Return up to `size` people with a sequence number above `after`."""
        start = bisect.bisect_right(self._order, after, key=_sequence)
        return self._order[start : start + size]

    def effective_policy(self, person: Person) -> str | None:
        """Return the policy in effect: a personal policy overrides the Global one.

        Microsoft: Grant-CsApplicationAccessPolicy.
        """
        return person.grant.current() or self.global_grant.current()

    def policy_allows(self, person: Person, client_id: str) -> bool:
        """Return whether the person's policy lets an app manage their online meetings."""
        policy = self.effective_policy(person)
        return policy is not None and client_id in self.policies.get(policy, [])

    def dump(self) -> dict[str, Any]:
        """Return the tenant as JSON-ready data."""
        return {
            "id": self.id,
            "name": self.name,
            "domains": self.domains,
            "policies": self.policies,
            "global_grant": asdict(self.global_grant),
            "revision": self.revision,
            "deleted": self.deleted,
            "people": [asdict(person) for person in self._order],
        }

    @classmethod
    def load(cls, data: dict[str, Any]) -> "Tenant":
        """Create a tenant from data of `dump`."""
        tenant = cls(data["id"], data["name"], data["domains"], data["policies"])
        tenant.global_grant = PolicyGrant(**data["global_grant"])
        for entry in data["people"]:
            revision = entry["revision"]
            person = tenant.add(Person(**{**entry, "grant": PolicyGrant(**entry["grant"])}))
            person.revision = revision
        tenant.revision = data["revision"]
        tenant.deleted = data["deleted"]
        return tenant


def _sequence(person: Person) -> int:
    return person.sequence


class Directory:
    """All tenants by id."""

    def __init__(self, tenants: Iterable[Tenant]) -> None:
        self.tenants = {tenant.id: tenant for tenant in tenants}

    @classmethod
    def seeded(cls) -> "Directory":
        """Create the tenants and people of `simulator.people`."""
        directory = cls(Tenant(seed.id, seed.name, list(seed.domains)) for seed in seeds.TENANTS)
        for seed in seeds.PEOPLE:
            tenant = directory.tenant_of_address(seed.upn)
            if tenant is None:
                raise ValueError(f"No tenant owns the domain of {seed.upn}.")
            tenant.add(
                Person(
                    id=object_id(seed.upn),
                    upn=seed.upn,
                    name=seed.name,
                    mail=seed.mail or seed.upn,
                    enabled=seed.enabled,
                    guest=seed.guest,
                    licensed=seed.licensed,
                    roles=list(seed.roles),
                    note=seed.note,
                )
            )
        return directory

    @classmethod
    def load(cls, tenants: list[dict[str, Any]]) -> "Directory":
        """Create a directory from the data of `Tenant.dump`."""
        return cls(Tenant.load(data) for data in tenants)

    def find_tenant(self, name: str) -> Tenant | None:
        """Return a tenant by id or verified domain."""
        key = name.lower()
        if key in self.tenants:
            return self.tenants[key]
        return next((tenant for tenant in self.tenants.values() if key in tenant.domains), None)

    def tenant_of_address(self, address: str) -> Tenant | None:
        """Return the tenant that has verified the domain of an address."""
        return self.find_tenant(address.rpartition("@")[2])

    def find_account(self, key: str) -> tuple[Tenant, Person] | None:
        """Return tenant and person by object id or user principal name, in any tenant."""
        for tenant in self.tenants.values():
            person = tenant.find(key)
            if person is not None:
                return tenant, person
        return None
