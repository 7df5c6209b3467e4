"""How a time zone is named to people."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _


def zone_of(moment: datetime) -> str:
    """The name of the current zone, at that moment."""
    zone = timezone.get_current_timezone()
    return time_zone_label(zone, moment) if isinstance(zone, ZoneInfo) else str(zone)


def time_zone_label(zone: ZoneInfo, at: datetime) -> str:
    """The zone as people say it, with what its clocks are called at that moment: "Toronto time (EST)"."""
    if zone.key in ("UTC", "Etc/UTC"):
        return "UTC"
    city = zone.key.rpartition("/")[2].replace("_", " ")
    name = at.astimezone(zone).tzname() or ""
    # Zones without letters of their own are named by their offset, such as "-03".
    short = f"UTC{name}" if name[:1] in "+-" else name
    return _("%(city)s time (%(short)s)") % {"city": city, "short": short}
