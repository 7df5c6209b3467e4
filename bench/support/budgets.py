"""Budgets of a benchmark."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import NoReturn


@dataclass
class Budgets:
    """Missed budgets of one run."""

    missed: list[str] = field(default_factory=list)

    def judge(self, name: str, found: float, *, at_most: float | None = None, at_least: float | None = None) -> None:
        """Print a figure with its budget and whether it is kept."""
        limit = f"at most {at_most:g}" if at_most is not None else f"at least {at_least:g}"
        is_kept = (at_most is None or found <= at_most) and (at_least is None or found >= at_least)
        print(f"  {name}: {found:.4g} ({limit}){self.verdict(name, is_kept=is_kept)}", flush=True)

    def verdict(self, name: str, *, is_kept: bool) -> str:
        """Record a miss, and return the end of a printed line."""
        if is_kept:
            return "   ok"
        self.missed.append(name)
        return "   MISSED"

    def exit(self) -> NoReturn:
        """End the process, with 1 if a budget was missed."""
        print(f"MISSED: {'; '.join(self.missed)}" if self.missed else "Every budget is kept.")
        sys.exit(1 if self.missed else 0)
