"""The doctor: small checks, each a function from a subject to findings, and their report.

A check looks and tells; it changes nothing and never fails. The rows' names are an interface.
"""

from __future__ import annotations
