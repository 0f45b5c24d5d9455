"""The ``streamlit`` module, for the one script that hands it to pages."""

from __future__ import annotations

import streamlit as st

__all__ = ["st"]
