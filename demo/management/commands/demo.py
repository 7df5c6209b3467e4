"""`manage.py demo`: run the whole installation in the foreground."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from demo.run import main


class Command(BaseCommand):
    help = "Run web, worker, beat and the simulated Microsoft until Ctrl-C; PORT and SIMULATOR_PORT say where."
    # The programs that it starts check the settings, with the demo's environment.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(main())
