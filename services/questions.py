"""Questions that a service asks its clients, and the versions of their wording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db import transaction
from django.db.models import F, Max, QuerySet
from django.shortcuts import get_object_or_404

from services.audit import record_new_question, record_question_changes
from services.models import Question, QuestionKind, QuestionWording, Service
from staff.models import Organization

MOST_QUESTIONS: Final = 10


class TooManyQuestions(Exception):
    """The service has MOST_QUESTIONS active questions already."""


@dataclass(frozen=True)
class QuestionDraft:
    """A question as an admin filled it in. `options` are the answers of a choice."""

    kind: QuestionKind
    text: str
    options: Sequence[str] = field(default=())
    required: bool = False
    active: bool = True


def wordings_of(service: Service) -> QuerySet[QuestionWording]:
    """Return the current wordings of the service's questions, in their order, each with its question."""
    current = QuestionWording.objects.filter(question__service=service, version=F("question__version"))
    return current.select_related("question").order_by("question__position", "question__pk")


def asked_questions(service: Service) -> list[QuestionWording]:
    """Return the current wordings of the questions that clients are asked now. Takes one query."""
    return list(wordings_of(service).filter(question__active=True))


def wording_or_404(organization: Organization, pk: int) -> QuestionWording:
    """Return the current wording of a question of the organisation. Raises Http404 for any other id."""
    questions = QuestionWording.objects.filter(question__service__organization=organization)
    return get_object_or_404(
        questions.select_related("question__service__organization"), question=pk, version=F("question__version")
    )


def add_question(service: Service, draft: QuestionDraft) -> Question:
    """Add a question after the others. Raises TooManyQuestions."""
    with transaction.atomic():
        Service.objects.lock(service.pk)
        _check_room(service)
        last = service.questions.aggregate(last=Max("position"))["last"]
        question = Question.objects.create(
            service=service,
            kind=draft.kind,
            required=draft.required,
            active=draft.active,
            position=0 if last is None else last + 1,
        )
        _add_wording(question, draft)
        record_new_question(question, draft.text)
        return question


def change_question(wording: QuestionWording, draft: QuestionDraft) -> None:
    """Change the question of a wording; its kind stays. Another text makes a new version.

    Raises TooManyQuestions if it becomes active beside MOST_QUESTIONS others.
    """
    with transaction.atomic():
        Service.objects.lock(wording.question.service_id)
        question = Question.objects.select_related("service").get(pk=wording.question_id)
        before = question.wordings.get(version=question.version)
        if draft.active and not question.active:
            _check_room(question.service)
        record_question_changes(question, before, draft.text, list(draft.options), draft.required, draft.active)
        question.required, question.active = draft.required, draft.active
        if (before.text, before.options) != (draft.text, list(draft.options)):
            question.version += 1
            _add_wording(question, draft)
        question.save(update_fields=["required", "active", "version"])


def move_question(question: Question, steps: int) -> None:
    """Move the question up (negative) or down by some places in its service's order."""
    with transaction.atomic():
        Service.objects.lock(question.service_id)
        order = list(Question.objects.filter(service=question.service_id))
        place = order.index(question)
        order.insert(max(0, place + steps), order.pop(place))
        for position, each in enumerate(order):
            each.position = position
        Question.objects.bulk_update(order, ["position"])


def _check_room(service: Service) -> None:
    if service.questions.filter(active=True).count() >= MOST_QUESTIONS:
        raise TooManyQuestions


def _add_wording(question: Question, draft: QuestionDraft) -> None:
    QuestionWording.objects.create(
        question=question, version=question.version, text=draft.text, options=list(draft.options)
    )
