"""Questions of a service: asked when booking, and answers wherever staff and the client need them."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.test import Client as Browser
from django.urls import reverse

from appointments.answers import NewAnswer
from appointments.models import Answer, Appointment
from appointments.privacy.erasure import erase_client
from appointments.privacy.export import export_client
from services.models import Question, QuestionKind, QuestionWording
from services.questions import QuestionDraft, add_question, asked_questions, change_question
from tests.appointments.booking_payloads import PAGE, booking_data
from tests.appointments.conftest import Maple
from tests.appointments.mailbox import cancel, part, sent_to
from tests.appointments.views.test_client_view import BASE, send, text_of
from tests.outbox import send_all

pytestmark = pytest.mark.usefixtures("friday")

CONSENT_TEXT = "I agree to a credit check."


@pytest.fixture(autouse=True)
def _start(settings: Any) -> None:
    settings.BASE_URL = BASE
    cache.clear()


def ask(maple: Maple, kind: QuestionKind, text: str, **values: Any) -> QuestionWording:
    question = add_question(maple.review, QuestionDraft(kind, text, **values))
    return question.wordings.get()


@pytest.fixture
def branch(maple: Maple) -> QuestionWording:
    return ask(maple, QuestionKind.SHORT_TEXT, "Which branch do you use?", required=True)


@pytest.fixture
def consent(maple: Maple) -> QuestionWording:
    return ask(maple, QuestionKind.CONSENT, CONSENT_TEXT, required=True)


def answered(wording: QuestionWording, answer: str | None) -> dict[str, Any]:
    """Return the form data of a shown question; None leaves a box unticked."""
    name = f"question_{wording.question_id}"
    return {f"{name}_shown": wording.pk, **({} if answer is None else {name: answer})}


def stored() -> list[tuple[str, int, str, bool | None]]:
    rows = Answer.objects.values_list("wording__text", "wording__version", "text", "agreed")
    return [(text, version, answer, agreed) for text, version, answer, agreed in rows]


def errors_of(page: Any) -> dict[str, list[str]]:
    return dict(page.context["form"].questions.errors)


# --- Client View -----------------------------------------------------------------------------------
def test_a_client_answers_when_booking(maple: Maple, branch: QuestionWording, consent: QuestionWording) -> None:
    done = send(maple, **answered(branch, "Main Street"), **answered(consent, "on"))

    assert done.status_code == 303
    assert stored() == [
        ("Which branch do you use?", 1, "Main Street", None),
        (CONSENT_TEXT, 1, "", True),
    ]


def test_a_required_question_must_be_answered_and_what_was_typed_stays(
    maple: Maple, branch: QuestionWording, consent: QuestionWording
) -> None:
    page = send(maple, name="Dora Winter", **answered(branch, "Main Street"), **answered(consent, None))

    assert errors_of(page) == {f"question_{consent.question_id}": ["Tick this to book."]}
    assert 'value="Main Street"' in text_of(page)
    assert 'value="Dora Winter"' in text_of(page)
    assert not Appointment.objects.exists()


def test_answers_stay_after_an_error_in_the_details(maple: Maple, branch: QuestionWording) -> None:
    page = send(maple, email="", **answered(branch, "Main Street"))

    assert 'value="Main Street"' in text_of(page)


def test_an_optional_consent_that_was_not_ticked_is_kept_as_not_agreed(maple: Maple) -> None:
    news = ask(maple, QuestionKind.CONSENT, "Send me news.")

    send(maple, **answered(news, None))

    assert stored() == [("Send me news.", 1, "", False)]


def test_an_optional_question_may_stay_open(maple: Maple) -> None:
    topic = ask(maple, QuestionKind.CHOICE, "Which topic?", options=["Rates", "Fees"])

    assert send(maple, **answered(topic, "")).status_code == 303
    assert stored() == []


@pytest.mark.parametrize(
    ("kind", "answer", "sentence"),
    [
        (QuestionKind.CHOICE, "Loans", "Select a valid choice. Loans is not one of the available choices."),
        (QuestionKind.SHORT_TEXT, "x" * 201, "Ensure this value has at most 200 characters (it has 201)."),
        (QuestionKind.SHORT_TEXT, "a\tb", "Write this on one line, without tabs and other control characters."),
        (QuestionKind.LONG_TEXT, "x" * 2001, "Ensure this value has at most 2000 characters (it has 2001)."),
        (QuestionKind.LONG_TEXT, "a\0b", "Null characters are not allowed."),
    ],
)
def test_a_bad_answer_is_refused(maple: Maple, kind: QuestionKind, answer: str, sentence: str) -> None:
    wording = ask(maple, kind, "Which topic?", options=["Rates", "Fees"] if kind == QuestionKind.CHOICE else [])

    page = send(maple, **answered(wording, answer))

    assert errors_of(page) == {f"question_{wording.question_id}": [sentence]}
    assert not Appointment.objects.exists()


def test_a_consent_whose_text_changed_is_asked_again(maple: Maple, consent: QuestionWording) -> None:
    change_question(consent, QuestionDraft(QuestionKind.CONSENT, "I agree to two credit checks.", required=True))
    name = f"question_{consent.question_id}"

    page = send(maple, **answered(consent, "on"))
    [current] = asked_questions(maple.review)

    assert errors_of(page) == {name: ["This text has changed meanwhile. Please read it again."]}
    assert "I agree to two credit checks." in text_of(page)
    assert not page.context["form"].questions[name].value()
    assert send(maple, **answered(current, "on")).status_code == 303
    assert stored() == [("I agree to two credit checks.", 2, "", True)]


def test_answers_keep_the_wording_that_was_shown(maple: Maple, consent: QuestionWording) -> None:
    send(maple, **answered(consent, "on"))

    change_question(consent, QuestionDraft(QuestionKind.CONSENT, "I agree to two credit checks."))

    assert stored() == [(CONSENT_TEXT, 1, "", True)]


def test_questions_of_other_services_are_ignored(maple: Maple, branch: QuestionWording) -> None:
    Question.objects.update(active=False)

    send(maple, **answered(branch, "Main Street"), question_999999="x")

    assert (stored(), Appointment.objects.count()) == ([], 1)


def test_a_repeated_submit_answers_once(maple: Maple, branch: QuestionWording) -> None:
    booking = {"request_key": "a-key", "answers": [NewAnswer(branch, text="Main Street")]}

    assert maple.book_online(**booking) == maple.book_online(**booking)
    assert Answer.objects.count() == 1


def test_the_database_keeps_one_answer_per_question(maple: Maple, branch: QuestionWording) -> None:
    booked = maple.book(answers=[NewAnswer(branch, text="Main Street")])

    with pytest.raises(IntegrityError, match="one_answer_per_question"), transaction.atomic():
        booked.answers.create(question=branch.question, wording=branch, text="Another")


# --- staff -----------------------------------------------------------------------------------------
def test_staff_may_leave_required_questions_open(maple: Maple, as_sky: Browser, branch: QuestionWording) -> None:
    response = as_sky.post(PAGE, booking_data(maple, **answered(branch, "")))

    assert (response.status_code, stored()) == (303, [])


def test_staff_note_the_answers_in_the_contact_center(
    maple: Maple, as_sky: Browser, branch: QuestionWording, consent: QuestionWording
) -> None:
    as_sky.post(PAGE, booking_data(maple, **answered(branch, "Main Street"), **answered(consent, None)))

    # A box that staff left open isn't a refusal.
    assert stored() == [("Which branch do you use?", 1, "Main Street", None)]


@pytest.mark.parametrize("page", [PAGE, "/appointments/add/"])
def test_typed_answers_stay_while_staff_change_other_choices(
    page: str, maple: Maple, as_sky: Browser, branch: QuestionWording, consent: QuestionWording
) -> None:
    sent = booking_data(maple, **answered(branch, "Main Street"), **answered(consent, "on"), preview="choices")

    content = as_sky.post(PAGE if page == PAGE else reverse("appointment-add"), sent).content.decode()

    assert 'value="Main Street"' in content
    assert " checked" in content[content.index(f'name="question_{consent.question_id}"') :][:200]


def test_the_appointment_page_shows_the_answers(
    maple: Maple, as_sky: Browser, branch: QuestionWording, consent: QuestionWording
) -> None:
    booked = maple.book(answers=[NewAnswer(branch, text="<b>Main</b>"), NewAnswer(consent, agreed=False)])

    content = as_sky.get(reverse("appointment", args=[booked.pk])).content.decode()

    assert "Which branch do you use?" in content
    assert "&lt;b&gt;Main&lt;/b&gt;" in content
    assert "(version 1)" in content
    assert "Not agreed" in content


@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
def test_the_email_to_staff_has_the_answers_and_the_clients_has_not(
    kind: str, maple: Maple, branch: QuestionWording, consent: QuestionWording
) -> None:
    maple.book(answers=[NewAnswer(branch, text="Main Street"), NewAnswer(consent, agreed=True)])
    send_all()

    to_staff, to_client = (part(sent_to(address), kind) for address in ("sam@maple.example", "cleo@example.com"))
    for words in ("Which branch do you use?", "Main Street", CONSENT_TEXT, "Agreed"):
        assert (words in to_staff, words in to_client) == (True, False)


# --- data about the client -------------------------------------------------------------------------
def test_the_export_has_the_answers_with_their_wording(
    maple: Maple, branch: QuestionWording, consent: QuestionWording
) -> None:
    maple.book(answers=[NewAnswer(branch, text="Main Street"), NewAnswer(consent, agreed=True)])

    [appointment] = export_client(maple.cleo)["appointments"]

    assert appointment["answers"] == [
        {"question": "Which branch do you use?", "version": 1, "text": "Main Street"},
        {"question": CONSENT_TEXT, "version": 1, "agreed": True},
    ]


def test_erasing_the_client_erases_the_answers(maple: Maple, branch: QuestionWording) -> None:
    cancel(maple.book(answers=[NewAnswer(branch, text="Main Street")]))
    send_all()

    erase_client(maple.cleo, actor=maple.sky)

    assert stored() == []
