"""Property: after any events in any order, the platform has exactly the booked meetings, and no email was sent twice.

Users book, move, reassign, rename and cancel. Responses get lost, writes land late, workers crash or die in the middle
of calls, tasks get lost, repeated and reordered, meetings vanish, and the connection is refused, disconnected and
reconnected.
Hypothesis draws the order, and finds the shortest one that fails.

HYPOTHESIS_PROFILE=long draws more examples (tests/hypothesis_profiles.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from random import Random
from typing import Any, ClassVar

import hypothesis
import pytest
from django.conf import settings
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import connection as database
from django.db import transaction
from django.db.models.functions import Coalesce, Greatest, Now
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

import tests.hypothesis_profiles  # noqa: F401 - loads the profile
from appointments.booking.book import book_appointment
from appointments.booking_rules.errors import BookingError
from appointments.changes.meeting_method import change_method
from appointments.changes.move import move_appointment, reassign_appointment
from appointments.changes.status import cancel_appointment
from appointments.models import Appointment, BookedThrough, Status
from appointments.video.missing_links import without_link
from appointments.video.repair import repair_links
from coconut import task_queue
from integrations.connections.disconnect import disconnect_connection
from integrations.connections.lifecycle import mark_reauthorized, revive_connection
from integrations.meetings import requests
from integrations.meetings.lease import SETTLED_AFTER
from integrations.meetings.sweep import sweep
from integrations.models import Connection, ConnectionStatus, DesiredState, Meeting
from integrations.platforms import registry
from integrations.platforms.failures import ErrorKind
from integrations.platforms.registry import register
from integrations.tasks import sync_meeting
from services.models import MeetingMethod
from staff.models import Role
from staff.outbox import send_waiting
from tests.factories import (
    make_client,
    make_connection,
    make_match,
    make_member,
    make_organization,
    make_service,
)
from tests.integrations.flaky_platform import (
    WHEN_CARRIED_OUT,
    WHEN_SENT,
    Fate,
    Killed,
    UnreliableKeylessPlatform,
    UnreliablePlatform,
    Worker,
)
from tests.integrations.invariants import check_appointments, check_emails, check_remote_meetings, check_rows
from tests.integrations.meeting_steps import STARTS
from tests.quick_flush import delete_statements

pytestmark = pytest.mark.django_db(transaction=True)

Draw = Callable[[Random], Any]


def one_of(*values: Any) -> Draw:
    return lambda random: random.choice(values)


def fates(random: Random) -> list[tuple[Fate, Fate]]:
    """Draw the fates of a task's calls. If there are more calls, the worker waits in the next one."""
    return [(random.choice(WHEN_SENT), random.choice(WHEN_CARRIED_OUT)) for _ in range(random.randrange(7))]


ANY = one_of(*range(6))
THROUGH = BookedThrough.SCHEDULE
#: Appointments at a time. Few, so that many events concern each.
MOST_LIVE = 3
LONG_PAUSE = 200  # seconds
SYNC = "integrations.sync_meeting"


#: Events that may happen: (weight, condition, method, how to draw its arguments).
EVENTS: list[tuple[int, Callable[[Any], object], str, dict[str, Draw]]] = []


