"""Join link."""

from __future__ import annotations

import re

import pytest
import time_machine
from django.test import Client as Browser

from appointments.changes.move import move_appointment, reassign_appointment
from appointments.changes.status import cancel_appointment
from appointments.models import Appointment, BookedThrough
from integrations.connections.disconnect import disconnect_connection
from integrations.models import Connection, ConnectionStatus, Meeting
from services.models import MeetingMethod
from staff.models import StaffMember
from tests.appointments.conftest import Maple, monday
from tests.factories import make_match
from tests.messages import message

pytestmark = pytest.mark.usefixtures("friday")
TEAMS_URL = "https://teams.example/l/meetup-join/1"


@pytest.fixture
def video(maple_with_teams: Maple) -> Appointment:
    return maple_with_teams.book(method=MeetingMethod.VIDEO)


@pytest.fixture
def visitor() -> Browser:
    return Browser()


def link(appointment: Appointment) -> str:
    return f"/join/{appointment.join_token}"


def make_ready(appointment: Appointment, url: str = TEAMS_URL) -> None:
    Meeting.objects.filter(appointment=appointment).update(join_url=url, remote_id="m", synced_version=1)


def test_the_join_link_redirects_to_the_current_teams_link(video: Appointment, visitor: Browser):
    make_ready(video)

    response = visitor.get(link(video))

    assert (response.status_code, response["Location"]) == (302, TEAMS_URL)
    assert response["Cache-Control"] == "no-store"
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["X-Robots-Tag"] == "noindex, nofollow"


def test_the_join_link_works_after_disconnect(video: Appointment, visitor: Browser):
    make_ready(video)

    disconnect_connection(Connection.objects.get(), None)

    response = visitor.get(link(video))
    assert (response.status_code, response["Location"]) == (302, TEAMS_URL)


def test_a_pending_link_shows_a_waiting_page(video: Appointment, visitor: Browser):
    content = visitor.get(link(video)).content.decode()

    assert "Your video call is being prepared." in content
    assert 'hx-trigger="every 3s"' in content
    assert '<noscript><meta http-equiv="refresh" content="10"></noscript>' in content


def test_the_waiting_page_polls_until_the_link_is_ready(video: Appointment, visitor: Browser):
    htmx = {"HX-Request": "true"}

    waiting = visitor.get(link(video), headers=htmx)
    make_ready(video)
    ready = visitor.get(link(video), headers=htmx)

    assert (waiting.status_code, waiting.content) == (204, b"")
    assert (ready.status_code, ready.headers.get("Location")) == (200, None)
    assert "Join Microsoft Teams meeting" in ready.content.decode()
    assert "hx-get" not in ready.content.decode()


def test_the_waiting_page_is_shown_while_the_connection_must_be_reauthorized(video: Appointment, visitor: Browser):
    Connection.objects.update(status=ConnectionStatus.NEEDS_REAUTHORIZATION)

    assert "Your video call is being prepared." in visitor.get(link(video)).content.decode()


def staff_link(appointment: Appointment) -> str:
    return f"/join/{appointment.staff_join_token}"


def test_the_staff_members_link_redirects_to_the_same_meeting(video: Appointment, visitor: Browser):
    make_ready(video)

    response = visitor.get(staff_link(video))

    assert (response.status_code, response["Location"]) == (302, TEAMS_URL)


def test_each_waiting_page_polls_its_own_link(video: Appointment, visitor: Browser):
    pages = [visitor.get(address).content.decode() for address in (link(video), staff_link(video))]

    assert [re.findall(r'hx-get="(.*?)"', page) for page in pages] == [[link(video)], [staff_link(video)]]
    assert [video.staff_join_token in pages[0], video.join_token in pages[1]] == [False, False]


def test_the_staff_members_page_is_in_their_zone_and_leads_to_the_appointment(video: Appointment, visitor: Browser):
    StaffMember.objects.update(time_zone="Asia/Tokyo")

    client, staff = (visitor.get(address).content.decode() for address in (link(video), staff_link(video)))

    assert ["10:00–10:30" in client, "19:00–19:30" in staff] == [True, True]
    page = f'href="/schedule/appointments/{video.pk}/"'
    assert [page in client, page in staff] == [False, True]


def test_after_a_reassign_only_the_new_staff_members_link_works(
    maple_with_teams: Maple, video: Appointment, visitor: Browser, tess: StaffMember
):
    make_match(Connection.objects.get(), tess)
    former = staff_link(video)
    after = reassign_appointment(video, staff=tess, actor=maple_with_teams.sky, through=BookedThrough.SCHEDULE)
    make_ready(after)

    statuses = [visitor.get(address).status_code for address in (former, staff_link(after), link(video))]

    assert statuses == [404, 302, 302]


def test_a_cancelled_appointment_shows_that_it_is_cancelled(video: Appointment, visitor: Browser):
    make_ready(video)
    cancel_appointment(video, actor=None, through=BookedThrough.SCHEDULE)

    page = visitor.get(link(video))

    assert page.status_code == 200
    assert "This appointment is cancelled." in page.content.decode()
    assert TEAMS_URL not in page.content.decode()


def test_the_link_stays_when_the_appointment_moves(video: Appointment, visitor: Browser):
    make_ready(video)
    move_appointment(video, starts_at=monday(15), actor=None, through=BookedThrough.SCHEDULE)

    assert visitor.get(link(video))["Location"] == TEAMS_URL


def test_a_failed_link_shows_the_contact_and_not_the_reason(video: Appointment, visitor: Browser):
    Meeting.objects.update(error_kind="person", error=message("Grant Sam a licence."), due_at=None)

    content = visitor.get(link(video)).content.decode()

    assert "The video call could not be set up." in content
    assert "Please contact Maple Credit Union and ask for Sam Okafor" in content
    assert "Grant Sam a licence." not in content


def test_the_link_works_until_two_hours_after_the_end(video: Appointment, visitor: Browser):
    make_ready(video)

    with time_machine.travel(monday(12, 29), tick=False):
        late = visitor.get(link(video))
    with time_machine.travel(monday(12, 30), tick=False):
        over = visitor.get(link(video))

    assert late.status_code == 302
    assert "This appointment is over." in over.content.decode()


def test_the_join_link_redirects_to_a_chosen_personal_link(maple: Maple, visitor: Browser):
    maple.sam.video_choice = "personal"
    maple.sam.personal_meeting_url = "https://meet.example/sam"
    maple.sam.save()
    appointment = maple.book(method=MeetingMethod.VIDEO)

    assert visitor.get(link(appointment))["Location"] == "https://meet.example/sam"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//teams.example/", "http://[broken"])
def test_only_web_addresses_are_followed(video: Appointment, visitor: Browser, url: str):
    make_ready(video, url)

    page = visitor.get(link(video))

    assert page.status_code == 200
    assert url not in page.content.decode()


def test_an_appointment_without_video_shows_that_it_is_not_a_call(maple: Maple, visitor: Browser):
    appointment = maple.book(method=MeetingMethod.PHONE)

    assert "This appointment is not a video call." in visitor.get(link(appointment)).content.decode()


def test_the_manage_token_does_not_join(video: Appointment, visitor: Browser):
    page = visitor.get(f"/join/{video.manage_token}")

    assert page.status_code == 404
    assert "This link does not work" in page.content.decode()


def test_the_join_link_accepts_only_get(video: Appointment, visitor: Browser):
    assert visitor.post(link(video)).status_code == 405


def test_a_token_that_the_database_refuses_is_unknown(visitor: Browser, db: None):
    assert visitor.get("/join/no%00token").status_code == 404
