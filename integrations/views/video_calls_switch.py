"""The switches of the dashboard: for one person, for many, and Undo."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from integrations.dashboard.counts import tiles_of
from integrations.dashboard.rows import rows_of
from integrations.dashboard.search import TableFilter, narrowed
from integrations.hooks import notices_of
from integrations.hosting.video_calls_switch import (
    SwitchChange,
    recent_switch_changes,
    set_video_calls,
    undo_video_calls,
)
from integrations.models import Connection
from integrations.platforms.registry import platform_of
from integrations.views.access import connection_or_404, while_connected
from integrations.views.dashboard import back_to_dashboard, is_by_script
from staff.access import admin_only, current_member
from staff.models import StaffMember


@admin_only
@require_POST
@while_connected
def toggle(request: HttpRequest, pk: int, staff_pk: int) -> HttpResponse:
    """Turn Video Calls on or off for one person; takes effect at once."""
    connection = connection_or_404(request, pk)
    person = get_object_or_404(StaffMember, pk=staff_pk, organization=connection.organization_id)
    only = StaffMember.objects.filter(pk=person.pk)
    set_video_calls(connection, only, on=request.POST.get("on") == "true", actor=current_member(request))
    if not is_by_script(request):
        return back_to_dashboard(connection, request.POST.get("back", ""))
    context = {
        "connection": connection,
        "row": rows_of(connection, [person])[0],
        "tiles": tiles_of(connection),
        "notices": notices_of(connection.organization),
        "query": request.POST.get("back", ""),
        "platform": platform_of(connection),
    }
    return render(request, "integrations/_toggled.html", context)


@admin_only
@require_POST
@while_connected
def turn_many(request: HttpRequest, pk: int) -> HttpResponse:
    """Turn Video Calls on or off for the ticked people, or for everybody that search and filter leave."""
    connection = connection_or_404(request, pk)
    if not {"everybody", "staff"} & request.POST.keys():
        messages.info(
            request, _("Nobody is selected. Tick the users, or the box above them for all of them.")
        )
        return back_to_dashboard(connection, request.POST.get("back", ""))
    on = request.POST.get("on") == "true"
    turned = set_video_calls(
        connection, _chosen(connection, request.POST), on=on, actor=current_member(request)
    )
    _tell(request, connection, turned, _turned_sentence(turned))
    return back_to_dashboard(connection, request.POST.get("back", ""))


@admin_only
@require_POST
@while_connected
def undo(request: HttpRequest, pk: int, event_pk: int) -> HttpResponse:
    """Put back whom a click turned, and who was not turned since."""
    connection = connection_or_404(request, pk)
    event = get_object_or_404(recent_switch_changes(connection), pk=event_pk)
    turned = undo_video_calls(event, current_member(request))
    _tell(request, connection, turned, _undone_sentence(turned))
    return back_to_dashboard(connection, request.POST.get("back", ""))


def _chosen(connection: Connection, form: QueryDict) -> QuerySet[StaffMember]:
    chosen = narrowed(connection, TableFilter(QueryDict(form.get("back", "")))).far
    if form.get("everybody") == "true":
        return chosen
    # No id has more digits; what has is nobody's.
    ticked = [int(value) for value in form.getlist("staff") if value.isdecimal() and len(value) < 19]
    return chosen.filter(pk__in=ticked)


def _tell(request: HttpRequest, connection: Connection, turned: SwitchChange, sentence: str) -> None:
    """Say what happened, with the button that takes it back."""
    context = {
        "connection": connection,
        "event": turned.event,
        "sentence": sentence,
        "back": request.POST.get("back", ""),
    }
    say = messages.success if turned.people else messages.info
    say(request, render_to_string("integrations/_turned.html", context, request))


def _turned_sentence(turned: SwitchChange) -> str:
    if not turned.people:
        return (
            _("Nothing has changed: Video Calls was on already.")
            if turned.on
            else _("Nothing has changed: Video Calls was off already.")
        )
    words = (
        ngettext(
            "Video Calls is on for %(count)d more person.",
            "Video Calls is on for %(count)d more people.",
            turned.people,
        )
        if turned.on
        else ngettext(
            "Video Calls is off for %(count)d more person.",
            "Video Calls is off for %(count)d more people.",
            turned.people,
        )
    )
    return words % {"count": turned.people}


def _undone_sentence(turned: SwitchChange) -> str:
    if not turned.people:
        return _("There is nothing left to undo.")
    words = (
        ngettext(
            "Undone. Video Calls is on again for %(count)d person.",
            "Undone. Video Calls is on again for %(count)d people.",
            turned.people,
        )
        if turned.on
        else ngettext(
            "Undone. Video Calls is off again for %(count)d person.",
            "Undone. Video Calls is off again for %(count)d people.",
            turned.people,
        )
    )
    return words % {"count": turned.people}
