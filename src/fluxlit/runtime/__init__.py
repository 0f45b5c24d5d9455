"""Running a service: the supervisor, its pid file, and what a worker does after its birth."""

from __future__ import annotations
