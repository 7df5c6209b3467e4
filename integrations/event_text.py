"""Render connection events in the reader's language.

Functions without an underscore render sentences that pages and emails share with the history.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from integrations.messages import Message
from integrations.models import ConnectionEvent, EventKind, MatchField, MatchStatus
from integrations.platforms.registry import platform_of
from integrations.platforms.values import CapacityWindow

Params = Mapping[str, Any]


def event_text(event: ConnectionEvent) -> str:
    """Return the sentences about an event, or "" if its kind says everything."""
    kind = EventKind(event.kind)
    params: dict[str, Any] = {
        name: Message.from_json(param) if isinstance(param, dict) else param for name, param in event.params.items()
    }
    if not params:
        return ""
    platform = platform_of(event.connection)
    if "code" in params:
        return platform.event_text(params["code"], params)
    if kind in _RENDERERS:
        return _RENDERERS[kind](platform.label, params)
    templates = _PERSON_TEMPLATES if params.get("person") else _TEMPLATES
    text = str(templates[kind] % {**params, "permission": platform.host_permission_label})
    return _("Undone: %s") % text if params.get("is_undo") else text


def drift_sentence(params: Params) -> str:
    """Return a sentence such as "Ana would now be Unmatched and has 4 video appointments this week"."""
    facts = {**params, "what": drift_outcome(params)}
    if not params["meetings"]:
        return _("%(person)s would now be %(what)s.") % facts
    template = ngettext(
        "%(person)s would now be %(what)s and has %(meetings)d video appointment this week.",
        "%(person)s would now be %(what)s and has %(meetings)d video appointments this week.",
        params["meetings"],
    )
    return template % facts


def drift_outcome(params: Params) -> str:
    """Return the status that the person would have, or the other account that they would be matched with."""
    if params["is_other_user"] and params["after"] in (MatchStatus.MATCHED, MatchStatus.CHECKING):
        # Older events have no "is_recreated".
        if params.get("is_recreated"):
            return _("matched with a new account that has the same user name (%(remote_user_name)s)") % params
        return _("matched with another account (%(remote_user_name)s)") % params
    return str(MatchStatus(params["after"]).label)


def usage_sentence(platform: str, params: Params) -> str:
    """Return a sentence about an organizer's meetings in a window of the platform's capacity."""
    monthly = _(
        "Coconut has made, changed or read %(number)s meetings of %(who)s in %(month)s: %(percent)d %% of the "
        "%(limit)s that %(platform)s publishes as the most for one organizer in a month. Beyond that new links "
        "may be refused until the month is over."
    )
    daily = _(
        "Coconut has made, changed or read %(number)s meetings of %(who)s on %(day)s: %(percent)d %% of the "
        "%(limit)s that %(platform)s publishes as the most for one organizer in a day. Beyond that new links "
        "may be refused until the day is over."
    )
    window_name = capacity_window_name(params["window"], date.fromisoformat(params["window_start"]))
    facts = {
        "who": params["organizer"],
        "platform": platform,
        "month": window_name,
        "day": window_name,
        "number": intcomma(params["meetings"]),
        "limit": intcomma(params["limit"]),
        "percent": params["percent"],
    }
    return (monthly if params["window"] == CapacityWindow.MONTH else daily) % facts


def capacity_window_name(window: str, start: date) -> str:
    """Return the month, or the day."""
    return date_format(start, "F Y" if window == CapacityWindow.MONTH else "j F Y")


def reconciliation_summary(platform: str, params: Params) -> str:
    """Return one sentence for the meetings compared, and one for each other count that isn't zero."""
    sentences = [
        str(template % {**params, "count": intcomma(params[name]), "platform": platform})
        for name, template in _RECONCILIATION_TEMPLATES.items()
        if params[name] or name == "inspected"
    ]
    return " ".join(sentences)


def _connected_text(platform: str, params: Params) -> str:
    if params["is_default"]:
        return _("%(name)s was connected and is the organisation's default.") % params
    return _("%(name)s was connected.") % params


def _rematched_text(platform: str, params: Params) -> str:
    text = _("%(matched)d matched, %(unmatched)d unmatched, %(forbidden)d forbidden.") % params
    if params["checking"]:
        text = f"{text} {_('%(checking)d are still being checked.') % params}"
    return text


def _field_changed_text(platform: str, params: Params) -> str:
    return _("From %(old)s to %(new)s.") % {name: MatchField(value).label for name, value in params.items()}


def _user_name_adopted_text(platform: str, params: Params) -> str:
    field = str(MatchField(params["field"]).label).lower()
    return _("The %(field)s of %(person)s was %(old)s and is %(new)s now.") % {**params, "field": field}


def _checked_text(platform: str, params: Params) -> str:
    if params["failed_step"]:
        return _("Failed at “%(failed_step)s”: %(reason)s") % params
    # Older events have no "warning".
    warning = params.get("warning")
    return _("Warning: %s") % warning if warning else _("Everything that was tried works.")


