"""What floors above have to say on a service's page of meeting methods: registered by them, unknown to this floor."""

from __future__ import annotations

from collections.abc import Callable

from services.models import Service
from staff.notices import Notice

#: What there is to say to an admin about the service as it is offered now; None for nothing.
Panel = Callable[[Service], Notice | None]

_panels: list[Panel] = []


def register(panel: Panel) -> None:
    """Called by an app's `AppConfig.ready()`."""
    if panel not in _panels:
        _panels.append(panel)


def notices_of(service: Service) -> list[Notice]:
    """What is to be shown beside the service's meeting methods."""
    said = (panel(service) for panel in _panels)
    return [notice for notice in said if notice is not None]
