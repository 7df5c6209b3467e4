"""Registry through which upper layers contribute to pages and decisions of lower layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Generic, TypeVar

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
