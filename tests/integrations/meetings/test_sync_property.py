"""Whatever happens, in whatever order: in the end the platform has exactly what is booked, and nobody was mailed twice.

People book, move, reassign, rename and cancel; workers stop in the middle of calls, answers are lost, writes land late,
workers die, nudges get lost, come twice or in another order, meetings vanish, the sign-in is refused, the connection
goes and comes back. Hypothesis draws the order, and finds the shortest one that fails.

HYPOTHESIS_PROFILE=long looks for longer (tests/hypothesis_profiles.py).
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
from tests.integrations.invariants import check_appointments, check_mails, check_remote_meetings, check_rows
from tests.integrations.meeting_steps import STARTS

pytestmark = pytest.mark.django_db(transaction=True)

Draw = Callable[[Random], Any]


def one_of(*values: Any) -> Draw:
    return lambda random: random.choice(values)


def fates(random: Random) -> list[tuple[Fate, Fate]]:
    """What becomes of the calls of a task; where there are fewer than calls, the worker is left in the next."""
    return [(random.choice(WHEN_SENT), random.choice(WHEN_CARRIED_OUT)) for _ in range(random.randrange(7))]


ANY = one_of(*range(6))
THROUGH = BookedThrough.SCHEDULE
#: Few at a time, so that much happens to each. Another is booked when one was cancelled.
MOST_LIVE = 3
LONG_PAUSE = 200  # seconds
SYNC = "integrations.sync_meeting"


Thing = Callable[..., None]
#: What may happen: how often, where that is possible, what, and what is drawn for it.
THINGS: list[tuple[int, Callable[[Any], object], str, dict[str, Draw]]] = []


def happens(
    times: int, possible: Callable[[Any], object] = lambda self: True, **drawn: Draw
) -> Callable[[Thing], Thing]:
    """One of the things that may happen.

    Not a rule of its own, and not drawn by Hypothesis: it leaves half of the rules out of each example, and likes to
    draw what it has drawn before, so that mostly nobody works. It draws a seed for each step, and leaves out steps.
    """

    def note(thing: Thing) -> Thing:
        THINGS.append((times, possible, thing.__name__, drawn))
        return thing

    return note


class Organisation(RuleBasedStateMachine):
    """Maple, its three hosts (two share an organiser at the platform), its workers, and whatever happens to them."""

    workers: ClassVar[list[Worker]] = []
    platform_class: ClassVar[type[UnreliablePlatform] | type[UnreliableKeylessPlatform]] = UnreliablePlatform

    def __init__(self) -> None:
        super().__init__()
        with database.cursor() as cursor:
            cursor.execute("TRUNCATE staff_organization, staff_staffmember CASCADE")
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

    @happens(1, possible=lambda self: self._live() < MOST_LIVE, host=ANY)
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

    @happens(2, possible=lambda self: self.appointments, which=ANY)
    def move(self, which: int) -> None:
        appointment = self._appointment(which)
        self._unless_refused(
            lambda: move_appointment(
                appointment, starts_at=self._free_time(), actor=self.sky, through=THROUGH, outside_hours=True
            )
        )

    @happens(2, possible=lambda self: self.appointments, which=ANY, host=ANY)
    def reassign(self, which: int, host: int) -> None:
        appointment = self._appointment(which)
        self._unless_refused(
            lambda: reassign_appointment(
                appointment, staff=self.hosts[host % 3], actor=self.sky, through=THROUGH, outside_hours=True
            )
        )

    @happens(1, possible=lambda self: self.appointments, which=ANY)
    def cancel(self, which: int) -> None:
        appointment = self._appointment(which)
        self._unless_refused(lambda: cancel_appointment(appointment, actor=self.sky, through=THROUGH))

    @happens(1, possible=lambda self: self.appointments, which=ANY, is_video=one_of(False, True))
    def change_method(self, which: int, is_video: bool) -> None:
        appointment = self._appointment(which)
        method = MeetingMethod.VIDEO if is_video else MeetingMethod.AT_LOCATION
        self._unless_refused(
            lambda: change_method(appointment, method=method, actor=self.sky, through=THROUGH)
        )

    @happens(1, possible=lambda self: self.appointments, which=ANY)
    def rename(self, which: int) -> None:
        meeting_id = self._appointment(which).meeting_id
        if meeting_id is not None:
            self.slots += 1
            requests.rename(meeting_id, f"Name {self.slots}")

    @happens(1, is_all=one_of(False, True))
    def failed_links_are_tried_again(self, is_all: bool) -> None:
        if is_all:
            requests.try_again(Meeting.objects.all())
        else:
            repair_links(
                without_link(self.organization).select_related("organization", "staff"), actor=self.sky
            )

    @happens(1, possible=lambda self: self._status() == ConnectionStatus.CONNECTED)
    def disconnect(self) -> None:
        disconnect_connection(self.connection, None)

    @happens(5, possible=lambda self: self._status() != ConnectionStatus.CONNECTED)
    def connect_again(self) -> None:
        """Reauthorize, or connect what was disconnected."""
        self.connection.refresh_from_db()
        with transaction.atomic():
            if self.connection.status == ConnectionStatus.NEEDS_REAUTHORIZATION:
                mark_reauthorized(self.connection, None)
            else:
                revive_connection(self.connection, match_field="email", actor=None)

    # --- Workers, and what becomes of their calls -----------------------------------------------------
    @happens(6, possible=lambda self: self._workers(""), which=ANY, fates=fates)
    def somebody_works(self, which: int, fates: list[tuple[Fate, Fate]]) -> None:
        """A task is done, one that is due or one that was done before; to its end or up to one of its calls."""
        worker, task = self._workers("")[0], self._task(which)
        worker.begin(lambda: self._do(task), self.platform.clock)
        for when_sent, when_carried_out in fates:
            if worker.stage == "sent":
                worker.go_on(when_sent)
            if worker.stage == "carried out":
                worker.go_on(when_carried_out)

    @happens(3, possible=lambda self: self._workers("sent"), which=ANY, fate=one_of(*WHEN_SENT))
    def call_is_sent(self, which: int, fate: Fate) -> None:
        waiting = self._workers("sent")
        waiting[which % len(waiting)].go_on(fate)

    @happens(3, possible=lambda self: self._workers("carried out"), which=ANY, fate=one_of(*WHEN_CARRIED_OUT))
    def call_is_carried_out(self, which: int, fate: Fate) -> None:
        waiting = self._workers("carried out")
        waiting[which % len(waiting)].go_on(fate)

    @happens(1, possible=lambda self: self._workers("sent", "carried out"), which=ANY)
    def worker_finishes(self, which: int) -> None:
        waiting = self._workers("sent", "carried out")
        waiting[which % len(waiting)].finish()

    @happens(1)
    def sweep(self) -> None:
        sweep()

    # --- The rest of the world ------------------------------------------------------------------------
    @happens(4)
    def time_passes_until_there_is_work(self) -> None:
        """Until a pause or a dead worker's lease is over, were it a minute or two; then the sweep sees it."""
        wait = Greatest("due_at", Coalesce("lease_until", "due_at")) - Now()
        waits = Meeting.objects.filter(due_at__isnull=False).values_list(wait, flat=True)
        seconds = [each.total_seconds() for each in waits]
        if seconds and 0 < min(seconds) < LONG_PAUSE:
            self.time_passes(int(min(seconds)) + 1)
        sweep()

    @happens(1, seconds=one_of(1, 5, 16, 21, 46, 61, 95, 130))
    def time_passes(self, seconds: int) -> None:
        for worker in self._workers("sent", "carried out"):
            if self.platform.clock + seconds - worker.started_at > settings.MEETING_TASK_TIME_LIMIT:
                worker.go_on(Fate.KILLED if worker.stage == "sent" else Fate.KILLED_AFTER)
        self.platform.pass_time(seconds)

    @happens(1, which=ANY)
    def late_write_lands(self, which: int) -> None:
        self.platform.land_one(which)

    @happens(1, possible=lambda self: self.platform.meetings, which=ANY)
    def meeting_vanishes(self, which: int) -> None:
        remote_ids = list(self.platform.meetings)
        self.platform.meetings.pop(remote_ids[which % len(remote_ids)])

    @happens(1, possible=lambda self: self.is_broker_up, keeps=one_of(False, True))
    def broker_goes(self, keeps: bool) -> None:
        self.is_broker_up = False
        if not keeps:
            self.queue.clear()

    @happens(3, possible=lambda self: not self.is_broker_up)
    def broker_comes_back(self) -> None:
        self.is_broker_up = True

    @happens(1, crash=one_of("", "", "before", "after"))
    def mails_are_sent(self, crash: str) -> None:
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
    def something_happens(self, random: Random) -> None:
        names = [name for times, possible, name, _ in THINGS if possible(self) for _ in range(times)]
        what = random.choice(names)
        drawn = next(drawn for _, _, name, drawn in THINGS if name == what)
        arguments = {name: draw(random) for name, draw in drawn.items()}
        hypothesis.note(f"{what} {arguments}")
        getattr(self, what)(**arguments)

    # --- The end --------------------------------------------------------------------------------------
    def teardown(self) -> None:
        """Faults have gone, and the last lease has ended: after two sweeps everything is as it should be."""
        for worker in self._workers("sent", "carried out"):
            worker.go_on(Fate.KILLED if worker.stage == "sent" else Fate.KILLED_AFTER)
        self.is_broker_up = True
        # The workers go on at once, while some writes are still on their way.
        self.platform.pass_time(21)
        sweep()
        self._people_do_what_is_left_to_them()
        for seconds in (4000, settings.MEETING_RECHECK_SECONDS + 1):
            self.platform.pass_time(seconds)
            sweep()
            self._work_off()
        send_waiting()
        is_connected = self._status() == ConnectionStatus.CONNECTED
        check_rows(is_connected)
        check_appointments()
        check_remote_meetings(self.platform, is_connected)
        check_mails()

    def _people_do_what_is_left_to_them(self) -> None:
        """Reauthorize; try again what was refused; and change what vanished unnoticed, as nobody looks after it."""
        if self._status() == ConnectionStatus.NEEDS_REAUTHORIZATION:
            sweep()
            said = Meeting.objects.filter(due_at__isnull=False).values_list("error_kind", flat=True)
            held = {"", ErrorKind.OUTAGE, ErrorKind.THROTTLED, ErrorKind.GONE}
            assert set(said) <= {ErrorKind.CONNECTION, *held}
            self.connect_again()
        self._work_off()
        requests.try_again(Meeting.objects.all())
        repair_links(without_link(self.organization).select_related("organization", "staff"), actor=self.sky)
        vanished = Meeting.objects.filter(desired_state=DesiredState.PRESENT).exclude(
            remote_id__in=self.platform.meetings
        )
        for meeting in vanished.exclude(remote_id=""):
            requests.rename(meeting.pk, f"{meeting.subject} again")

    def _work_off(self) -> None:
        while self.queue:
            self._do(self.queue.pop(0))

    # --- Inside ---------------------------------------------------------------------------------------
    def _appointment(self, which: int) -> Appointment:
        """One of them, as it is now."""
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
        """Mostly one that is due; else what is in the queue, or what may be delivered once more."""
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
def test_in_the_end_the_platform_has_exactly_what_is_booked(
    monkeypatch: pytest.MonkeyPatch, organisation: type[Organisation]
) -> None:
    # The machine puts its own in their places.
    monkeypatch.setattr(task_queue, "send_each", task_queue.send_each)
    monkeypatch.setattr(registry, "_platforms", dict(registry._platforms))

    # Its own default is no profile's.
    run_state_machine_as_test(organisation, settings=hypothesis.settings())
