"""Shared by the tests of steps."""

from __future__ import annotations

from tests.study.conftest import fitted

__all__ = ["fitted"]
