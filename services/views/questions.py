"""Tab Questions of a service: list, add, edit and order its questions to clients."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from services.catalog import service_or_404
from services.question_forms import QuestionForm
from services.questions import (
    TooManyQuestions,
    add_question,
    change_question,
    move_question,
    wording_or_404,
    wordings_of,
)
from staff.access import admin_only, current_organization


@require_GET
@admin_only
def question_list(request: HttpRequest, pk: int) -> HttpResponse:
    service = service_or_404(current_organization(request), pk)
    context = {"service": service, "name": service.name, "wordings": list(wordings_of(service))}
    return render(request, "services/questions.html", context)


@require_http_methods(["GET", "POST"])
@admin_only
def question_add(request: HttpRequest, pk: int) -> HttpResponse:
    service = service_or_404(current_organization(request), pk)
    form = QuestionForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            add_question(service, form.draft)
        except TooManyQuestions:
            form.add_limit_error()
        else:
            messages.success(request, _("Saved."))
            return redirect("service-questions", service.pk)
    return render(request, "services/question.html", {"service": service, "name": service.name, "form": form})


@require_http_methods(["GET", "POST"])
@admin_only
def question_edit(request: HttpRequest, pk: int) -> HttpResponse:
    wording = wording_or_404(current_organization(request), pk)
    service = wording.question.service
    form = QuestionForm(request.POST if request.method == "POST" else None, wording=wording)
    if form.is_valid():
        try:
            change_question(wording, form.draft)
        except TooManyQuestions:
            form.add_limit_error()
        else:
            messages.success(request, _("Saved."))
            return redirect("service-questions", service.pk)
    context = {"service": service, "name": service.name, "form": form, "wording": wording}
    return render(request, "services/question.html", context)


@require_POST
@admin_only
def question_move(request: HttpRequest, pk: int) -> HttpResponse:
    """Move a question one place up or down."""
    question = wording_or_404(current_organization(request), pk).question
    move_question(question, -1 if request.POST.get("to") == "up" else 1)
    return redirect("service-questions", question.service_id)
