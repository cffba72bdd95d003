"""How long a test waits."""

from __future__ import annotations

TIMEOUT_S = 10.0
"""How long anything may take before a test fails: no measurement, only an end to waiting."""
