"""Measure the dashboard of an organisation with 50,000 staff.

The benchmark seeds the organisation in a stack of its own. One client then requests each view of the table over HTTP:
the whole page, and the part that htmx replaces. It counts queries, and times the bulk switch and Undo. Pages are
judged as ratios to a bare view of the same run, as machines differ. Exits with 1 if a budget is missed.
"""

from __future__ import annotations

import http.client
import re
import sys
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.support.budgets import Budgets
from bench.support.installation import installation
from bench.support.load import measure as measure_load
from bench.support.load import request
from demo.logins import PASSWORD
from tests.stack import Stack

if TYPE_CHECKING:
    from integrations.models import Connection

STAFF = 50_000
LEFT = 3_000
ROWS = 50
ROUNDS = 20
BUDGET_BARE_VIEWS = 140
BUDGET_SWITCH_S = 3
BUDGET_QUERIES = 20

FIRST = re.findall(
    r"\S+",
    "Anna Ben Clara David Elena Felix Grace Hugo Ivy Jonas Katharina Liam Maria Noah Olivia Paul Quentin Rosa "
    "Samuel Tara Umar Valentina Wei Xenia Yusuf Zoe Amélie Björn Chloé Dörte Emre Fatima Gareth Hannah Ingrid "
    "José Kwame Leila Mateusz Niamh",
)
LAST = re.findall(
    r"\S+",
    "Adams Bauer Chen Dubois Eriksson Fischer García Hansen Ivanov Jansen Kowalski Lind Müller Nguyen O'Brien "
    "Patel Quist Rossi Schmidt Tanaka Usman Vargas Weber Xu Yılmaz Zimmermann Andersson Brandt Costa Duarte "
    "Eberhardt Fontaine Grant Hughes Iversen Jensen Khan Larsen Moreau Novak Okafor Petrov Quinn Ramos Silva "
    "Thomas Ueda Virtanen Wagner Young Sørensen",
)
LAST_PAGE = {"page": str(STAFF // ROWS)}

#: Views of the table: name and query string.
VIEWS: dict[str, dict[str, str]] = {
    "first page": {},
    "a page in the middle": {"page": str(STAFF // ROWS // 2)},
    "last page": LAST_PAGE,
    "sort Z-A, first page": {"sort": "-name"},
    "sort Z-A, last page": {"sort": "-name", **LAST_PAGE},
    "search a common domain": {"search": "harbour"},
    "search a common domain, last page": {"search": "harbour", **LAST_PAGE},
    "search a common name": {"search": "anna"},
    "search a common name, last page": {"search": "anna", "page": "9999"},
    "search a rare number": {"search": "49321"},
    "search without result": {"search": "zzyzx"},
    "search two words": {"search": "katharina müller"},
    "search part of an email": {"search": "jensen.41"},
    "search a UPN": {"search": "2030@contoso"},
    "search the contoso domain": {"search": "@contoso"},
    "search one letter": {"search": "z"},
    "search two letters": {"search": "an"},
    "search two letters, last page": {"search": "an", "page": "9999"},
    "filter on": {"video": "on"},
    "filter on, last page": {"video": "on", "page": "9999"},
    "filter off": {"video": "off"},
    "filter off, last page": {"video": "off", "page": "9999"},
    "filter Matched": {"status": "matched"},
    "filter Matched, in the middle": {"status": "matched", "page": "450"},
    "filter Matched, last page": {"status": "matched", "page": "9999"},
    "filter Unmatched": {"status": "unmatched"},
    "filter Unmatched, last page": {"status": "unmatched", "page": "9999"},
    "filter Forbidden": {"status": "forbidden"},
    "filter Forbidden, last page": {"status": "forbidden", "page": "9999"},
    "filter Forbidden and on": {"status": "forbidden", "video": "on"},
    "Matched, off, search a name": {"status": "matched", "video": "off", "search": "okafor"},
    "Unmatched, search the domain, last": {"status": "unmatched", "search": "harbour", "page": "9999"},
}


def main() -> None:
    """Seed the organisation and measure."""
    budgets = Budgets()
    with installation() as (stack, _servers):
        # Background work would distort the times and look up people unknown to the simulator.
        for program in ("worker", "beat"):
            stack.stop(program)
        measure(stack, budgets)
    budgets.exit()


# --- The organisation -----------------------------------------------------------------------------------


def make_big_organization(connection_name: str = "Microsoft Teams") -> Connection:
    """Add Harbour Bank: an admin, 50,000 staff (most of them matched, some on) and 3,000 former staff."""
    from integrations.models import UserMatch
    from staff.models import Role, StaffMember
    from tests.factories import make_connection, make_organization

    harbour = make_organization("Harbour Bank")
    connection = make_connection(harbour, name=connection_name)
    admin = StaffMember(organization=harbour, role=Role.ADMIN, email="admin@harbour.example", first_name="Ada")
    admin.set_password(PASSWORD)
    admin.save()
    people = StaffMember.objects.bulk_create(
        (StaffMember(organization=harbour, **person) for person in persons()), batch_size=2000
    )
    UserMatch.objects.bulk_create(
        (
            UserMatch(connection=connection, staff=person, **match(number, person))
            for number, person in enumerate(people)
            if number % 100
        ),
        batch_size=2000,
    )
    return connection


def persons() -> Iterator[dict[str, Any]]:
    """Yield the fields of each person. All have a number in the email address."""
    for number in range(STAFF + LEFT - 1):
        first, last = FIRST[number % len(FIRST)], LAST[number * 7 // 3 % len(LAST)]
        plain = f"{first}.{last}.{number}".lower().replace("'", "")
        yield {
            "email": f"{plain}@harbour.example",
            "username": f"hb{number:06}",
            "first_name": first,
            "last_name": last if number % 3 else f"{last}-{LAST[number % 50]}",
            "password": "!",
            "is_active": number < STAFF - 1,
        }


def match(number: int, person: Any) -> dict[str, Any]:
    """Return match fields. Of a hundred people, six are unmatched and three forbidden; two thirds are on."""
    from integrations.platforms.values import MatchReason

    found: dict[str, Any] = {"enabled": number % 3 > 0, "queried_name": person.email}
    kind = number * 31 % 100
    if kind < 6:
        return found | {"directory": "unmatched", "reason": MatchReason.NOT_FOUND}
    user_name = person.email if number % 10 else person.email.replace("harbour.example", "contoso.example")
    found |= {
        "directory": "matched",
        "remote_id": f"00000000-0000-4000-8000-{number:012}",
        "remote_user_name": user_name,
    }
    return found | ({"reason": MatchReason.DISABLED} if kind < 9 else {})


# --- Measuring ------------------------------------------------------------------------------------------


class Visitor:
    """HTTP client with one open connection, signed in as the admin."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._connection = http.client.HTTPConnection(address.hostname or "localhost", address.port, timeout=60)
        self.cookies: dict[str, str] = {}
        #: Location header of the latest click.
        self.landed = ""
        self.get("/sign-in/")
        self.post("/sign-in/", username="admin@harbour.example", password=PASSWORD)

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """Return status and body."""
        return self._request("GET", path, None, headers)

    def post(self, path: str, **fields: str) -> tuple[int, str]:
        """Return status, and the body or the Location header."""
        fields["csrfmiddlewaretoken"] = self.cookies["coconut_csrf"]
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._request("POST", path, urlencode(fields), form)

    def _request(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> tuple[int, str]:
        headers |= {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        text = response.read().decode()
        for cookie in response.headers.get_all("Set-Cookie", []):
            name, value = cookie.partition(";")[0].split("=", 1)
            self.cookies[name] = value
        return response.status, response.headers.get("Location") or text


def measure(stack: Stack, budgets: Budgets) -> None:
    """Print a line for each view and each bulk switch."""
    connection = make_big_organization()
    stack.wait_until(lambda: is_vacuumed(stack), seconds=30)
    visitor = Visitor(stack.url)
    dashboard = f"/settings/video-calls/{connection.pk}/"
    print(f"{STAFF:,} staff, {ROWS} rows a page, {ROUNDS} requests each; milliseconds (median, p95), queries")
    print(f"The larger p95 may be {BUDGET_BARE_VIEWS} bare views, with at most {BUDGET_QUERIES} queries")
    print(f"  {'':<36}{'the whole page':>24}{'the table (htmx)':>24}{'queries':>9}{'bare views':>12}")
    for name, query in VIEWS.items():
        measure_view(visitor, f"{dashboard}?{urlencode({**query, 'rows': ROWS})}", name, bare_view_ms(stack), budgets)
    measure_bulk_switch(visitor, dashboard, budgets)


def bare_view_ms(stack: Stack) -> float:
    """Return the median of a view that runs only the middleware, without a session."""
    bare, _ = measure_load(stack.addresses.web_port, 1, cycle([request("GET", "/bench/bare/")]), seconds=1)
    return bare.p50


def is_vacuumed(stack: Stack) -> bool:
    """Vacuum, and return whether all pages of the two tables are visible, as they are some time after an import.

    The throwaway server commits asynchronously, and VACUUM skips rows whose commit is not written yet.
    """
    stack.sql("VACUUM ANALYZE")
    (behind,) = stack.sql(
        "SELECT sum(relpages - relallvisible) FROM pg_class "
        "WHERE relname IN ('staff_staffmember', 'integrations_usermatch')"
    )[0]
    return bool(behind == 0)


def measure_view(visitor: Visitor, address: str, name: str, bare: float, budgets: Budgets) -> None:
    """Print one line: the whole page, and the table alone."""
    median, p95 = timed(visitor, address)
    table_median, table_p95 = timed(visitor, address, **{"HX-Request": "true"})
    queries, ratio = count_queries(address), max(p95, table_p95) / bare
    is_kept = ratio <= BUDGET_BARE_VIEWS and queries <= BUDGET_QUERIES
    print(
        f"  {name:<36}{median:>12.0f}{p95:>12.0f}{table_median:>12.0f}{table_p95:>12.0f}{queries:>9}{ratio:>12.0f}"
        f"{budgets.verdict(name, is_kept=is_kept)}",
        flush=True,
    )


def timed(visitor: Visitor, address: str, **headers: str) -> tuple[float, float]:
    """Return median and p95 of the milliseconds until the complete response."""
    times = []
    for number in range(ROUNDS + 3):
        started_at = monotonic()
        status, text = visitor.get(address, **headers)
        milliseconds = (monotonic() - started_at) * 1000
        if status != 200 or 'id="users"' not in text:
            sys.exit(f"{address} responded {status}: {text[:500]}")
        # The first requests open the database connections of both web processes.
        if number >= 3:
            times.append(milliseconds)
    times.sort()
    return times[len(times) // 2], times[int(len(times) * 0.95) - 1]


def count_queries(address: str) -> int:
    """Count the queries of the page, including session and user."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from staff.models import StaffMember

    client = Client(headers={"host": "localhost"})
    client.force_login(StaffMember.objects.get(email="admin@harbour.example"))
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    return len(captured)


def measure_bulk_switch(visitor: Visitor, dashboard: str, budgets: Budgets) -> None:
    """Turn all users off, on, and undo, and judge the seconds of each."""
    all_users = {"all": "true", "back": ""}
    measure_click(visitor, budgets, "Turn off all users", f"{dashboard}users/", on="false", **all_users)
    measure_click(visitor, budgets, "Turn on all users", f"{dashboard}users/", on="true", **all_users)
    _, page = visitor.get(visitor.landed)
    undo = re.findall(rf"{dashboard}users/undo/\d+/", page)
    if not undo:
        sys.exit(f"There is no Undo: {page[:2000]}")
    measure_click(visitor, budgets, "Undo", undo[-1], back="")


def measure_click(visitor: Visitor, budgets: Budgets, name: str, path: str, **fields: str) -> None:
    """Judge the seconds until the response."""
    started_at = monotonic()
    status, visitor.landed = visitor.post(path, **fields)
    seconds = monotonic() - started_at
    if status != 302:
        sys.exit(f"{name} responded {status}: {visitor.landed[:500]}")
    budgets.judge(f"{name}, seconds", seconds, at_most=BUDGET_SWITCH_S)


if __name__ == "__main__":
    main()
