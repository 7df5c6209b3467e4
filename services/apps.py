from django.apps import AppConfig


class ServicesConfig(AppConfig):
    name = "services"
    verbose_name = "Services"

    def ready(self) -> None:
        from services.audit import SERVICE_KINDS
        from staff.audit_log.kinds import audit_kinds

        for kind in SERVICE_KINDS:
            audit_kinds.register(kind)
