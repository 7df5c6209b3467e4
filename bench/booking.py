"""Does a slow Microsoft make booking slow?

Books video appointments over HTTP against real processes, with Graph answering at once and after five seconds, and
with Graph unreachable, and prints how long the page took to answer and how long the link took to come.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from time import monotonic
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from playwright.sync_api import Page, sync_playwright

from local_servers.servers import throwaway_folder, throwaway_servers
from tests.journeys import steps
from tests.servers import ENVIRONMENT
from tests.stack import Stack

BOOKINGS = 20
SCENES: dict[str, dict[str, object] | None] = {
    "Graph answers at once": None,
    "Graph answers after 5 s": {"kind": "latency", "service": "graph", "ms": 5000},
    "Graph is unreachable": {"kind": "drop_before", "service": "graph"},
}


def main() -> None:
    """Measure every scene in one stack."""
    os.environ.update(ENVIRONMENT)
    with throwaway_servers(broker=False) as servers, throwaway_folder() as folder:
        stack = Stack(folder, servers.database_url, settings="bench.support.settings")
        try:
            stack.open()
            with sync_playwright() as playwright:
                measure(
                    stack, playwright.chromium.launch(executable_path=chromium()).new_page(base_url=stack.url)
                )
        finally:
            stack.close()


def chromium() -> str:
    """The browser that connects Teams."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if found is None:
        sys.exit("There is no browser: install Debian's package chromium, or name one in CHROMIUM.")
    return found


def measure(stack: Stack, page: Page) -> None:
    """Connect, then book and print, scene by scene; each scene has days of its own."""
    steps.connect_and_turn_on(page)
    days = weekdays()
    print(f"{BOOKINGS} bookings each; milliseconds until the page answers")
    for scene, fault in SCENES.items():
        if fault is not None:
            stack.control("fault", **fault)
        book(page, stack, next(days))
        times = sorted(book(page, stack, next(days)) for _ in range(BOOKINGS))
        p95 = times[int(len(times) * 0.95) - 1]
        print(
            f"  {scene:<26} median {statistics.median(times):6.0f}   p95 {p95:6.0f}   slowest {times[-1]:6.0f}"
        )
        stack.control("clear-faults")
        stack.wait_until(lambda: not waiting(stack), seconds=180)
    print(
        f"  Meetings at Microsoft: {len(steps.live_meetings(stack))}, booked: {len(SCENES) * (BOOKINGS + 1)}"
    )


def waiting(stack: Stack) -> int:
    """How many meetings have no link yet."""
    return int(stack.sql("SELECT count(*) FROM integrations_meeting WHERE state = 'pending'")[0][0])


def weekdays() -> Iterator[date]:
    """Days on which Sam works, from next week on."""
    day = date.today() + timedelta(days=7)  # noqa: DTZ011 - any day will do
    while True:
        day += timedelta(days=1)
        if day.weekday() < 5:
            yield day


def book(page: Page, stack: Stack, day: date) -> float:
    """One booking at 11:00 on `day`; milliseconds until the answer."""
    [[sam]] = stack.sql("SELECT id FROM staff_staffmember WHERE email = 'sam@maple.example'")
    [[service]] = stack.sql(
        "SELECT id FROM services_service WHERE name = 'Mortgage review' AND organization_id = "
        "(SELECT organization_id FROM staff_staffmember WHERE id = %s)",
        sam,
    )
    [[client]] = stack.sql("SELECT id FROM appointments_client WHERE name = 'Cleo Brandt' LIMIT 1")
    token = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "coconut_csrf")
    form = {
        "csrfmiddlewaretoken": token,
        "request_key": uuid4().hex,
        "client": str(client),
        "service": str(service),
        "method": "3",
        "staff": str(sam),
        "date": day.isoformat(),
        "time": "11:00",
        "outside_hours": "on",
    }
    begun = monotonic()
    answer = page.request.post(f"{stack.url}/schedule/appointments/add/", form=form, max_redirects=0)
    took = (monotonic() - begun) * 1000
    if answer.status not in (302, 303):
        sys.exit(f"The booking on {day} was refused: {answer.status}\n{answer.text()[:3000]}")
    return took


if __name__ == "__main__":
    main()
