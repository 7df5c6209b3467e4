"""Who changed in a rematch, as a file for a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from django.utils.translation import gettext as _

from integrations.models import (
    DirectoryState,
    HostPermission,
    MatchChange,
    MatchStatus,
    RematchRun,
    UserMatch,
)
from integrations.platforms.registry import platform_of

# A spreadsheet takes what begins like this for a formula and runs it (owasp.org/www-community/attacks/CSV_Injection).
# The last four are the full-width forms. Every cell is quoted, or one that separates by semicolons would find more.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Without it Excel reads UTF-8 as something else.
BYTE_ORDER_MARK = "\ufeff"
AT_A_TIME = 1000


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, line: str) -> str:
        return line


def changes_file(run: RematchRun) -> Iterator[str]:
    """The lines of a CSV file of who changed in `run`, with a heading; read from the database bit by bit."""
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)
    label = platform_of(run.connection).label
    heading = [_("Name"), _("Email"), _("Username"), _("From"), _("To"), _("%s user") % label, _("Why")]
    yield BYTE_ORDER_MARK + writer.writerow(heading)
    # The remedies speak of the field that was looked up.
    run.connection.match_field = run.match_field
    for change in run.changes.significant().select_related("staff").iterator(chunk_size=AT_A_TIME):
        yield writer.writerow(map(_harmless, _line(run, change)))


def _line(run: RematchRun, change: MatchChange) -> list[str]:
    return [
        change.staff.name,
        change.staff.email,
        change.staff.username or "",
        change.get_before_display(),
        change.get_after_display(),
        change.remote_user_name,
        _why(run, change),
    ]


def _why(run: RematchRun, change: MatchChange) -> str:
    """The remedy for somebody who is not matched, without the commands that may follow it."""
    platform = platform_of(run.connection)
    if change.after in (MatchStatus.MATCHED, MatchStatus.CHECKING):
        words = _("Another %s user than before.") % platform.label
        return words if change.is_other_user else ""
    lines = platform.remedy(run.connection, _match(run, change)).splitlines()
    return lines[0] if lines else ""


def _match(run: RematchRun, change: MatchChange) -> UserMatch:
    """The match as it was when the run wrote it, for the platform's words about it; never stored."""
    is_forbidden = change.after == MatchStatus.FORBIDDEN
    return UserMatch(
        connection=run.connection,
        staff=change.staff,
        directory=DirectoryState.MATCHED if is_forbidden else DirectoryState.UNMATCHED,
        host_permission=HostPermission.DENIED
        if is_forbidden and not change.reason
        else HostPermission.NOT_NEEDED,
        queried_name=change.queried_name,
        remote_user_name=change.remote_user_name,
        reason=change.reason,
        hint=change.hint,
    )


def _harmless(value: str) -> str:
    return f"'{value}" if value.startswith(FORMULA_STARTS) else value
