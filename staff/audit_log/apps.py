from django.apps import AppConfig


class AuditLogConfig(AppConfig):
    name = "staff.audit_log"
    verbose_name = "Audit log"

    def ready(self) -> None:
        from staff.audit_log import receivers  # noqa: F401 - connects the receivers
        from staff.audit_log.kinds import STAFF_KINDS, audit_kinds

        for kind in STAFF_KINDS:
            audit_kinds.register(kind)
