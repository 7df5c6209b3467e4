"""Staff members any of which can take an appointment. Few columns of their rows are loaded until more are needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from django.db.models import F, QuerySet

from coconut.database.any_of import AnyOf
from staff.models import StaffMember

#: As many calendars are read at once, without a search.
FEW_STAFF: Final = 50


class PoolMember(NamedTuple):
    """A staff member as lists name them. `location_id` is the home branch."""

    pk: int
    name: str
    location_id: int | None


class StaffPool:
    """Staff members by their pks. Iterates over PoolMember."""

    def __init__(self, members: Iterable[PoolMember] = (), loaded: Iterable[StaffMember] = ()) -> None:
        self._members = {member.pk: member for member in members}
        self._loaded = {member.pk: member for member in loaded}

    @classmethod
    def of(cls, people: StaffPool | Iterable[StaffMember]) -> StaffPool:
        """Return the pool of these loaded staff members."""
        if isinstance(people, StaffPool):
            return people
        loaded = list(people)
        return cls((PoolMember(member.pk, member.name, member.location_id) for member in loaded), loaded)

    @classmethod
    def of_query(cls, people: QuerySet[StaffMember]) -> StaffPool:
        """Return the pool of the staff members of a query. Takes one query for few people, and two for many."""
        few = list(people.select_related("location", "organization")[: FEW_STAFF + 1])
        if len(few) <= FEW_STAFF:
            return cls.of(few)
        rows = people.values_list("pk", "first_name", "last_name", "email", "location_id")
        return cls(PoolMember(pk, f"{first} {last}".strip() or email, at) for pk, first, last, email, at in rows)

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[PoolMember]:
        return iter(self._members.values())

    def __contains__(self, pk: int) -> bool:
        return pk in self._members

    @property
    def is_small(self) -> bool:
        return len(self._members) <= FEW_STAFF

    @property
    def places(self) -> set[int | None]:
        """Return the pks of the home branches."""
        return {member.location_id for member in self}

    @property
    def pks(self) -> list[int]:
        return list(self._members)

    def owning(self, column: str) -> AnyOf:
        """Return the condition that a column is one of these staff members."""
        return AnyOf(F(column), self.pks)

    def only(self, members: Iterable[PoolMember]) -> StaffPool:
        """Return the pool of some of its members."""
        return StaffPool(members, self._loaded.values())

    def load(self, pks: Iterable[int]) -> list[StaffMember]:
        """Return the rows of these members, in this order. Takes one query for those that aren't loaded yet."""
        wanted = [pk for pk in pks if pk in self._members]
        missing = [pk for pk in wanted if pk not in self._loaded]
        if missing:
            rows = StaffMember.objects.filter(pk__in=missing).select_related("location", "organization").order_by()
            self._loaded |= {member.pk: member for member in rows}
        return [self._loaded[pk] for pk in wanted if pk in self._loaded]

    def spread(self) -> list[StaffMember]:
        """Return the rows of a few members from all over the pool."""
        return self.load(self.pks[:: max(1, len(self) // FEW_STAFF)][:FEW_STAFF])

    def load_all(self) -> list[StaffMember]:
        return self.load(self._members)
