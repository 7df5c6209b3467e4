"""Answers of clients to the questions of a service."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from appointments.models import Answer, Appointment
from services.models import QuestionWording


@dataclass(frozen=True)
class NewAnswer:
    """An answer to a question as it was worded. `agreed` is for a consent, and `text` for any other kind."""

    wording: QuestionWording
    text: str = ""
    agreed: bool | None = None


def save_answers(appointment: Appointment, answers: Iterable[NewAnswer]) -> None:
    """Save the answers of a new appointment."""
    Answer.objects.bulk_create(
        Answer(
            appointment=appointment,
            question_id=answer.wording.question_id,
            wording=answer.wording,
            text=answer.text,
            agreed=answer.agreed,
        )
        for answer in answers
    )


def answers_of(appointment: Appointment) -> QuerySet[Answer]:
    """Return the appointment's answers with their wordings, in the order of the questions."""
    return appointment.answers.select_related("wording")


def answer_text(answer: Answer) -> str:
    """Return the answer for people."""
    if answer.agreed is None:
        return answer.text
    return _("Agreed") if answer.agreed else _("Not agreed")
