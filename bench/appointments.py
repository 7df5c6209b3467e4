"""Measure booking at a bank with 200 staff and 500,000 appointments, and race fifty clients for one time.

Web server, PostgreSQL and Valkey share their cores with the clients. The benchmark measures the free times of a month,
bookings and the week of the schedule over HTTP. Speeds are judged as ratios to two bare views of the same run, as
machines differ. Exits with 1 if a budget is missed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.support import bank as banks
from bench.support.budgets import Budgets
from bench.support.installation import installation
from bench.support.load import LoadResult, Response, all_at_once, measure, request
from tests.stack import Stack

APPOINTMENTS = 500_000
CROWD = 50
MOST_BOOKINGS = 30_000
SECONDS = float(os.environ.get("BENCH_SECONDS", "8"))
TOKEN = "benchbenchbenchbenchbenchbenchbe"


def main() -> None:
    """Measure in one installation."""
    with installation() as (stack, _servers):
        for program in ("worker", "beat", "simulator"):
            stack.stop(program)
        bench = Bench(stack)
        bench.run()
    bench.budgets.exit()


@dataclass
class Bench:
    """State of one run."""

    stack: Stack
    budgets: Budgets = field(default_factory=Budgets)
    bank: banks.Bank = field(init=False)
    cookies: str = field(init=False)

    def run(self) -> None:
        """Measure everything."""
        self._create_bank()
        print(f"{'':<44}{'p50 ms':>9}{'p95 ms':>9}{'a second':>10}")
        self.months("history of 50,000")
        self._grow_history()
        self.months(f"all {APPOINTMENTS:,}", is_judged=True)
        self.bookings()
        self.clients_bookings()
        self.week()
        self.races()
        self.changes_at_once()

    # --- The bank -----------------------------------------------------------------------------------

    def _create_bank(self) -> None:
        from django.db import connection
        from django.test import Client as Browser

        from staff.models import StaffMember

        today = datetime.now(UTC).date()
        with connection.cursor() as cursor:
            self.bank = banks.create_bank(cursor, today)
            self.bank.fill_window(cursor)
            self._oldest = self.bank.add_history(cursor, APPOINTMENTS // 10, before=self.bank.first_day)
        self.browser = Browser(headers={"host": "localhost"})
        self.browser.force_login(StaffMember.objects.get(email="sky@harbour.example"))
        session = self.browser.cookies["coconut_session"].value
        self.cookies = f"coconut_session={session}; coconut_csrf={TOKEN}"
        self.stack.sql("VACUUM ANALYZE")

    def _grow_history(self) -> None:
        from django.db import connection

        in_window = banks.STAFF * banks.IN_WINDOW
        with connection.cursor() as cursor:
            older = APPOINTMENTS - APPOINTMENTS // 10 - in_window
            self.bank.add_history(cursor, older, before=self._oldest)
        self.stack.sql("VACUUM ANALYZE")
        [[rows]] = self.stack.sql("SELECT count(*) FROM appointments_appointment")
        if rows < APPOINTMENTS:
            sys.exit(f"There are only {rows:,} appointments.")

    # --- What is measured ---------------------------------------------------------------------------

    def bare_view(self) -> list[LoadResult]:
        """Measure a view that runs only the middleware, right before the figure that is compared with it."""
        return self.line("a bare view", cycle([request("GET", "/bench/bare/")]))

    def months(self, name: str, *, is_judged: bool = False) -> None:
        """Measure the free times of 30 days, of one person and of any of 50."""
        ones = [self._month(self.bank.service, person) for person in self.bank.people]
        bare = self.bare_view()
        one = self.line(f"a month of one, {name}", cycle(ones))
        if is_judged:
            ratio = one[1].rate / bare[1].rate
            self.budgets.judge("rate of a month of one in bare views, 8 clients", ratio, at_least=0.11)
        self.line(f"a month of any of 50, {name}", cycle([self._month(self.bank.service_of_50)]))

    def bookings(self) -> None:
        """Measure bookings for existing clients."""
        insert = request("POST", f"/bench/insert/{self.bank.organization}/")
        bare = self.line("a bare INSERT", cycle([insert]))
        results = self.line("a booking", iter([*islice(self._bookings(), MOST_BOOKINGS)]), status=201)
        ratio = results[1].rate / bare[1].rate
        self.budgets.judge("rate of bookings in bare INSERTs, 8 clients", ratio, at_least=0.17)

    def clients_bookings(self) -> None:
        """Measure the last step of the Client View for existing clients, without a budget."""
        requests = iter([*islice(self._clients_bookings(), MOST_BOOKINGS // 3)])
        self.line("a booking through the Client View", requests, status=303)

    def week(self) -> None:
        """Measure the week of 50 people on the schedule, with about 1,150 appointments."""
        day = self.bank.first_day + timedelta(days=7)
        page = f"/schedule/?view=week&date={day.isoformat()}"
        bare = self.bare_view()
        results = self.line("the week of 50 people", cycle([request("GET", page, cookies=self.cookies)]))
        ratio = results[0].p50 / bare[0].p50
        self.budgets.judge("p50 of the week of 50 people in bare views", ratio, at_most=220)
        self.budgets.judge("the week of 50 people, queries", self._queries_of(page), at_most=12)

    def _queries_of(self, page: str) -> int:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as queries:
            self.browser.get(page)
        return len(queries)

    def races(self) -> None:
        """Race fifty clients for one time."""
        at = datetime.combine(self._next_monday(), datetime.min.time(), UTC)
        person = self.bank.people[0]
        services = [self.bank.service, *self.bank.longer]
        races = {
            "one time": (1, [{"staff": person, "starts_at": at + timedelta(hours=9)}] * CROWD),
            "times that overlap, of three lengths": (
                1,
                [
                    {
                        "staff": person,
                        "service": services[number % 3],
                        "starts_at": at + timedelta(hours=12, minutes=number % 2 * -15),
                    }
                    for number in range(CROWD)
                ],
            ),
            "any of three": (
                3,
                [{"service": self.bank.service_of_3, "starts_at": at + timedelta(hours=15)}] * CROWD,
            ),
        }
        for name, (places, bookings) in races.items():
            requests = [self._booking(**booking) for booking in bookings]
            self._judge_race(name, places, all_at_once(self.stack.addresses.web_port, requests))

    def changes_at_once(self) -> None:
        """Drag fifty appointments to one time, and fifty to one person."""
        at = datetime.combine(self._next_monday() + timedelta(days=7), datetime.min.time(), UTC)
        person, others = self.bank.people[0], self.bank.people[1 : CROWD + 1]
        appointments = self.stack.sql(
            "SELECT id FROM appointments_appointment WHERE staff_id = %s AND starts_at > now() + interval '1 day' "
            "AND starts_at < %s LIMIT %s",
            *(person, at - timedelta(days=14), CROWD),
        )
        moves = [self._drag(pk, person, at + timedelta(hours=9)) for (pk,) in appointments]
        self._judge_changes("moved to one time", moves)
        same_time = at + timedelta(days=42, hours=10)
        bookings = [self._booking(staff=other, starts_at=same_time) for other in others]
        booked = [response.json["id"] for response in all_at_once(self.stack.addresses.web_port, bookings)]
        self._judge_changes("reassigned to one person", [self._drag(pk, person, same_time) for pk in booked])

    # --- Requests -----------------------------------------------------------------------------------

    def _drag(self, appointment: int, person: int, starts_at: datetime) -> bytes:
        fields = {"staff": person, "starts_at": starts_at.isoformat(), "version": 0, "confirmed": "1"}
        return request(
            "POST",
            f"/schedule/appointments/{appointment}/drag/",
            fields,
            self.cookies,
            content_type="application/x-www-form-urlencoded",
            X_CSRFToken=TOKEN,
        )

    def _month(self, service: int, person: int | None = None) -> bytes:
        staff = f"&staff={person}" if person else ""
        day = self.bank.first_day.isoformat()
        return request(
            "GET",
            f"/book/harbour/slots/?service={service}&method=1{staff}&from={day}&days={banks.WINDOW_DAYS}",
        )

    def _bookings(self) -> Iterator[bytes]:
        for person, at in self._free_times(self._next_monday() + timedelta(days=1)):
            yield self._booking(staff=person, starts_at=at)

    def _clients_bookings(self) -> Iterator[bytes]:
        """Return bookings through the Client View, later than `_bookings`."""
        from appointments.client_view.form_tokens import FormToken
        from staff.models import Organization

        harbour = Organization.objects.get(pk=self.bank.organization)
        for number, (person, at) in enumerate(self._free_times(self._next_monday() + timedelta(days=22))):
            client = number % banks.CLIENTS + 1
            yield request(
                "POST",
                f"/book/harbour/?service={self.bank.service}&method=1&staff={person}",
                {
                    "start": int(at.timestamp()),
                    "token": FormToken.new().signed(harbour),
                    "name": f"Client {client}",
                    "email": f"client{client}@example.com",
                },
                content_type="application/x-www-form-urlencoded",
                Origin=self.stack.url,
            )

    def _free_times(self, day: date) -> Iterator[tuple[int, datetime]]:
        """Yield each person's free half hours, from a day after the window on."""
        while True:
            if day.weekday() < 5:
                for half_hour in range(18, 34):
                    at = datetime.combine(day, datetime.min.time(), UTC) + timedelta(minutes=30 * half_hour)
                    for person in self.bank.people:
                        yield person, at
            day += timedelta(days=1)

    def _booking(self, *, starts_at: datetime, **fields: Any) -> bytes:
        body = {
            "service": self.bank.service,
            "method": 1,
            "client": self.bank.first_client + uuid4().int % banks.CLIENTS,
            "starts_at": starts_at.isoformat(),
            "request_key": uuid4().hex,
            **fields,
        }
        return request("POST", "/contact-center/book/", body, self.cookies, X_CSRFToken=TOKEN)

    def _next_monday(self) -> date:
        """Return the first Monday after the window."""
        return self.bank.last_day + timedelta(days=7 - self.bank.last_day.weekday())

    # --- Printing and judging -----------------------------------------------------------------------

    def line(self, name: str, requests: Iterator[bytes], status: int = 200) -> list[LoadResult]:
        """Print and return the figures at 1 and at 8 clients."""
        port = self.stack.addresses.web_port
        # Warm-up: each thread of the web server opens its database connection.
        measure(port, 8, requests, seconds=SECONDS / 4)
        found = []
        for clients in (1, 8):
            figures, responses = measure(port, clients, requests, seconds=SECONDS)
            if wrong := next((response for response in responses if response.status != status), None):
                sys.exit(f"{name} responded {wrong.status}: {wrong.body[:2000]!r}")
            print(
                f"{name if clients == 1 else '':<36}{clients:>8}{figures.p50:>9.1f}{figures.p95:>9.1f}"
                f"{figures.rate:>10.0f}",
                flush=True,
            )
            found.append(figures)
        return found

    def _judge_changes(self, name: str, drags: list[bytes]) -> None:
        responses = all_at_once(self.stack.addresses.web_port, drags)
        moved = sum(response.status == 200 and response.json["outcome"] == "moved" for response in responses)
        self._judge_outcome(f"{len(drags)} at once, {name}", "moved", moved, 1, responses)

    def _judge_race(self, name: str, places: int, responses: list[Response]) -> None:
        booked = sum(response.status == 201 for response in responses)
        self._judge_outcome(f"{CROWD} at once, {name}", "booked", booked, places, responses)

    def _judge_outcome(self, name: str, verb: str, winners: int, places: int, responses: list[Response]) -> None:
        """Check that as many requests won as there are places, and that the others got the next free times."""
        losers = sum(response.status == 409 and bool(response.json["next_free"]) for response in responses)
        is_kept = (winners, losers) == (places, CROWD - places)
        verdict = self.budgets.verdict(name, is_kept=is_kept)
        print(f"{name}: {winners} {verb} (exactly {places}), {losers} got the next free times{verdict}")
        if not is_kept:
            print({response.status: response.body[:300] for response in responses})


if __name__ == "__main__":
    main()
