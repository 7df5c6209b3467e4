"""Registry through which upper layers contribute to pages and decisions of lower layers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import date
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from staff.models import Location
from staff.planned_changes import AffectedAppointments, PlannedChange

if TYPE_CHECKING:
    from staff.models import Location

Hook = TypeVar("Hook")


class Registry(Generic[Hook]):
    """Hooks in the order of their registration. `AppConfig.ready()` registers them."""

    def __init__(self) -> None:
        self._hooks: list[Hook] = []

    def register(self, hook: Hook) -> None:
        """Add a hook. A hook that is registered already is not added twice."""
        if hook not in self._hooks:
            self._hooks.append(hook)

    def __iter__(self) -> Iterator[Hook]:
        return iter(tuple(self._hooks))


#: Hooks that return what a change of a location means for its appointments, a sentence each. They are called with the
#: location before and after the change.
location_notices: Final[Registry[Callable[[Location, Location], list[str]]]] = Registry()
#: Returns the upcoming appointments that a change concerns, those with the given words first shown. The change is
#: written already, in a transaction that its caller may roll back.
AffectedFinder = Callable[[PlannedChange, str], AffectedAppointments]
#: First and last day of a period.
Days = tuple[date, date]
#: Returns a context around a change of hours of the person, or of the location, with this primary key. It notes which
#: appointments the change leaves outside the hours. Given days, the change concerns only these. The transaction of the
#: caller has locked the rows.
HoursObserver = Callable[[int | None, int | None, "Collection[Days] | None"], AbstractContextManager[None]]

affected_appointments: Final[Registry[AffectedFinder]] = Registry()
hours_observers: Final[Registry[HoursObserver]] = Registry()


@contextmanager
def changing_hours(
    *, person: int | None = None, locations: Iterable[Location] = (), days: Collection[Days] | None = None
) -> Iterator[None]:
    """Let upper layers compare the hours of a person, or of locations, before and after the block.

    Without `days`, the hours of any day may change. Use it in the transaction of the change, after locking the rows.
    """
    scopes: list[tuple[int | None, int | None]] = (
        [(person, None)] if person is not None else [(None, location.pk) for location in locations]
    )
    with ExitStack() as stack:
        for observer in hours_observers:
            for scope in scopes:
                stack.enter_context(observer(scope[0], scope[1], days))
        yield
