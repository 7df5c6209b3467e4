"""URLs of the audit log, under /settings/."""

from django.urls import path

from staff.audit_log import views

urlpatterns = [
    path("audit-log/", views.audit_log, name="audit-log"),
    path("audit-log/file/", views.audit_log_file, name="audit-log-file"),
]
