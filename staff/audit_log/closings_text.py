"""Details of events about closings, exceptions, holidays and future hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from staff.audit_log.hours_text import week_text
from staff.closings.days_text import days_text
from staff.closings.holiday_dates import country_name, region_name

if TYPE_CHECKING:
    from staff.audit_log.models import AuditEvent


def describe_overrides(events: Sequence[AuditEvent]) -> dict[int, str]:
    """Return days and hours, before and after if both are known."""
    return {event.pk: _before_and_after(event.params, _override_text) for event in events if event.params}


def describe_holidays(events: Sequence[AuditEvent]) -> dict[int, str]:
    """Return the country, the region and the holidays that are switched off, before and after."""
    return {event.pk: _before_and_after(event.params, _holidays_text) for event in events if event.params}


def describe_future_hours(events: Sequence[AuditEvent]) -> dict[int, str]:
    """Return the first day and the weekly hours."""
    return {event.pk: _future_text(event.params) for event in events if event.params}


def _before_and_after(params: Mapping[str, Any], text: Any) -> str:
    if "before" not in params:
        return str(text(params["after"]))
    return _("%(before)s → %(after)s") % {name: text(params[name]) for name in ("before", "after")}


def _override_text(values: Mapping[str, Any]) -> str:
    first, last = map(date.fromisoformat, values["days"])
    hours = ", ".join(f"{start}–{end}" for start, end in values["hours"]) or _("closed")
    parts = [days_text(first, last), hours, values.get("label", "")]
    if values.get("all_methods"):
        parts.append(_("also phone and video"))
    return ", ".join(filter(None, parts))


def _holidays_text(values: Mapping[str, Any]) -> str:
    country, region = values["country"], values["region"]
    if not country:
        return _("no holidays")
    places = [country_name(country), region_name(country, region) if region else ""]
    parts = [*filter(None, places), _("also phone and video") if values["all_methods"] else _("in person only")]
    if values["switched_off"]:
        parts.append(_("open on %(days)s") % {"days": ", ".join(values["switched_off"])})
    return ", ".join(parts)


def _future_text(params: Mapping[str, Any]) -> str:
    day = date_format(date.fromisoformat(params["starts_on"]), "D j M Y")
    if "after" not in params:
        return _("from %(day)s on") % {"day": day}
    return _("from %(day)s on: %(hours)s") % {"day": day, "hours": week_text(params["after"]) or _("no hours")}
