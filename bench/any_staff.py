"""Measure the free times of anyone, where 2,000 staff members at 400 branches provide one service.

Each has 100 appointments in the next 30 days. Then 99 % of their working time is booked. Web server and PostgreSQL
share their cores with the clients. Durations are judged as ratios to a bare view of the same run. Exits with 1 if a
budget is missed.
"""

from __future__ import annotations

import os
import sys
from itertools import cycle
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from datetime import UTC, datetime, timedelta

from bench.support import bank as banks
from bench.support.budgets import Budgets
from bench.support.installation import installation
from bench.support.load import measure, request
from tests.stack import Stack

STAFF = 2_000
BRANCHES = 400
SECONDS = float(os.environ.get("BENCH_SECONDS", "8"))
TOKEN = "benchbenchbenchbenchbenchbenchbe"


def main() -> None:
    """Measure in one installation."""
    with installation() as (stack, _servers):
        for program in ("worker", "beat", "simulator"):
            stack.stop(program)
        budgets = Budgets()
        bench = AnyStaffBench(stack, budgets)
        bench.run("100 appointments each")
        bench.book_nearly_everything()
        bench.run("99 % booked")
    budgets.exit()


class AnyStaffBench:
    """The bank, and the requests of its scheduler and of its clients."""

    def __init__(self, stack: Stack, budgets: Budgets) -> None:
        self.stack, self.budgets = stack, budgets
        self.bank = create_bank(stack)
        self.cookies = sign_in()

    def run(self, name: str) -> None:
        """Measure what a scheduler and a client read."""
        print(f"{name}:")
        bare = self._p50(request("GET", "/bench/bare/"))
        print(f"  a bare view: {bare:.2f} ms")
        judged = {
            "first times in the Contact Center": (self._first_times(), 75),
            "a day of anyone": (self._slots(days=1), 75),
            "a month of anyone": (self._slots(days=30), 250),
            "a month of anyone, the client's page": (self._page(), 250),
            "a month of a branch": (self._slots(days=30, location=self.bank.locations[7]), 15),
        }
        for what, (prepared, most) in judged.items():
            found = self._p50(prepared)
            print(f"  {what}: {found:.1f} ms")
            self.budgets.judge(f"{what}, {name}, in bare views", found / bare, at_most=most)

    def book_nearly_everything(self) -> None:
        """Book all free half hours of the window but one in a hundred."""
        from django.db import connection

        with connection.cursor() as cursor:
            self.bank.book_nearly_everything(cursor)
        self.stack.sql("VACUUM ANALYZE")

    def _p50(self, prepared: bytes) -> float:
        port = self.stack.addresses.web_port
        measure(port, 4, cycle([prepared]), seconds=SECONDS / 4)
        figures, responses = measure(port, 1, cycle([prepared]), seconds=SECONDS)
        if wrong := next((response for response in responses if response.status != 200), None):
            sys.exit(f"The response was {wrong.status}: {wrong.body[:2000]!r}")
        return figures.p50

    def _first_times(self) -> bytes:
        """Return the request of the Contact Center after a click on "In person"."""
        fields = {"service": self.bank.service, "method": "1", "preview": "choices", "csrfmiddlewaretoken": TOKEN}
        return request(
            "POST",
            "/contact-center/",
            fields,
            self.cookies,
            content_type="application/x-www-form-urlencoded",
            HX_Request="true",
            HX_Target="times",
        )

    def _slots(self, *, days: int, location: int | None = None) -> bytes:
        where = f"&location={location}" if location else ""
        day = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
        return request(
            "GET", f"/book/harbour/slots/?service={self.bank.service}&method=1{where}&from={day}&days={days}"
        )

    def _page(self) -> bytes:
        return request("GET", f"/book/harbour/?service={self.bank.service}&method=2")


def create_bank(stack: Stack) -> banks.Bank:
    """Create the bank with 100 appointments of each staff member in the window."""
    from django.db import connection

    with connection.cursor() as cursor:
        bank = banks.create_bank(cursor, datetime.now(UTC).date(), staff=STAFF, branches=BRANCHES)
        bank.fill_window(cursor)
    stack.sql("VACUUM ANALYZE")
    return bank


def sign_in() -> str:
    """Return the cookies of the bank's scheduler."""
    from django.test import Client as Browser

    from staff.models import StaffMember

    browser = Browser(headers={"host": "localhost"})
    browser.force_login(StaffMember.objects.get(email="sky@harbour.example"))
    session: Any = browser.cookies["coconut_session"].value
    return f"coconut_session={session}; coconut_csrf={TOKEN}"


if __name__ == "__main__":
    main()
