"""Local times as people read them: clock times, ranges, and labels of time zones.

They follow the clock of the organisation (`staff.clock`). When clocks go back, an hour comes twice. Its times carry the
zone's abbreviation: "01:30 EDT", "01:30 EST".
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from staff.clock import format_time
from staff.zone_names import is_utc, zone_city


def is_repeated(local: datetime) -> bool:
    """Return whether clocks show this local time twice that day. The time must exist."""
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def is_skipped(local: datetime) -> bool:
    """Return whether clocks skip this local time that day."""
    return local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None)


def clock_time(local: datetime) -> str:
    """Return the time of day of a datetime in the reader's zone: "13:30" or "01:30 EDT"."""
    return _with_abbreviation(local) if is_repeated(local) else format_time(local)


def day_and_time(local: datetime, day_format: str) -> str:
    """Return the day in Django's date format, and the time of day: "Sun 7 Nov, 01:30 EDT"."""
    return f"{date_format(local, day_format)}, {clock_time(local)}"


def exact_day_and_time(local: datetime) -> str:
    """Return a day and time that need no other label: "Mon 7 December, 09:00 EST"; with the year if it isn't this."""
    is_this_year = local.year == timezone.now().astimezone(local.tzinfo).year
    day = date_format(local, "D j F" if is_this_year else "D j F Y")
    return f"{day}, {_with_abbreviation(local)}"


def other_local_time(at: datetime, zone: ZoneInfo) -> str:
    """Return the local time in `zone`, with the weekday if it differs; "" if it equals the current zone's time."""
    here, there = timezone.localtime(at), at.astimezone(zone)
    if here.replace(tzinfo=None) == there.replace(tzinfo=None):
        return ""
    clock = clock_time(there)
    return clock if here.date() == there.date() else f"{date_format(there, 'D')} {clock}"


def pick_value(local: datetime) -> str:
    """Return a free time as forms submit it: "2026-12-31T14:30", or with its fold "2027-11-07T01:30;1"."""
    value = local.strftime("%Y-%m-%dT%H:%M")
    return f"{value};{local.fold}" if is_repeated(local) else value


def time_range(local: datetime, ends_at: datetime) -> str:
    """Return a range in the zone of its start, which is the reader's: "09:00–10:00"; see `range_ends`."""
    first, last = range_ends(local, ends_at)
    return f"{first} – {last}" if " " in first + last else f"{first}–{last}"


def range_ends(local: datetime, ends_at: datetime) -> tuple[str, str]:
    """Return the start and the end of a range in the zone of its start.

    If clocks change meanwhile, both carry the abbreviation: "01:30 EDT" and "01:30 EST". An end on another day names
    the day: "23:30" and "Fri 8 Nov, 00:30".
    """
    end = ends_at.astimezone(local.tzinfo)
    render = clock_time if local.utcoffset() == end.utcoffset() else _with_abbreviation
    first, last = render(local), render(end)
    if local.date() != end.date():
        last = f"{date_format(end, 'D j M')}, {last}"
    return first, last


def current_zone_label(at: datetime) -> str:
    """Return the label of the current time zone at a datetime."""
    zone = timezone.get_current_timezone()
    return time_zone_label(at, zone) if isinstance(zone, ZoneInfo) else str(zone)


def current_zone_labels(first: datetime, last: datetime) -> str:
    """Return the label of the current time zone for times from `first` to `last`.

    If clocks change between them, the label has both abbreviations: "Toronto time (EDT, then EST)".
    """
    zone = timezone.get_current_timezone()
    if not isinstance(zone, ZoneInfo):
        return str(zone)
    before, after = _abbreviation(first, zone), _abbreviation(last, zone)
    if before == after:
        return time_zone_label(first, zone)
    params = {"city": zone_city(zone), "before": before, "after": after}
    return _("%(city)s time (%(before)s, then %(after)s)") % params


def time_zone_label(at: datetime, zone: ZoneInfo) -> str:
    """Return the zone's city and its abbreviation at a datetime: "Toronto time (EST)"."""
    if is_utc(zone):
        return "UTC"
    return _("%(city)s time (%(short)s)") % {"city": zone_city(zone), "short": _abbreviation(at, zone)}


def _abbreviation(at: datetime, zone: ZoneInfo) -> str:
    name = at.astimezone(zone).tzname() or ""
    # Zones without an abbreviation have an offset instead, such as "-03".
    return f"UTC{name}" if name[:1] in "+-" else name


def _with_abbreviation(local: datetime) -> str:
    zone = local.tzinfo
    name = _abbreviation(local, zone) if isinstance(zone, ZoneInfo) else local.tzname()
    return f"{format_time(local)} {name}"
