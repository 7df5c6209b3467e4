"""Measure a rematch of 10,000 staff in a tenant of 50,000: seconds, requests to Graph and the worker's memory.

The benchmark clicks Actions > Rematch users > Rematch all users, with a Graph that answers after 100 ms, and waits for
the confirmation. One in twenty has no user; one in fifty is found only by an alias. Then four in ten are missing, and
then all, as if the match field were wrong. Exits with 1 if a budget is missed.
"""

from __future__ import annotations

import json
import re
import sys
import urllib.request
from pathlib import Path
from time import monotonic

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from playwright.sync_api import Page, expect

from bench.support.budgets import Budgets
from bench.support.installation import browser_page, installation
from tests.journeys import steps
from tests.stack import Stack

STAFF = 10_000
TENANT = 50_000
LATENCY_MS = 100
BUDGET_REQUESTS = 60
BUDGET_SECONDS = 15
BUDGET_MB = 100
# One in twenty has no user at Microsoft. Microsoft knows one in fifty by another name.
MAKE_STAFF = f"""
from staff.models import Organization, StaffMember
maple = Organization.objects.get(slug="maple")
def email(number):
    if number % 20 == 0:
        return f"nobody{{number:05d}}@maple.example"
    return f"alias{{number:05d}}@maple.example" if number % 50 == 1 else f"user{{number:05d}}@maple.example"
StaffMember.objects.bulk_create(
    [
        StaffMember(
            organization=maple, email=email(n), username=f"u{{n}}", first_name="User", last_name=str(n), password="!"
        )
        for n in range(1, {STAFF} + 1 - StaffMember.objects.filter(organization=maple).count())
    ],
    batch_size=2000,
)
"""
# Gives a percentage of the staff an email that exists nowhere.
LOSE = """
UPDATE staff_staffmember SET email = 'gone' || id || '@maple.example'
WHERE id * 37 % 100 < {percent} AND (email LIKE 'user%' OR email LIKE 'alias%' OR email LIKE 'nobody%')
"""


def main() -> None:
    """Measure in one installation."""
    budgets = Budgets()
    with installation() as (stack, _servers), browser_page(stack) as page:
        measure(stack, page, budgets)
    budgets.exit()


def measure(stack: Stack, page: Page, budgets: Budgets) -> None:
    """Prepare tenant and staff. Rematch new staff, known staff, and staff who are partly or all missing."""
    aliases = [
        {"upn": f"new{number:05d}@maple.example", "mail": f"alias{number:05d}@maple.example"}
        for number in range(1, STAFF, 50)
    ]
    stack.control("people", people=aliases, domain="maple.example", generate=TENANT - len(aliases))
    steps.sign_in(page)
    steps.connect(page)
    stack.wait_until(lambda: not is_running(stack))
    # Beat would find the new staff before the click does.
    stack.stop("beat")
    stack.python(MAKE_STAFF)
    stack.sql("VACUUM ANALYZE")
    stack.control("fault", kind="latency", service="graph", ms=LATENCY_MS)
    print(f"{STAFF:,} staff, a tenant of {TENANT:,}, Graph answers after {LATENCY_MS} ms")
    rematch(stack, page, "all are new", budgets)
    rematch(stack, page, "all are known", budgets)
    for percent in (40, 100):
        stack.sql(LOSE.format(percent=percent))
        stack.sql("VACUUM ANALYZE")
        rematch(stack, page, f"{percent} % are missing", budgets)


def rematch(stack: Stack, page: Page, scene: str, budgets: Budgets) -> None:
    """Click, wait for the confirmation, and judge."""
    page.goto("/settings/video-calls/")
    page.get_by_text("Actions", exact=True).click()
    page.get_by_role("link", name="Rematch users").click()
    workers = worker_pids(stack)
    before, requests_before = {pid: memory_mb(pid, "VmRSS") for pid in workers}, graph_requests(stack)
    for pid in workers:
        # Resets the peak.
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    started_at = monotonic()
    page.get_by_role("button", name="Rematch all users").click()
    expect(page.get_by_role("status").filter(has_text="All users have been rematched.")).to_be_visible(timeout=120_000)
    seconds, requests = monotonic() - started_at, graph_requests(stack) - requests_before
    grown = max(memory_mb(pid, "VmHWM") - before[pid] for pid in workers)
    budgets.judge(f"{scene}, seconds", seconds, at_most=BUDGET_SECONDS)
    budgets.judge(f"{scene}, requests to Graph", requests, at_most=BUDGET_REQUESTS)
    budgets.judge(f"{scene}, growth of the worker in MB", grown, at_most=BUDGET_MB)


def is_running(stack: Stack) -> bool:
    """Return whether a rematch run is at work."""
    return bool(stack.sql("SELECT 1 FROM integrations_rematchrun WHERE state = 'running'"))


def graph_requests(stack: Stack) -> int:
    """Return the number of requests to Graph since the simulator started."""
    with urllib.request.urlopen(f"{stack.simulator_url}/_control/requests", timeout=10) as response:
        return sum(entry["service"] == "graph" for entry in json.load(response)["requests"])


def worker_pids(stack: Stack) -> list[int]:
    """Return the process ids of the worker and its pool."""
    parent = stack.pid("worker")
    return [parent, *(int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split())]


def memory_mb(pid: int, name: str) -> float:
    """Return `VmRSS` (present) or `VmHWM` (peak) of a process in MB."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    main()
