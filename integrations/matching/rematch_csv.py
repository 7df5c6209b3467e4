"""CSV file of the changes in a rematch."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from coconut.csv_export import csv_lines
from integrations.models import (
    DirectoryState,
    HostPermission,
    MatchChange,
    MatchStatus,
    RematchRun,
    UserMatch,
)
from integrations.platforms.registry import platform_of

CHUNK_SIZE = 1000


def changes_file(run: RematchRun) -> Iterator[str]:
    """Return the lines of the file, with a heading. Streams the changes from the database."""
    label = platform_of(run.connection).label
    heading = [_("Name"), _("Email"), _("Username"), _("From"), _("To"), _("%s user") % label, _("Why")]
    # The remedies name the match field of the run.
    run.connection.match_field = run.match_field
    changes = run.changes.significant().select_related("staff").iterator(chunk_size=CHUNK_SIZE)
    return csv_lines(heading, (_cells(run, change) for change in changes))


def _cells(run: RematchRun, change: MatchChange) -> list[str]:
    return [
        change.staff.name,
        change.staff.email,
        change.staff.username or "",
        change.get_before_display(),
        change.get_after_display(),
        change.remote_user_name,
        _reason(run, change),
    ]


def _reason(run: RematchRun, change: MatchChange) -> str:
    """Return the first line of the remedy for an unmatched person. Commands may follow it."""
    platform = platform_of(run.connection)
    if change.after in (MatchStatus.MATCHED, MatchStatus.CHECKING):
        if change.is_recreated:
            return _("A new %s user with the same user name.") % platform.label
        return _("Another %s user than before.") % platform.label if change.is_other_user else ""
    lines = platform.remedy(run.connection, _unsaved_match(run, change)).splitlines()
    return lines[0] if lines else ""


def _unsaved_match(run: RematchRun, change: MatchChange) -> UserMatch:
    """Return the match as the run wrote it, for the platform's remedy."""
    is_forbidden = change.after == MatchStatus.FORBIDDEN
    return UserMatch(
        connection=run.connection,
        staff=change.staff,
        directory=DirectoryState.MATCHED if is_forbidden else DirectoryState.UNMATCHED,
        host_permission=HostPermission.DENIED if is_forbidden and not change.reason else HostPermission.NOT_NEEDED,
        queried_name=change.queried_name,
        remote_user_name=change.remote_user_name,
        reason=change.reason,
        hint=change.hint,
    )
