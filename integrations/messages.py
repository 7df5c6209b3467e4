"""Sentences for people, stored as code and parameters and rendered in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django.db import models
from django.utils import translation
from django.utils.translation import gettext_lazy as _


class MessageCode(models.TextChoices):
    """Base of the enums of messages. The label is the template, with `%(name)s` for each parameter.

    Codes are stored, so they never change. A platform's codes start with its slug.
    """


class NeutralMessage(MessageCode):
    """Messages that don't depend on the platform."""

    UNKNOWN = "unknown", _("The reason cannot be shown.")
    # Reasons why a meeting waits or has failed.
    REAUTHORIZATION_NEEDED = (
        "meeting.reauthorization_needed",
        _(
            "The connection to the video platform must be reauthorized by an admin (Settings, Video Calls). "
            "Coconut continues automatically afterwards."
        ),
    )
    NO_ANSWER = (
        "meeting.no_answer",
        _("The video platform gives no answers at the moment. Coconut tries again automatically."),
    )
    PAUSED = (
        "meeting.paused",
        _("The video platform asked Coconut to wait. Coconut continues automatically."),
    )
    ENDED = (
        "meeting.ended",
        _("The appointment ended before the video platform could be told of it."),
    )
    DISCONNECTED_WITHOUT_LINK = (
        "meeting.disconnected_without_link",
        _(
            "The video platform was disconnected before the link was made. Connect it again and choose "
            "“Try again”, or give the appointment another meeting method."
        ),
    )
    DISCONNECTED_WITH_LINK = (
        "meeting.disconnected_with_link",
        _("The video platform was disconnected: the link still works, but the platform shows the old time."),
    )
    NO_USABLE_ANSWER = (
        "meeting.no_usable_answer",
        _(
            "The video platform answered %(times)s times in a row with something that Coconut can't use. Choose “Try "
            "again” later, or give the request id to your Customer Success Team."
        ),
    )
    CRASHED = ("meeting.crashed", _("Coconut ran into an internal error. It tries again automatically."))
    CRASHED_WITHOUT_LINK = (
        "meeting.crashed_without_link",
        _("Coconut couldn't create this link. Try again, or contact support with the code %(key)s."),
    )
    CRASHED_WITH_LINK = (
        "meeting.crashed_with_link",
        _(
            "Coconut couldn't update this meeting. The link still works. Try again, or contact support with the code "
            "%(key)s."
        ),
    )
    CRASHED_BEFORE_DELETION = (
        "meeting.crashed_before_deletion",
        _("Coconut couldn't delete this meeting. Try again, or contact support with the code %(key)s."),
    )
    # Warnings on a meeting.
    NOT_DELETED = (
        "meeting.not_deleted",
        _("The meeting could not be deleted; the video platform still has it."),
    )
    DELETION_UNCERTAIN = (
        "meeting.deletion_uncertain",
        _("The platform was disconnected before it was certain that the meeting was deleted: it may still have it."),
    )
    DISCONNECTED_BEFORE_DELETION = (
        "meeting.disconnected_before_deletion",
        _("The platform was disconnected before the meeting was deleted: it still has it."),
    )
    # Findings: "finding." and the value of `FindingKind`.
    RECREATED = (
        "finding.recreated",
        _("The meeting no longer existed in %(platform)s: it was made again, with a new link."),
    )
    RESTORED = (
        "finding.restored",
        _("Someone had changed the meeting in %(platform)s (%(differences)s): it was put back."),
    )
    UNOWNED = "finding.unowned", _("No appointment has this meeting any more: it is cancelled.")
    ORPHANED = (
        "finding.orphaned",
        _("%(platform)s still had this cancelled meeting: it is being deleted."),
    )
    CANCELLED = (
        "finding.cancelled",
        _("Its meeting had not been cancelled with the appointment: it is now."),
    )
    MOVED = (
        "finding.moved",
        _("Its meeting was at another time than the appointment: it is moved."),
    )
    # Properties of a meeting that differed.
    SUBJECT = "difference.subject", _("subject")
    START = "difference.start", _("start")
    END = "difference.end", _("end")
    ATTENDEES = "difference.attendees", _("attendees")
    # Reasons why a rematch waits or has failed.
    RUN_DISCONNECTED = "run.disconnected", _("%(name)s was disconnected meanwhile.")
    RUN_NOT_CONNECTED = (
        "run.not_connected",
        _("%(name)s is not connected. Everybody is rematched after Reauthorize."),
    )
    RUN_WITHOUT_USABLE_ANSWER = (
        "run.no_usable_answer",
        _(
            "The video platform answered %(times)s times in a row with something that Coconut can't use. Rematch "
            "again later, or contact your Customer Success Team."
        ),
    )
    PREVIEW_NOT_CONNECTED = (
        "run.preview_not_connected",
        _("%(name)s is not connected. Use Reauthorize first."),
    )
    PREVIEW_SUPERSEDED = (
        "run.preview_superseded",
        _("The preview was ended, because something else was started."),
    )


_codes: Final[dict[str, MessageCode]] = {}


def register_messages(codes: type[MessageCode]) -> None:
    """Make the messages known. Needed once for each enum."""
    _codes.update({code.value: code for code in codes})


register_messages(NeutralMessage)


@dataclass(frozen=True)
class Message:
    """A sentence for people. It is false if empty, and `str()` renders it in the current language.

    `params` are JSON values: strings, numbers, other messages `as_json`, or lists of these.
    """

    code: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Message:
        """Return the message of `as_json`."""
        return cls(stored.get("code", ""), stored.get("params", {}))

    def as_json(self) -> dict[str, Any]:
        """Return `{"code", "params"}`, or an empty object for the empty message."""
        return {"code": str(self.code), "params": dict(self.params)} if self else {}

    def __bool__(self) -> bool:
        return bool(self.code)

    def __str__(self) -> str:
        if not self:
            return ""
        code = _codes.get(self.code, NeutralMessage.UNKNOWN)
        try:
            return str(code.label) % {name: _param_text(value) for name, value in self.params.items()}
        except (KeyError, ValueError):
            # A row of another version lacks a parameter. Its page must still open.
            return str(NeutralMessage.UNKNOWN.label)

    def in_english(self) -> str:
        """Return the sentence for logs, which operators search."""
        with translation.override("en"):
            return str(self)


def _param_text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_param_text, value))
    return str(Message.from_json(value)) if isinstance(value, dict) else str(value)


if TYPE_CHECKING:
    _JSONField = models.JSONField[Message, Message]
else:
    _JSONField = models.JSONField


class MessageField(_JSONField):
    """A message as JSON, `{}` if empty."""

    empty_values = (Message(),)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"default": Message, "blank": True, **kwargs})

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Message:
        # None: the row of an outer join is missing.
        return Message.from_json(super().from_db_value(value, expression, connection) or {})

    def get_prep_value(self, value: Any) -> Any:
        return value.as_json() if isinstance(value, Message) else super().get_prep_value(value)
