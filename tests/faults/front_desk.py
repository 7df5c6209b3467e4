"""The front desk: a signed-in admin books, moves, reassigns and cancels through the web server."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from typing import Any

import requests

from demo.logins import PASSWORD
from services.models import MeetingMethod
from tests.stack import Stack


class Desk:
    """Signed-in admin of one organisation. Every appointment gets another day."""

    def __init__(self, stack: Stack, email: str, service: str) -> None:
        """Sign in. All appointments are for `service`."""
        self.stack = stack
        self._http = requests.Session()
        # Requests to this machine must not go through a proxy from the environment.
        self._http.trust_env = False
        self._organization = self._id("staff_staffmember", "email", email, "organization_id")
        self._service = self._id("services_service", "name", service)
        self._client = self._id("appointments_client", "organization_id", self._organization)
        # Weeks ahead, at an hour that no change of daylight saving time skips.
        self._day = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=21)
        self._http.get(f"{stack.url}/sign-in/", timeout=30)
        self._post("/sign-in/", username=email, password=PASSWORD)

    def book(self, staff: str = "") -> int:
        """Book a video appointment with `staff` (an email address), and return its id."""
        answer = self._post(
            "/schedule/appointments/add/",
            request_key=secrets.token_hex(8),
            client=self._client,
            service=self._service,
            method=MeetingMethod.VIDEO.value,
            staff=self._id("staff_staffmember", "email", staff),
            **self._new_time(),
        )
        found = re.search(r"/schedule/appointments/(\d+)/$", answer.headers["Location"])
        assert found is not None, answer.headers["Location"]
        return int(found[1])

    def move(self, appointment: int) -> None:
        """Move it to another day."""
        self._change(appointment, "move", **self._new_time())

    def reassign(self, appointment: int, staff: str) -> None:
        """Reassign it to another staff member."""
        self._change(appointment, "reassign", staff=self._id("staff_staffmember", "email", staff))

    def cancel(self, appointment: int) -> None:
        """Cancel it."""
        self._change(appointment, "cancel")

    def disconnect(self) -> None:
        """End the organisation's connection."""
        self._post(f"/settings/video-calls/{self.connection}/disconnect/")

    @property
    def connection(self) -> int:
        """The id of the organisation's connection."""
        return int(self._id("integrations_connection", "organization_id", self._organization))

    def meeting(self, appointment: int) -> str:
        """The id of the appointment's meeting."""
        return str(self._id("appointments_appointment", "id", appointment, "meeting_id"))

    def _change(self, appointment: int, how: str, **fields: Any) -> None:
        self._post(f"/schedule/appointments/{appointment}/{how}/", **fields)

    def _new_time(self) -> dict[str, str]:
        self._day += dt.timedelta(days=1)
        return {"date": self._day.isoformat(), "time": "10:00", "outside_hours": "on"}

    def _post(self, path: str, **fields: Any) -> requests.Response:
        """Send a form. Fail unless the answer is a redirect, as all accepted forms redirect."""
        form = {**fields, "csrfmiddlewaretoken": self._http.cookies["coconut_csrf"]}
        answer = self._http.post(self.stack.url + path, data=form, allow_redirects=False, timeout=30)
        self.last_request_id = answer.headers["X-Request-ID"]
        assert answer.status_code in (302, 303), f"{path} answered {answer.status_code}:\n{answer.text}"
        return answer

    def _id(self, table: str, column: str, value: Any, selected: str = "id") -> Any:
        rows = self.stack.sql(f"SELECT {selected} FROM {table} WHERE {column} = %s ORDER BY id LIMIT 1", value)
        assert rows, f"No row of {table} has {column} {value}."
        return rows[0][0]
