"""Import this module in a test module that uses Hypothesis, before its first `@given` or state machine.

Every run draws the same examples, so that a change fails only for its own faults. HYPOTHESIS_PROFILE=long draws other
and more examples. A failure prints how to repeat it.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_common = settings(deadline=None, print_blob=True, suppress_health_check=list(HealthCheck), database=None)
settings.register_profile("ci", _common, derandomize=True, max_examples=15, stateful_step_count=40)
settings.register_profile("long", _common, max_examples=200, stateful_step_count=60)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
