"""Tab Questions of a service."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from services.models import Question, QuestionKind, QuestionWording, Service
from services.questions import MOST_QUESTIONS, QuestionDraft, add_question, asked_questions, wordings_of
from staff.audit_log.models import AuditEvent
from staff.models import Organization, Role
from tests.cast import signed_in
from tests.factories import make_member, make_organization, make_service

BRANCH = QuestionDraft(QuestionKind.SHORT_TEXT, "Which branch do you use?")
CONSENT = QuestionDraft(QuestionKind.CONSENT, "I agree to a credit check.", required=True)


@pytest.fixture
def maple(db: None) -> Organization:
    return make_organization()


@pytest.fixture
def service(maple: Organization) -> Service:
    return make_service(maple)


@pytest.fixture
def as_ada(maple: Organization) -> Browser:
    return signed_in(make_member(maple, "Ada Quist", Role.ADMIN))


def add(service: Service, *drafts: QuestionDraft) -> list[Question]:
    return [add_question(service, draft) for draft in drafts]


def details(**changes: Any) -> dict[str, Any]:
    sent = {"kind": "short_text", "text": "Which branch?", "options": "", "required": "on", "active": "on"}
    return {name: value for name, value in (sent | changes).items() if value != ""}


def texts(service: Service) -> list[str]:
    return [wording.text for wording in wordings_of(service)]


def test_an_admin_adds_a_choice(service: Service, as_ada: Browser) -> None:
    sent = details(kind="choice", text="Which topic?", options="Rates\r\n\r\n Fees \r\n")

    response = as_ada.post(reverse("service-question-add", args=[service.pk]), sent)

    [wording] = asked_questions(service)
    assert response.headers["Location"] == reverse("service-questions", args=[service.pk])
    assert (wording.text, wording.options, wording.version) == ("Which topic?", ["Rates", "Fees"], 1)
    assert (wording.question.kind, wording.question.required) == (QuestionKind.CHOICE, True)


@pytest.mark.parametrize(
    ("sent", "field", "sentence"),
    [
        ({"text": ""}, "text", "Write the question."),
        ({"text": "x" * 301}, "text", "Ensure this value has at most 300 characters (it has 301)."),
        ({"kind": "choice", "options": "Rates"}, "options", "Write 2 to 20 answers, one per line."),
        ({"kind": "choice", "options": "Rates\nRates"}, "options", "Write each answer once."),
        ({"kind": "choice", "options": f"Rates\n{'x' * 101}"}, "options", "An answer has at most 100 characters."),
        ({"kind": "essay"}, "kind", "Select a valid choice. essay is not one of the available choices."),
    ],
)
def test_bad_input_is_kept_and_explained(
    service: Service, as_ada: Browser, sent: dict[str, str], field: str, sentence: str
) -> None:
    page = as_ada.post(reverse("service-question-add", args=[service.pk]), details(**sent))

    assert page.context["form"].errors[field] == [sentence]
    assert page.context["form"]["options"].value() == sent.get("options")
    assert not Question.objects.exists()


def test_another_text_of_a_consent_is_another_version(service: Service, as_ada: Browser) -> None:
    [consent] = add(service, CONSENT)

    as_ada.post(reverse("question-edit", args=[consent.pk]), details(text="I agree to two credit checks."))

    kept = QuestionWording.objects.order_by("version").values_list("version", "text")
    assert list(kept) == [(1, "I agree to a credit check."), (2, "I agree to two credit checks.")]
    assert texts(service) == ["I agree to two credit checks."]


def test_the_same_text_keeps_the_version(service: Service, as_ada: Browser) -> None:
    [consent] = add(service, CONSENT)

    as_ada.post(reverse("question-edit", args=[consent.pk]), details(text=CONSENT.text, required=""))

    consent.refresh_from_db()
    assert (consent.version, consent.required) == (1, False)


def test_the_kind_of_a_question_stays(service: Service, as_ada: Browser) -> None:
    [consent] = add(service, CONSENT)

    as_ada.post(reverse("question-edit", args=[consent.pk]), details(kind="short_text"))

    consent.refresh_from_db()
    assert consent.kind == QuestionKind.CONSENT


def test_a_question_that_is_not_active_is_not_asked(service: Service, as_ada: Browser) -> None:
    [branch] = add(service, BRANCH)

    as_ada.post(reverse("question-edit", args=[branch.pk]), details(active=""))

    assert asked_questions(service) == []
    assert "Inactive" in as_ada.get(reverse("service-questions", args=[service.pk])).content.decode()


def test_questions_move_up_and_down(service: Service, as_ada: Browser) -> None:
    first, _second, third = add(service, BRANCH, CONSENT, QuestionDraft(QuestionKind.LONG_TEXT, "Anything else?"))

    as_ada.post(reverse("question-move", args=[third.pk]), {"to": "up"})
    as_ada.post(reverse("question-move", args=[first.pk]), {"to": "down"})
    as_ada.post(reverse("question-move", args=[third.pk]), {"to": "up"})

    assert texts(service) == ["Anything else?", BRANCH.text, CONSENT.text]


def test_a_service_asks_a_limited_number_of_questions(service: Service, as_ada: Browser) -> None:
    add(service, *[BRANCH] * MOST_QUESTIONS)

    page = as_ada.post(reverse("service-question-add", args=[service.pk]), details())

    assert page.context["form"].non_field_errors() == [
        "A service asks at most 10 questions. Switch another one off first."
    ]
    assert Question.objects.count() == MOST_QUESTIONS


def test_questions_of_another_organisation_are_a_404(maple: Organization, as_ada: Browser) -> None:
    [foreign] = add(make_service(make_organization("Cedar Bank")), BRANCH)

    addresses = [reverse("question-edit", args=[foreign.pk]), reverse("question-move", args=[foreign.pk])]
    assert [as_ada.post(address, details()).status_code for address in addresses] == [404, 404]


def test_changes_are_in_the_audit_log(service: Service, as_ada: Browser) -> None:
    as_ada.post(reverse("service-question-add", args=[service.pk]), details())
    question = Question.objects.get()
    as_ada.post(reverse("question-edit", args=[question.pk]), details(text="Which city?", required=""))

    added, changed = AuditEvent.objects.filter(kind__startswith="question").order_by("pk")
    assert (added.organization_id, added.subject_name) == (service.organization_id, service.name)
    assert changed.params["changes"] == [
        {"field": "text", "before": "Which branch?", "after": "Which city?"},
        {"field": "required", "before": True, "after": False},
    ]
    assert "Question: Which branch? → Which city?" in as_ada.get(reverse("audit-log")).content.decode()
