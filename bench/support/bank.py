"""A bank with years of appointments, inserted with SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from staff.models import Organization

STAFF = 200
CLIENTS = 1000
IN_WINDOW = 100
WINDOW_DAYS = 30

_PEOPLE = """
INSERT INTO staff_staffmember (organization_id, location_id, email, username, first_name, last_name, role, password,
    is_active, is_staff, is_superuser, date_joined, video_choice, personal_meeting_url, personal_meeting_note)
SELECT %(organization)s, (%(locations)s)[1 + n %% cardinality(%(locations)s)], 'person' || n || '@harbour.example',
    'hb' || n, 'Person', n::text, 'staff', '!', true, false, false, now(), 'default', '', ''
  FROM generate_series(1, %(staff)s) AS n
RETURNING id
"""
_HOURS = """
INSERT INTO staff_workinghours (staff_id, weekday, start, "end")
SELECT id, weekday, '09:00', '17:00' FROM staff_staffmember, generate_series(0, 4) AS weekday
 WHERE organization_id = %(organization)s AND role = 'staff'
"""
_OPEN = """
INSERT INTO staff_locationhours (location_id, weekday, start, "end")
SELECT location, weekday, '08:00', '18:00' FROM unnest(%(locations)s) AS location, generate_series(0, 4) AS weekday
"""
_ASSIGNMENTS = """
INSERT INTO services_serviceassignment (service_id, staff_id) SELECT %s, unnest(%s)
"""
_CLIENTS = """
INSERT INTO appointments_client (organization_id, name, email, phone, language, created_at)
SELECT %(organization)s, 'Client ' || n, 'client' || n || '@example.com', '+1 555 ' || n, '', now()
  FROM generate_series(1, %(clients)s) AS n
RETURNING id
"""
# Half hours from 9 to 17 on weekdays, `each` of them, in another order for each staff member.
_APPOINTMENTS = """
INSERT INTO appointments_appointment (organization_id, service_id, staff_id, client_id, location_id, starts_at, ends_at,
    busy_from, busy_to, method, status, personal_meeting_url, booked_through, public_id, manage_token, join_token,
    staff_join_token, client_note, internal_note, created_at)
SELECT %(organization)s, %(service)s, person, %(clients)s + (person * 31 + n) %% 1000,
    (SELECT location_id FROM staff_staffmember WHERE id = person), start,
    start + interval '30 minutes', start, start + interval '30 minutes', 1,
    CASE WHEN start < now() THEN 'served' ELSE 'confirmed' END, '', 'schedule',
    gen_random_uuid(), 'm' || person || '-' || extract(epoch FROM start),
    'j' || person || '-' || extract(epoch FROM start), 's' || person || '-' || extract(epoch FROM start), '', '', now()
  FROM unnest(%(people)s) AS person, LATERAL (
        SELECT start, row_number() OVER (ORDER BY hashtext(person || ' ' || start)) AS n
          FROM generate_series(%(first)s::date, %(last)s::date, '1 day') AS day,
               generate_series(day + interval '9 hours', day + interval '16.5 hours', '30 minutes') AS start
         WHERE extract(isodow FROM day) < 6
       ) AS times
 WHERE n <= %(each)s
"""


# The other half hours of the window, without one in a hundred.
_OTHER_APPOINTMENTS = _APPOINTMENTS.replace(
    "n <= %(each)s", "n > %(each)s AND hashtext(start || ' ' || person) %% 100 <> 0"
)


@dataclass(frozen=True)
class Bank:
    """Ids for requests. `first_day` begins the window in which each staff member has 100 appointments."""

    organization: int
    locations: list[int]
    service: int
    #: Provided by 50 staff members.
    service_of_50: int
    #: Provided by three staff members.
    service_of_3: int
    #: Longer services of the first staff member.
    longer: list[int]
    first_client: int
    people: list[int]
    first_day: date

    @property
    def last_day(self) -> date:
        return self.first_day + timedelta(days=WINDOW_DAYS - 1)

    def _names(self) -> dict[str, Any]:
        return {
            "organization": self.organization,
            "service": self.service,
            "clients": self.first_client,
            "people": self.people,
        }

    def fill_window(self, cursor: Any) -> None:
        """Add 100 appointments for each staff member in the window."""
        cursor.execute(
            _APPOINTMENTS,
            {**self._names(), "first": self.first_day, "last": self.last_day, "each": IN_WINDOW},
        )

    def book_nearly_everything(self, cursor: Any) -> None:
        """Fill the window, but for one half hour in a hundred."""
        names = {**self._names(), "first": self.first_day, "last": self.last_day, "each": IN_WINDOW}
        cursor.execute(_OTHER_APPOINTMENTS, names)

    def add_history(self, cursor: Any, appointments: int, *, before: date) -> date:
        """Add past appointments up to the day before `before`; return the first day."""
        each = appointments // len(self.people)
        first = before - timedelta(days=each // 16 * 7 // 5 + 14)
        last = before - timedelta(days=1)
        cursor.execute(_APPOINTMENTS, {**self._names(), "first": first, "last": last, "each": each})
        return first


def create_bank(cursor: Any, today: date, *, staff: int = STAFF, branches: int = 1) -> Bank:
    """Create Harbour Bank: staff who work from 9 to 17 at its branches, 1,000 clients, services of half an hour."""
    from staff.models import Role
    from tests.factories import make_location, make_member, make_organization

    harbour = make_organization("Harbour Bank")
    locations = [make_location(harbour, f"Branch {number + 1}").pk for number in range(branches)]
    make_member(harbour, "Sky Larsen", Role.SCHEDULER)
    names = {"organization": harbour.pk, "locations": locations, "staff": staff, "clients": CLIENTS}
    cursor.execute(_PEOPLE, names)
    people = sorted(pk for (pk,) in cursor.fetchall())
    cursor.execute(_HOURS, names)
    cursor.execute(_OPEN, names)
    cursor.execute(_CLIENTS, names)
    first_client = min(pk for (pk,) in cursor.fetchall())
    return Bank(
        organization=harbour.pk,
        locations=locations,
        service=_service(cursor, harbour, "Advice", people),
        service_of_50=_service(cursor, harbour, "Advice of fifty", people[:50]),
        service_of_3=_service(cursor, harbour, "Advice of three", people[:3]),
        longer=[_service(cursor, harbour, f"Advice of {minutes} minutes", people[:1], minutes) for minutes in (45, 60)],
        first_client=first_client,
        people=people,
        first_day=today + timedelta(days=1),
    )


def _service(cursor: Any, harbour: Organization, name: str, people: list[int], duration: int = 30) -> int:
    from services.models import MeetingMethod
    from tests.factories import make_service

    service = make_service(harbour, name, (MeetingMethod.AT_LOCATION, MeetingMethod.PHONE), duration=duration)
    cursor.execute(_ASSIGNMENTS, [service.pk, people])
    return service.pk
