"""The names by which an organisation tells its connections apart."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from integrations.events import record_event
from integrations.models import Connection, EventKind
from staff.models import Organization, StaffMember


class NameTaken(Exception):
    """Another connection of the organisation, perhaps a disconnected one, has this name; `str()` is for people."""

    def __init__(self) -> None:
        super().__init__(_("Another integration has this name. Choose one that tells them apart."))


@transaction.atomic
def rename_connection(connection: Connection, name: str, actor: StaffMember | None) -> None:
    """Give the connection another name, and note it. Raises NameTaken."""
    Organization.objects.lock(connection.organization_id)
    # Compared as the constraint does: upper case would let names through that it refuses.
    of_organization = Connection.objects.filter(organization=connection.organization_id)
    if (
        of_organization.exclude(pk=connection.pk)
        .alias(low=Lower("name"))
        .filter(low=Lower(Value(name)))
        .exists()
    ):
        raise NameTaken
    renamed = of_organization.get(pk=connection.pk)
    if renamed.name == name:
        return
    of_organization.filter(pk=connection.pk).update(name=name)
    record_event(renamed, EventKind.RENAMED, actor, old=renamed.name, new=name)
