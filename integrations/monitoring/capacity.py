"""The capacity guard: how many meetings each organizer has in a month, against the most that the platform publishes.

Counted is every meeting that the platform was asked about since the first of the calendar month in UTC: made, moved,
renamed, read or deleted. Each counts once, however often it was asked about, because the published figure is one of
meetings, whose "information" is asked for, and not of requests. What is done by hand or by other programs as the same
organizer cannot be seen from here.

Under one account for everybody that account is the organizer of them all, which is where the figure is reached.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final

from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.mail import EmailMessage
from django.db.models import Count, QuerySet
from django.db.models.functions import Now
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations.events import admins_of, connection_link, note_event
from integrations.models import Connection, EventKind, Meeting, OrganizerMonth, UserMatch
from integrations.platforms.registry import platform_of

logger = logging.getLogger(__name__)

#: Per cent of the platform's figure at which the admins are told, once each.
THRESHOLDS: Final = (80, 100)


# --- Counting ---------------------------------------------------------------------------------------
def this_month() -> date:
    """The first day of the calendar month, in UTC as the platform counts."""
    return timezone.now().astimezone(UTC).date().replace(day=1)


def count_organizers() -> int:
    """Count the month so far, store what matters, and tell admins about who reached a threshold; how many are stored.

    One query for all connections, by the index on `claimed_at`, which a worker sets whenever it is about to ask.
    """
    month = this_month()
    begun = datetime.combine(month, time(), UTC)
    counts = (
        Meeting.objects.filter(claimed_at__gte=begun)
        .order_by()
        .values_list("connection", "organizer_id")
        .annotate(how_many=Count("pk"))
    )
    by_connection: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for connection_id, organizer_id, how_many in counts:
        by_connection[connection_id][organizer_id] = how_many
    connections = Connection.objects.live().with_platforms().filter(pk__in=by_connection)
    return sum(_keep(connection, month, by_connection[connection.pk]) for connection in connections)


def _keep(connection: Connection, month: date, counts: dict[str, int]) -> int:
    """Whoever has most (one, where several are level), and everybody at a threshold: nobody asks for the others."""
    limit = platform_of(connection).most_meetings_a_month
    if limit is None:
        return 0
    first = min(counts, key=lambda organizer_id: (-counts[organizer_id], organizer_id))
    rows = [
        OrganizerMonth(
            connection=connection, organizer_id=organizer_id, month=month, meetings=meetings, counted_at=Now()
        )
        for organizer_id, meetings in counts.items()
        if organizer_id == first or _percent(meetings, limit) >= THRESHOLDS[0]
    ]
    OrganizerMonth.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["connection", "month", "organizer_id"],
        update_fields=["meetings", "counted_at"],
    )
    _tell(connection, month, limit)
    return len(rows)


def _percent(meetings: int, limit: int) -> int:
    return meetings * 100 // limit


# --- Words ------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Load:
    """How much of the platform's figure an organizer has used in a month; `who` is their name."""

    who: str
    platform: str
    meetings: int
    limit: int
    month: date

    @property
    def percent(self) -> int:
        return _percent(self.meetings, self.limit)

    @property
    def month_name(self) -> str:
        return date_format(self.month, "F Y")

    @property
    def sentence(self) -> str:
        words = {
            "who": self.who,
            "platform": self.platform,
            "month": self.month_name,
            "number": intcomma(self.meetings),
            "limit": intcomma(self.limit),
            "percent": self.percent,
        }
        return (
            _(
                "Coconut has made, changed or read %(number)s meetings of %(who)s in %(month)s: %(percent)d %% of the "
                "%(limit)s that %(platform)s publishes as the most for one organizer in a month. Beyond that new links "
                "may be refused until the month is over."
            )
            % words
        )


@dataclass(frozen=True)
class CapacityNotice:
    """Who has most, how many others are past the first threshold, and what can be done."""

    load: Load
    others: int
    remedy: str

    @property
    def rest(self) -> str:
        """ "2 other organizers are near it, too.", or ""."""
        words = ngettext(
            "%d other organizer is near it, too.", "%d other organizers are near it, too.", self.others
        )
        return words % self.others if self.others else ""


def notice_of(connection: Connection) -> CapacityNotice | None:
    """What the dashboard says; None while there is room. One query, and one for the name where there is something."""
    platform = platform_of(connection)
    limit = platform.most_meetings_a_month
    if limit is None:
        return None
    least = -(-limit * THRESHOLDS[0] // 100)
    rows = list(_rows(connection).filter(meetings__gte=least))
    if not rows:
        return None
    return CapacityNotice(
        _load(connection, rows[0], limit), len(rows) - 1, platform.capacity_remedy(connection)
    )


def load_of(connection: Connection) -> Load | None:
    """Who has most this month; None before anything was counted."""
    limit, row = platform_of(connection).most_meetings_a_month, _rows(connection).first()
    return _load(connection, row, limit) if row is not None and limit is not None else None


def _rows(connection: Connection) -> QuerySet[OrganizerMonth]:
    return OrganizerMonth.objects.filter(connection=connection, month=this_month()).order_by(
        "-meetings", "pk"
    )


def _load(connection: Connection, row: OrganizerMonth, limit: int) -> Load:
    who, platform = _name_of(connection, row.organizer_id), platform_of(connection).label
    return Load(who, platform, row.meetings, limit, row.month)


def _name_of(connection: Connection, organizer_id: str) -> str:
    """The account for everybody, or the person who organises their own meetings."""
    platform = platform_of(connection)
    if not platform.needs_host_permission(connection):
        return platform.account(connection).name
    matches = UserMatch.objects.filter(connection=connection, remote_id=organizer_id)
    match = matches.select_related("staff").order_by("pk").first()
    return match.staff.name if match is not None else organizer_id


# --- Telling ----------------------------------------------------------------------------------------
def _tell(connection: Connection, month: date, limit: int) -> None:
    """Note and mail whoever has reached a threshold that was not told of yet."""
    reached = []
    for row in OrganizerMonth.objects.filter(connection=connection, month=month).order_by("-meetings", "pk"):
        threshold = max((each for each in THRESHOLDS if _percent(row.meetings, limit) >= each), default=0)
        # Marked before the mail goes out: rather none, where the process dies, than the same one twice.
        untold = OrganizerMonth.objects.filter(pk=row.pk, told__lt=threshold)
        if untold.update(told=threshold):
            reached.append(_load(connection, row, limit))
    for load in reached:
        note_event(connection, EventKind.NOTED, None, load.sentence)
    _mail(connection, reached)


def _mail(connection: Connection, reached: Sequence[Load]) -> None:
    """One mail to the admins. A mail server that is down is a line in the log: the dashboard tells them too."""
    addresses = list(admins_of(connection.organization).values_list("email", flat=True))
    if not reached or not addresses:
        return
    with translation.override(connection.organization.language):
        words = {"name": connection.name, "percent": max(load.percent for load in reached)}
        subject = _("%(name)s: %(percent)d %% of a month's meetings are used") % words
        remedy = platform_of(connection).capacity_remedy(connection)
        lines = [load.sentence for load in reached]
        body = "\n\n".join([*lines, remedy, connection_link(connection)])
    try:
        EmailMessage(" ".join(subject.split()), f"{body}\n", to=addresses).send()
    except OSError:
        logger.exception("The admins were not told how full connection %s is.", connection.pk)