def _user_recreated_text(platform: str, params: Params) -> str:
    facts = {**params, "platform": platform}
    if not params["others"]:
        sentence = _("%(person)s has a new account at %(platform)s with the same user name (%(user_name)s).") % facts
    else:
        template = ngettext(
            "%(person)s and %(others)d other person have new accounts at %(platform)s with the same user names.",
            "%(person)s and %(others)d others have new accounts at %(platform)s with the same user names.",
            params["others"],
        )
        sentence = template % facts
    return f"{sentence} {_('Upcoming meetings follow as soon as the new account may host.')}"


def _drift_found_text(platform: str, params: Params) -> str:
    if not params["others"]:
        return _("Drift watch: %s") % drift_sentence(params)
    template = ngettext(
        "Drift watch: %(person)s and %(others)d other person would not be matched as they are any more.",
        "Drift watch: %(person)s and %(others)d others would not be matched as they are any more.",
        params["others"],
    )
    return template % params


_TEMPLATES: Final[Mapping[EventKind, Promise]] = {
    EventKind.REAUTHORIZED: gettext_lazy("%(name)s was reauthorized."),
    EventKind.DISCONNECTED: gettext_lazy(
        "%(name)s was disconnected. Upcoming appointments that keep their link: %(kept)d; that get none: %(lost)d."
    ),
    EventKind.MADE_DEFAULT: gettext_lazy("%(name)s is the organisation's default now."),
    EventKind.MOVED_TO_DEFAULT: ngettext_lazy(
        "%(count)d person who had chosen it uses the organisation's default now.",
        "%(count)d people who had chosen it use the organisation's default now.",
        "count",
    ),
    EventKind.RENAMED: gettext_lazy("%(old)s is called %(new)s now."),
    EventKind.TURNED_ON: ngettext_lazy(
        "Video Calls was turned on for %(count)d user.",
        "Video Calls was turned on for %(count)d users.",
        "count",
    ),
    EventKind.TURNED_OFF: ngettext_lazy(
        "Video Calls was turned off for %(count)d user.",
        "Video Calls was turned off for %(count)d users.",
        "count",
    ),
    EventKind.REMATCH_FAILED: gettext_lazy("%(done)d of %(total)d users were looked up. %(reason)s"),
    EventKind.PERMISSION_REPORTED: ngettext_lazy(
        "The %(permission)s was reported as granted for %(count)d user.",
        "The %(permission)s was reported as granted for %(count)d users.",
        "count",
    ),
    EventKind.LINKS_RETRIED: ngettext_lazy(
        "%(count)d failed link is tried again.", "%(count)d failed links are tried again.", "count"
    ),
    EventKind.TOKEN_REFUSED: gettext_lazy("%(reason)s"),
}
#: Used if an event concerns one person.
_PERSON_TEMPLATES: Final[Mapping[EventKind, Promise]] = {
    EventKind.TURNED_ON: gettext_lazy("Video Calls was turned on for %(person)s."),
    EventKind.TURNED_OFF: gettext_lazy("Video Calls was turned off for %(person)s."),
    EventKind.PERMISSION_REPORTED: gettext_lazy("The %(permission)s was reported as granted for %(person)s."),
}
_RECONCILIATION_TEMPLATES: Final[Mapping[str, Promise]] = {
    "inspected": ngettext_lazy(
        "%(count)s meeting was compared with %(platform)s.",
        "%(count)s meetings were compared with %(platform)s.",
        "inspected",
    ),
    "recreated": ngettext_lazy(
        "%(count)s was missing there and made again.",
        "%(count)s were missing there and made again.",
        "recreated",
    ),
    "restored": ngettext_lazy(
        "%(count)s had been changed there and was put back.",
        "%(count)s had been changed there and were put back.",
        "restored",
    ),
    "repaired": ngettext_lazy(
        "%(count)s did not agree with its appointment: that is fixed.",
        "%(count)s did not agree with their appointments: that is fixed.",
        "repaired",
    ),
    "failed": ngettext_lazy(
        "%(count)s could not be compared: %(reason)s",
        "%(count)s could not be compared, most of them for this reason: %(reason)s",
        "failed",
    ),
}
_RENDERERS: Final[Mapping[EventKind, Callable[[str, Params], str]]] = {
    EventKind.CONNECTED: _connected_text,
    EventKind.REMATCHED: _rematched_text,
    EventKind.FIELD_CHANGED: _field_changed_text,
    EventKind.USER_NAME_ADOPTED: _user_name_adopted_text,
    EventKind.CHECKED: _checked_text,
    EventKind.DRIFT_FOUND: _drift_found_text,
    EventKind.USER_RECREATED: _user_recreated_text,
    EventKind.RECONCILED: reconciliation_summary,
    EventKind.CAPACITY_REACHED: usage_sentence,
}
