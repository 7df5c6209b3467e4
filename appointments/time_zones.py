"""Labels of time zones."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _


def current_zone_label(at: datetime) -> str:
    """Return the label of the current time zone at a datetime."""
    zone = timezone.get_current_timezone()
    return time_zone_label(at, zone) if isinstance(zone, ZoneInfo) else str(zone)


def time_zone_label(at: datetime, zone: ZoneInfo) -> str:
    """Return the zone's city and its abbreviation at a datetime: "Toronto time (EST)"."""
    if zone.key in ("UTC", "Etc/UTC"):
        return "UTC"
    city = zone.key.rpartition("/")[2].replace("_", " ")
    name = at.astimezone(zone).tzname() or ""
    # Zones without an abbreviation have an offset instead, such as "-03".
    short = f"UTC{name}" if name[:1] in "+-" else name
    return _("%(city)s time (%(short)s)") % {"city": city, "short": short}
