"""Names of time zones without a moment, such as for weekly hours, which hold in summer and in winter."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _


def zone_city(zone: ZoneInfo) -> str:
    """Return the city that names the zone: "St Johns"."""
    return zone.key.rpartition("/")[2].replace("_", " ")


def zone_label(zone: ZoneInfo) -> str:
    """Return the zone's city as a label: "St Johns time". UTC has no city."""
    if is_utc(zone):
        return "UTC"
    return _("%(city)s time") % {"city": zone_city(zone)}


def is_utc(zone: ZoneInfo) -> bool:
    return zone.key in ("UTC", "Etc/UTC")
