"""URLs under /services/."""

from django.urls import path

from services.views import assignments, catalog, questions

urlpatterns = [
    path("", catalog.service_list, name="service-list"),
    path("add/", catalog.add_service, name="service-add"),
    path("<int:pk>/", catalog.edit_service, name="service-edit"),
    path("<int:pk>/more/", catalog.more, name="service-more"),
    path("<int:pk>/questions/", questions.question_list, name="service-questions"),
    path("<int:pk>/questions/add/", questions.question_add, name="service-question-add"),
    path("questions/<int:pk>/", questions.question_edit, name="question-edit"),
    path("questions/<int:pk>/move/", questions.question_move, name="question-move"),
    path("<int:pk>/staff/", assignments.providers, name="service-staff"),
]
