"""Hooks through which upper layers add notices to a service's page of meeting methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from services.models import Service
from staff.hooks import Registry
from staff.notices import Notice

#: Returns the notice for an admin about the service as it is offered now, or None.
ServiceNotice = Callable[[Service], Notice | None]

service_notices: Final[Registry[ServiceNotice]] = Registry()


def notices_of(service: Service) -> list[Notice]:
    """Return the notices to show next to the service's meeting methods."""
    notices = (notice_of(service) for notice_of in service_notices)
    return [notice for notice in notices if notice is not None]
