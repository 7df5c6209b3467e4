"""Steps for tests of matching."""

from __future__ import annotations

from integrations.matching.rematch_runs import start_run
from integrations.models import (
    Connection,
    RematchRun,
    RematchTrigger,
    UserMatch,
)
from staff.models import StaffMember
from tests.integrations.fake_platform import FakePlatform


def start(connection: Connection) -> RematchRun:
    return start_run(connection, trigger=RematchTrigger.ADMIN, started_by=None)


def statuses(connection: Connection) -> dict[str, str]:
    return dict(UserMatch.objects.filter(connection=connection).values_list("staff__email", "status"))


def make_known(fake: FakePlatform, people: list[StaffMember]) -> None:
    for member in people:
        fake.knows(member.email)
