"""What floors above have to say on the pages of Video Calls: registered by them, as this floor does not know them."""

from __future__ import annotations

from collections.abc import Callable

from staff.models import Organization, StaffMember
from staff.notices import Notice

#: What there is to say to an admin of the organisation, about everybody or about one person; None for nothing. With a
#: number of queries that grows with nothing, none of them slow: the dashboard asks each time.
Panel = Callable[[Organization, StaffMember | None], Notice | None]

_panels: list[Panel] = []


def register(panel: Panel) -> None:
    """Called by an app's `AppConfig.ready()`."""
    if panel not in _panels:
        _panels.append(panel)


def notices_of(organization: Organization, person: StaffMember | None = None) -> list[Notice]:
    """What is to be shown to an admin, about one person where `person` is given."""
    said = (panel(organization, person) for panel in _panels)
    return [notice for notice in said if notice is not None]
