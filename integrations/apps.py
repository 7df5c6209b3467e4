from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = "Video integrations"

    def ready(self) -> None:
        from integrations.audit import CONNECTION_CHANGED
        from integrations.connections.lifecycle import REAUTHORIZATION_EMAIL
        from integrations.matching import receivers, rematch_runs  # noqa: F401 - connects the receivers
        from integrations.meetings import organizers, reconciliation, requests  # noqa: F401 - connects the receivers
        from integrations.models import Meeting
        from integrations.monitoring.capacity_report import CAPACITY_EMAIL
        from integrations.monitoring.drift_report import DRIFT_EMAIL
        from staff.audit_log.kinds import audit_kinds
        from staff.outbox import email_kinds, urgent_work

        for kind in (REAUTHORIZATION_EMAIL, DRIFT_EMAIL, CAPACITY_EMAIL):
            email_kinds.register(kind)
        audit_kinds.register(CONNECTION_CHANGED)
        urgent_work.register(lambda: Meeting.objects.unclaimed().exists())
