"""Answers that Django has no name for."""

from __future__ import annotations

from django.http import HttpResponseRedirect
from django.shortcuts import resolve_url


class SeeOther(HttpResponseRedirect):
    """303: the form is done, look there. A browser that goes back or reloads sends nothing again."""

    status_code = 303


def see_other(to: str, *args: object) -> SeeOther:
    """Go to the page of this URL name."""
    return SeeOther(resolve_url(to, *args))