def event(
    weight: int, possible: Callable[[Any], object] = lambda self: True, **arguments: Draw
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a method as an event.

    Events aren't rules of Hypothesis, which leaves half of the rules out of each example and prefers earlier draws:
    workers would hardly run. Hypothesis draws a random seed for each step, and can leave out steps.
    """

    def register_event(method: Callable[..., None]) -> Callable[..., None]:
        EVENTS.append((weight, possible, method.__name__, arguments))
        return method

    return register_event


class Organisation(RuleBasedStateMachine):
    """Maple with three hosts, two of them with the same organizer on the platform, and its workers."""

    workers: ClassVar[list[Worker]] = []
    platform_class: ClassVar[type[UnreliablePlatform] | type[UnreliableKeylessPlatform]] = UnreliablePlatform

    def __init__(self) -> None:
        super().__init__()
        with database.cursor() as cursor:
            cursor.execute(delete_statements())
        mail.outbox.clear()
        self.organization = make_organization()
        self.sky = make_member(self.organization, "Sky Larsen", Role.SCHEDULER)
        self.hosts = [make_member(self.organization, name) for name in ("Sam A", "Tess B", "Uma C")]
        self.review = make_service(self.organization, provided_by=tuple(self.hosts))
        self.cleo = make_client(self.organization)
        self.connection = make_connection(self.organization)
        matches = [make_match(self.connection, host) for host in self.hosts]
        organizers = ["organizer 1", "organizer 1", "organizer 2"]
        self.platform = self.platform_class(
            {match.remote_id: organizer for match, organizer in zip(matches, organizers, strict=True)}
        )
        register(self.platform)
        self.appointments: list[Appointment] = []
        self.queue: list[tuple[str, str]] = []
        self.is_broker_up = True
        self.slots = 0
        task_queue.send_each = self._send_each

    # --- People -------------------------------------------------------------------------------------
    @initialize()
    def begin(self) -> None:
        self.book(0)

    @event(1, possible=lambda self: self._live() < MOST_LIVE, host=ANY)
    def book(self, host: int) -> None:
        def book() -> None:
            self.appointments.append(
                book_appointment(
                    organization=self.organization,
                    service=self.review,
                    staff=self.hosts[host % 3],
                    client=self.cleo,
                    starts_at=self._free_time(),
                    method=MeetingMethod.VIDEO,
                    actor=self.sky,
                    through=THROUGH,
                    outside_hours=True,
                )
            )

        self._unless_refused(book)

    @event(2, possible=lambda self: self.appointments, which=ANY)
    def move(self, which: int) -> None:
        appointment = self._appointment(which)
        self._unless_refused(
            lambda: move_appointment(
                appointment, starts_at=self._free_time(), actor=self.sky, through=THROUGH, outside_hours=True
            )
        )

    @event(2, possible=lambda self: self.appointments, which=ANY, host=ANY)
    def reassign(self, which: int, host: int) -> None:
        appointment = self._appointment(which)
        self._unless_refused(
            lambda: reassign_appointment(
                appointment, staff=self.hosts[host % 3], actor=self.sky, through=THROUGH, outside_hours=True
            )
        )

    @event(1, possible=lambda self: self.appointments, which=ANY)
    def cancel(self, which: int) -> None:
        appointment = self._appointment(which)
        self._unless_refused(lambda: cancel_appointment(appointment, actor=self.sky, through=THROUGH))

    @event(1, possible=lambda self: self.appointments, which=ANY, is_video=one_of(False, True))
    def change_method(self, which: int, is_video: bool) -> None:
        appointment = self._appointment(which)
        method = MeetingMethod.VIDEO if is_video else MeetingMethod.AT_LOCATION
        self._unless_refused(lambda: change_method(appointment, method=method, actor=self.sky, through=THROUGH))

    @event(1, possible=lambda self: self.appointments, which=ANY)
    def rename(self, which: int) -> None:
        meeting_id = self._appointment(which).meeting_id
        if meeting_id is not None:
            self.slots += 1
            requests.rename(meeting_id, f"Name {self.slots}")

    @event(1, is_all=one_of(False, True))
    def failed_links_are_tried_again(self, is_all: bool) -> None:
        if is_all:
            requests.try_again(Meeting.objects.all())
        else:
            repair_links(without_link(self.organization).select_related("organization", "staff"), actor=self.sky)

    @event(1, possible=lambda self: self._status() == ConnectionStatus.CONNECTED)
    def disconnect(self) -> None:
        disconnect_connection(self.connection, None)

    @event(5, possible=lambda self: self._status() != ConnectionStatus.CONNECTED)
    def connect_again(self) -> None:
        """Reauthorize, or connect what was disconnected."""
        self.connection.refresh_from_db()
        with transaction.atomic():
            if self.connection.status == ConnectionStatus.NEEDS_REAUTHORIZATION:
                mark_reauthorized(self.connection, None)
            else:
                revive_connection(self.connection, match_field="email", actor=None)

    # --- Workers and the fates of their calls ---------------------------------------------------------
    @event(6, possible=lambda self: self._workers(""), which=ANY, fates=fates)
    def worker_runs_task(self, which: int, fates: list[tuple[Fate, Fate]]) -> None:
        """Run a due or repeated task, to its end or up to one of its calls."""
        worker, task = self._workers("")[0], self._task(which)
        worker.begin(lambda: self._do(task), self.platform.clock)
        for when_sent, when_carried_out in fates:
            if worker.stage == "sent":
                worker.continue_with(when_sent)
            if worker.stage == "carried out":
                worker.continue_with(when_carried_out)

    @event(3, possible=lambda self: self._workers("sent"), which=ANY, fate=one_of(*WHEN_SENT))
    def call_is_sent(self, which: int, fate: Fate) -> None:
        waiting = self._workers("sent")
        waiting[which % len(waiting)].continue_with(fate)

    @event(3, possible=lambda self: self._workers("carried out"), which=ANY, fate=one_of(*WHEN_CARRIED_OUT))
    def call_is_carried_out(self, which: int, fate: Fate) -> None:
        waiting = self._workers("carried out")
        waiting[which % len(waiting)].continue_with(fate)

    @event(1, possible=lambda self: self._workers("sent", "carried out"), which=ANY)
    def worker_finishes(self, which: int) -> None:
        waiting = self._workers("sent", "carried out")
        waiting[which % len(waiting)].finish()

    @event(1)
    def sweep(self) -> None:
        sweep()

    # --- Time, platform, broker and email -------------------------------------------------------------
    @event(4)
    def time_passes_until_there_is_work(self) -> None:
        """Wait until a pause or a lease ends, at most LONG_PAUSE seconds, and sweep."""
        wait = Greatest("due_at", Coalesce("lease_until", "due_at")) - Now()
        waits = Meeting.objects.filter(due_at__isnull=False).values_list(wait, flat=True)
        seconds = [each.total_seconds() for each in waits]
        if seconds and 0 < min(seconds) < LONG_PAUSE:
            self.time_passes(int(min(seconds)) + 1)
        sweep()

    @event(1, seconds=one_of(1, 5, 16, 21, 46, 61, 95, 130))
    def time_passes(self, seconds: int) -> None:
        for worker in self._workers("sent", "carried out"):
            if self.platform.clock + seconds - worker.started_at > settings.CELERY_TASK_TIME_LIMIT:
                worker.continue_with(Fate.KILLED if worker.stage == "sent" else Fate.KILLED_AFTER)
        self.platform.pass_time(seconds)

    @event(1, which=ANY)
    def late_write_lands(self, which: int) -> None:
        self.platform.land_one(which)

    @event(1, possible=lambda self: self.platform.meetings, which=ANY)
    def meeting_vanishes(self, which: int) -> None:
        remote_ids = list(self.platform.meetings)
        self.platform.meetings.pop(remote_ids[which % len(remote_ids)])

    @event(1, possible=lambda self: self.is_broker_up, keeps=one_of(False, True))
    def broker_goes(self, keeps: bool) -> None:
        self.is_broker_up = False
        if not keeps:
            self.queue.clear()

    @event(3, possible=lambda self: not self.is_broker_up)
    def broker_comes_back(self) -> None:
        self.is_broker_up = True

    @event(1, crash=one_of("", "", "before", "after"))
    def emails_are_sent(self, crash: str) -> None:
        really_send = EmailMultiAlternatives.send

        def send(message: EmailMultiAlternatives, *args: Any) -> int:
            sent = really_send(message) if crash != "before" else 0
            if crash:
                raise Killed
            return sent

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(EmailMultiAlternatives, "send", send)
            try:
                send_waiting()
            except Killed:
                return

    @rule(random=st.randoms(use_true_random=True))
    def an_event_happens(self, random: Random) -> None:
        names = [name for weight, possible, name, _ in EVENTS if possible(self) for _ in range(weight)]
        chosen = random.choice(names)
        draws = next(draws for _, _, name, draws in EVENTS if name == chosen)
        arguments = {name: draw(random) for name, draw in draws.items()}
        hypothesis.note(f"{chosen} {arguments}")
        getattr(self, chosen)(**arguments)

    # --- The end --------------------------------------------------------------------------------------
    def teardown(self) -> None:
        """End all faults and leases. After two sweeps both sides must be in sync."""
        for worker in self._workers("sent", "carried out"):
            worker.continue_with(Fate.KILLED if worker.stage == "sent" else Fate.KILLED_AFTER)
        self.is_broker_up = True
        # The workers continue while some writes haven't landed yet.
        self.platform.pass_time(21)
        sweep()
        self._admins_repair_the_rest()
        for seconds in (4000, SETTLED_AFTER.total_seconds() + 1):
            self.platform.pass_time(seconds)
            sweep()
            self._run_queue()
        send_waiting()
        is_connected = self._status() == ConnectionStatus.CONNECTED
        check_rows(is_connected)
        check_appointments()
        check_remote_meetings(self.platform, is_connected)
        check_emails()

    def _admins_repair_the_rest(self) -> None:
        """Reauthorize, try failed meetings again, and change meetings that vanished after their last sync."""
        if self._status() == ConnectionStatus.NEEDS_REAUTHORIZATION:
            sweep()
            kinds = Meeting.objects.filter(due_at__isnull=False).values_list("error_kind", flat=True)
            held = {"", ErrorKind.OUTAGE, ErrorKind.THROTTLED, ErrorKind.GONE, ErrorKind.BUG}
            assert set(kinds) <= {ErrorKind.CONNECTION, *held}
            self.connect_again()
        self._run_queue()
        requests.try_again(Meeting.objects.all())
        repair_links(without_link(self.organization).select_related("organization", "staff"), actor=self.sky)
        vanished = Meeting.objects.filter(desired_state=DesiredState.PRESENT).exclude(
            remote_id__in=self.platform.meetings
        )
        for meeting in vanished.exclude(remote_id=""):
            requests.rename(meeting.pk, f"{meeting.subject} again")

    def _run_queue(self) -> None:
        while self.queue:
            self._do(self.queue.pop(0))

    # --- Inside ---------------------------------------------------------------------------------------
    def _appointment(self, which: int) -> Appointment:
        """Return the current row of one of the appointments."""
        return Appointment.objects.select_related("organization", "service", "staff", "client").get(
            pk=self.appointments[which % len(self.appointments)].pk
        )

    def _live(self) -> int:
        return Appointment.objects.exclude(status=Status.CANCELLED).count()

    def _free_time(self) -> Any:
        self.slots += 1
        return STARTS + timedelta(hours=self.slots)

    def _status(self) -> str:
        return Connection.objects.values_list("status", flat=True).get(pk=self.connection.pk)

    def _workers(self, *stages: str) -> list[Worker]:
        return [worker for worker in self.workers if worker.stage in stages]

    def _task(self, which: int) -> tuple[str, str]:
        """Return a due task, one of the queue, or one that is delivered again."""
        due = list(Meeting.objects.due().order_by("-created_at").values_list("pk", flat=True)[:4])
        if which < len(due):
            return SYNC, str(due[which])
        if self.queue:
            return self.queue.pop(which % len(self.queue))
        ids = list(Meeting.objects.order_by("-created_at").values_list("pk", flat=True))
        return SYNC, str(ids[which % len(ids)])

    def _unless_refused(self, act: Callable[[], object]) -> None:
        try:
            act()
        except BookingError:
            return

    def _send_each(self, task: str, calls: Sequence[tuple[object, ...]], **options: object) -> bool:
        if self.is_broker_up and task.endswith(("sync_meeting", "sweep_meetings")):
            self.queue += [(task, str(args[0]) if args else "") for args in calls]
        return self.is_broker_up

    def _do(self, task: tuple[str, str]) -> None:
        name, argument = task
        sync_meeting(argument) if name.endswith("sync_meeting") else sweep()


@pytest.fixture
def workers() -> Iterator[None]:
    Organisation.workers = [Worker() for _ in range(2)]
    yield
    for worker in Organisation.workers:
        worker.close()


class KeylessOrganisation(Organisation):
    """The same organisation on a platform that must search for what it created."""

    platform_class = UnreliableKeylessPlatform


@pytest.mark.usefixtures("workers")
@pytest.mark.parametrize("organisation", [Organisation, KeylessOrganisation])
def test_in_the_end_the_platform_has_exactly_the_booked_meetings(
    monkeypatch: pytest.MonkeyPatch, organisation: type[Organisation]
) -> None:
    # The state machine replaces both, and monkeypatch restores them.
    monkeypatch.setattr(task_queue, "send_each", task_queue.send_each)
    monkeypatch.setattr(registry, "_platforms", dict(registry._platforms))

    # The default of the state machine would ignore the profile.
    run_state_machine_as_test(organisation, settings=hypothesis.settings())
