"""Change the staff field that has the platform's user names, after a preview."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Count, F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations.events import record_event
from integrations.matching.rematch_report import CHANGES_SHOWN
from integrations.matching.rematch_runs import start_new_run
from integrations.models import (
    Connection,
    ConnectionStatus,
    EventKind,
    MatchChange,
    MatchField,
    MatchStatus,
    RematchRun,
    RematchState,
    RematchTrigger,
)
from staff.models import StaffMember

#: After this time a preview doesn't show the present staff and directory any more.
FRESH_FOR = timedelta(hours=1)


class MatchFieldError(Exception):
    """The field was not changed. `str()` is for people."""


@dataclass(frozen=True)
class PreviewResult:
    """Result of a finished preview. `changes` are the first ones, out of `changed`."""

    sentence: str
    changes: Sequence[MatchChange]
    changed: int


def other_field(connection: Connection) -> MatchField:
    """Return the match field that the connection doesn't use."""
    return MatchField.USERNAME if connection.match_field == MatchField.EMAIL else MatchField.EMAIL


def open_preview(connection: Connection) -> RematchRun | None:
    """Return the open preview of the other field: under way or fresh, and not dismissed."""
    return (
        RematchRun.objects.filter(connection=connection, dismissed_at__isnull=True)
        .previews()
        .exclude(match_field=connection.match_field)
        .exclude(state=RematchState.FAILED)
        .filter(Q(finished_at__isnull=True) | Q(finished_at__gt=Now() - FRESH_FOR))
        .first()
    )


def preview_result_of(preview: RematchRun) -> PreviewResult:
    """Return the result of a finished preview. Three queries."""
    changes = preview.changes.significant()
    numbers = changes.order_by().aggregate(
        all=Count("pk"),
        others=Count("pk", filter=Q(before=F("after"))),
        **{status.value: Count("pk", filter=Q(after=status) & ~Q(before=status)) for status in MatchStatus},
    )
    stay = preview.done - numbers["all"]
    parts = [ngettext("%d stays", "%d stay", stay) % stay]
    parts += [
        ngettext("%(people)d becomes %(status)s", "%(people)d become %(status)s", numbers[status.value])
        % {"people": numbers[status.value], "status": status.label}
        for status in (
            MatchStatus.MATCHED,
            MatchStatus.UNMATCHED,
            MatchStatus.FORBIDDEN,
            MatchStatus.CHECKING,
        )
        if numbers[status.value]
    ]
    if others := numbers["others"]:
        parts.append(ngettext("%d leads to another user", "%d lead to other users", others) % others)
    shown = list(changes.select_related("staff")[:CHANGES_SHOWN])
    return PreviewResult(", ".join(parts) + ".", shown, numbers["all"])


@transaction.atomic
def change_match_field(preview: RematchRun, *, actor: StaffMember | None) -> RematchRun:
    """Switch to the match field of `preview`, and rematch all staff.

    Raises MatchFieldError if the preview isn't valid any more, and RunUnderWay.
    """
    connection = Connection.objects.lock(preview.connection_id)
    _require_valid_preview(connection, preview)
    old = connection.match_field
    connection.match_field = preview.match_field
    connection.save(update_fields=["match_field"])
    RematchRun.objects.filter(pk=preview.pk).update(dismissed_at=Now())
    record_event(connection, EventKind.FIELD_CHANGED, actor, old=old, new=preview.match_field)
    return start_new_run(connection, trigger=RematchTrigger.FIELD_CHANGED, started_by=actor)


def _require_valid_preview(connection: Connection, preview: RematchRun) -> None:
    if connection.status != ConnectionStatus.CONNECTED:
        raise MatchFieldError(
            _("%s is not connected, so that nobody could be matched. Reauthorize it first.") % connection.name
        )
    if preview.match_field == connection.match_field:
        raise MatchFieldError(_("%s is the field that is used already.") % preview.get_match_field_display())
    usable = RematchRun.objects.filter(pk=preview.pk, state=RematchState.SUCCEEDED, dismissed_at__isnull=True)
    if not usable.filter(finished_at__gt=Now() - FRESH_FOR).exists():
        raise MatchFieldError(
            _("This preview is unfinished, was cancelled, or is more than an hour old. Look again what changes.")
        )
