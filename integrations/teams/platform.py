"""Microsoft Teams as a video platform."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from integrations.messages import Message
from integrations.models import Connection, UserMatch
from integrations.platforms.values import (
    Account,
    Attendee,
    Capacity,
    CapacityWindow,
    CheckStep,
    DirectoryChanges,
    MeetingSpec,
    PermissionResult,
    RemoteMeeting,
    Script,
)
from integrations.teams import meetings, self_test
from integrations.teams.access_policy.powershell import scripts_for_users
from integrations.teams.access_policy.probe import PROBE_SIZE, probe
from integrations.teams.account import refresh_account
from integrations.teams.addons import ACCESS_POLICY, TEAMS
from integrations.teams.entra import user_tokens
from integrations.teams.event_text import event_text
from integrations.teams.forms import LobbyForm
from integrations.teams.messages import TeamsMessage
from integrations.teams.models import Method
from integrations.teams.users import delta
from integrations.teams.users.lookup import TeamsDirectory, open_directory
from integrations.teams.users.remedies import capacity_remedy, remedy
from staff.addons import AddOn
from staff.models import Organization


class Teams:
    """Implementation of `integrations.platforms.base.VideoPlatform`.

    Under the Service Account method, the account organises every meeting. The staff member is co-organizer, to admit
    people from the lobby. Under an access policy, the staff member organises.
    """

    slug = "teams"
    label = "Microsoft Teams"
    messages = TeamsMessage
    urlconf = "integrations.teams.urls"
    addons: Sequence[AddOn] = (TEAMS, ACCESS_POLICY)
    user_name_label = "UPN"
    grant_script_name = "coconut-access-policy.ps1"
    # "Meeting information: 2000 meetings/user each month" (learn.microsoft.com/graph/throttling-limits).
    capacity: Capacity | None = Capacity(2000, CapacityWindow.MONTH)
    creates_by_key = True
    probe_size = PROBE_SIZE

    @property
    def host_permission_label(self) -> str:
        """Name of the permission to host as a person."""
        return _("access policy")

    def is_offered_to(self, organization: Organization) -> bool:
        return organization.has_addon(TEAMS.slug)

    def connect_url(self) -> str:
        # The policy page redirects to the next question if the organisation has only one method.
        return reverse("teams-policy")

    def reconnect_url(self, connection: Connection) -> str:
        return reverse("teams-again", args=[connection.pk])

    def reauthorize_url(self, connection: Connection) -> str:
        return reverse("teams-reauthorize", args=[connection.pk])

    def account(self, connection: Connection) -> Account:
        teams = connection.teams
        tenant_name = ((_("Microsoft tenant"), teams.tenant_name),) if teams.tenant_name else ()
        facts = (
            (_("Method"), str(Method(teams.method).label)),
            *tenant_name,
            (_("Microsoft Tenant ID"), str(teams.tenant_id)),
        )
        return Account(teams.account_name or teams.account_upn, teams.account_upn, facts)

    def refresh_account(self, connection: Connection) -> None:
        refresh_account(connection)

    def settings_form(self, connection: Connection, data: QueryDict | None = None) -> LobbyForm:
        return LobbyForm(connection.teams, data)

    def event_text(self, code: str, params: Mapping[str, Any]) -> str:
        return event_text(code, params)

    def forget_sign_in(self, connection: Connection) -> None:
        user_tokens.forget_tokens(connection)

    def remedy(self, connection: Connection, match: UserMatch) -> str:
        return remedy(connection, match)

    def organizer_id(self, connection: Connection, match: UserMatch) -> str:
        if self.needs_host_permission(connection):
            return match.remote_id
        return connection.teams.account_oid

    def attendees(self, connection: Connection, match: UserMatch) -> tuple[Attendee, ...]:
        if self.needs_host_permission(connection) or not match.remote_id:
            return ()
        return (Attendee(match.remote_id, match.remote_user_name),)

    def needs_host_permission(self, connection: Connection) -> bool:
        return connection.teams.method == Method.ACCESS_POLICY

    def hosts_as_staff(self, connection: Connection) -> bool:
        return self.needs_host_permission(connection)

    def grant_scripts(self, connection: Connection, remote_ids: Sequence[str]) -> Sequence[Script]:
        return scripts_for_users(remote_ids)

    def probe_host_permission(
        self, connection: Connection, remote_ids: Sequence[str]
    ) -> Mapping[str, PermissionResult]:
        return probe(connection, remote_ids)

    def open_directory(self, connection: Connection, expected: int) -> TeamsDirectory:
        return open_directory(connection, expected)

    def changes_since(self, connection: Connection, sync_token: str) -> DirectoryChanges | None:
        return delta.changes_since(connection, sync_token)

    def capacity_remedy(self, connection: Connection) -> str:
        return capacity_remedy(connection)

    def check(self, connection: Connection) -> Iterator[CheckStep]:
        return self_test.check(connection)

    def create_meeting(self, connection: Connection, spec: MeetingSpec, *, may_exist: bool = True) -> RemoteMeeting:
        # createOrGet knows our key, so that a repeated create is the same request.
        return meetings.create_meeting(connection, spec)

    def find_meeting(self, connection: Connection, spec: MeetingSpec) -> RemoteMeeting | None:
        return meetings.find_meeting(connection, spec)

    def update_meeting(self, connection: Connection, remote_id: str, spec: MeetingSpec) -> Message:
        return meetings.update_meeting(connection, remote_id, spec)

    def read_meeting(self, connection: Connection, organizer_id: str, remote_id: str) -> RemoteMeeting:
        return meetings.read_meeting(connection, organizer_id, remote_id)

    def delete_meeting(self, connection: Connection, organizer_id: str, remote_id: str) -> None:
        meetings.delete_meeting(connection, organizer_id, remote_id)
