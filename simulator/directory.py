"""The directory: tenants, people, and who may hold an application access policy."""

import bisect
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from simulator import people as seeds

PERSONAL_TENANT_ID = "9188040d-6c67-4c5b-b112-36a304b66dad"
NAMESPACE = uuid.UUID("5f0c4c1e-0365-4a5b-8000-00000000a11e")


def object_id(upn: str) -> str:
    """A stable object id for a new person, so that a reset or a restart changes nobody's id."""
    return str(uuid.uuid5(NAMESPACE, upn.lower()))


@dataclass
class PolicyGrant:
    """One Grant-CsApplicationAccessPolicy: `before` is what held until the grant has spread."""

    policy: str | None = None
    effective_at: float = 0.0
    before: str | None = None

    def current(self) -> str | None:
        """The policy's name that holds now."""
        return self.policy if time.time() >= self.effective_at else self.before


@dataclass
class Person:
    """One user object; `sequence` orders lists, `revision` is raised by every change (delta queries)."""

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
        """Primary address in capitals (`SMTP:`), aliases in small letters."""
        addresses = [f"SMTP:{self.mail}"] if self.mail else []
        return addresses + [f"smtp:{alias}" for alias in self.aliases]

    @property
    def may_consent_for_all(self) -> bool:
        """Only two roles may consent on behalf of the organisation."""
        return not seeds.CONSENTING_ROLES.isdisjoint(self.roles)


@dataclass
class Tenant:
    """One organisation of Microsoft 365 with its people and its policies."""

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
    # Who has which address, and the revision it was true of.
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
        """Put a person into the tenant. Raises ValueError when the user name is taken."""
        if person.upn.lower() in self._by_upn:
            raise ValueError(f"The user name {person.upn} is taken.")
        self._sequence += 1
        person.sequence = self._sequence
        self._people[person.id] = person
        self._by_upn[person.upn.lower()] = person
        self._order.append(person)
        self.deleted.pop(person.id, None)
        self.touch(person)
        return person

    def touch(self, person: Person) -> None:
        """Note a change, for delta queries."""
        self.revision += 1
        person.revision = self.revision

    def rename(self, person: Person, upn: str) -> None:
        """Change the user name. Raises ValueError when another person has it."""
        holder = self._by_upn.get(upn.lower())
        if holder is not None and holder is not person:
            raise ValueError(f"The user name {upn} is taken.")
        del self._by_upn[person.upn.lower()]
        person.upn = upn
        self._by_upn[upn.lower()] = person
        self.touch(person)

    def remove(self, person: Person) -> None:
        """Delete a person."""
        del self._people[person.id]
        del self._by_upn[person.upn.lower()]
        self._order.pop(bisect.bisect_left(self._order, person.sequence, key=_sequence))
        self.revision += 1
        self.deleted[person.id] = self.revision

    def by_id(self, oid: str) -> Person | None:
        return self._people.get(oid.lower())

    def by_upn(self, upn: str) -> Person | None:
        """User names are compared without case."""
        return self._by_upn.get(upn.lower())

    def by_address(self, value: str) -> list[Person]:
        """Whoever's mail this is, or one of whose proxy addresses ("smtp:…"), without case."""
        if self._addresses_revision != self.revision:
            self._addresses = {}
            for person in self._order:
                for address in {person.mail.lower(), *map(str.lower, person.proxy_addresses)}:
                    self._addresses.setdefault(address, []).append(person)
            self._addresses_revision = self.revision
        return self._addresses.get(value.lower(), [])

    def find(self, key: str) -> Person | None:
        """By object id or user name; an e-mail alias finds nobody (as in Graph)."""
        return self.by_id(key) or self.by_upn(key)

    def page(self, after: int, size: int) -> list[Person]:
        """The next people in order after a sequence number."""
        start = bisect.bisect_right(self._order, after, key=_sequence)
        return self._order[start : start + size]

    def policy_of(self, person: Person) -> str | None:
        """A personal policy hides the Global one, whatever either contains."""
        return person.grant.current() or self.global_grant.current()

    def is_covered(self, person: Person, client_id: str) -> bool:
        """True when the app may manage online meetings for this person."""
        policy = self.policy_of(person)
        return policy is not None and client_id in self.policies.get(policy, [])

    def dump(self) -> dict[str, Any]:
        """The tenant as JSON-ready data."""
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
        """The opposite of `dump`."""
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
    """All tenants."""

    def __init__(self, tenants: Iterable[Tenant]) -> None:
        self.tenants = {tenant.id: tenant for tenant in tenants}

    @classmethod
    def seeded(cls) -> "Directory":
        """Contoso and Fabrikam as `simulator.people` describes them."""
        directory = cls(Tenant(seed.id, seed.name, list(seed.domains)) for seed in seeds.TENANTS)
        for seed in seeds.PEOPLE:
            tenant = directory.owner_of(seed.upn)
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
        """From what the tenants dumped."""
        return cls(Tenant.load(data) for data in tenants)

    def resolve(self, name: str) -> Tenant | None:
        """A tenant by its GUID or one of its verified domains."""
        wanted = name.lower()
        if wanted in self.tenants:
            return self.tenants[wanted]
        return next((tenant for tenant in self.tenants.values() if wanted in tenant.domains), None)

    def owner_of(self, address: str) -> Tenant | None:
        """The tenant that has verified an address's domain."""
        return self.resolve(address.rpartition("@")[2])

    def locate(self, key: str) -> tuple[Tenant, Person] | None:
        """A person of any tenant by object id or user name."""
        for tenant in self.tenants.values():
            person = tenant.find(key)
            if person is not None:
                return tenant, person
        return None
