"""Receivers of Django's signals: a row for each sign-in, none after a sign-out."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from staff.models import StaffMember
from staff.sessions.current import end_session, start_session


@receiver(user_logged_in)
def _start_session(sender: Any, request: HttpRequest, user: StaffMember, **kwargs: Any) -> None:
    start_session(request, user)


@receiver(user_logged_out)
def _end_session(sender: Any, request: HttpRequest, **kwargs: Any) -> None:
    end_session(request)
