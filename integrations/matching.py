"""Who of the staff is whom on the platform: everybody in a run, or single people when something changed."""

from __future__ import annotations

from integrations.rematch_runs import start_run

__all__ = ["start_run"]
