"""Answers that several pages give, and that Django has no name for."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.translation import ngettext


class SeeOther(HttpResponseRedirect):
    """303: the form is done, look there. A browser that goes back or reloads sends nothing again."""

    status_code = 303


def see_other(to: str, *args: object) -> SeeOther:
    """Go to the page of this URL name."""
    return SeeOther(resolve_url(to, *args))


def say_how_to_go_on(request: HttpRequest, left: int) -> None:
    """Where more was selected than one click works on."""
    if not left:
        return
    words = ngettext(
        "%d more is selected: choose the button again to go on.",
        "%d more are selected: choose the button again to go on.",
        left,
    )
    messages.info(request, words % left)
