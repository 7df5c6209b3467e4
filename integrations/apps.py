from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = "Video integrations"

    def ready(self) -> None:
        from integrations.connections.lifecycle import REAUTHORIZATION_EMAIL
        from integrations.matching import receivers, rematch_runs  # noqa: F401 - connects the receivers
        from integrations.matching.alias import SIGN_IN_ADDRESS_EMAIL
        from integrations.meetings import reconciliation, requests  # noqa: F401 - connects the receivers
        from integrations.models import Meeting
        from integrations.monitoring.capacity_report import CAPACITY_EMAIL
        from integrations.monitoring.drift_report import DRIFT_EMAIL
        from staff.outbox import email_kinds, urgent_work

        for kind in (REAUTHORIZATION_EMAIL, SIGN_IN_ADDRESS_EMAIL, DRIFT_EMAIL, CAPACITY_EMAIL):
            email_kinds.register(kind)
        urgent_work.register(lambda: Meeting.objects.unclaimed().exists())
