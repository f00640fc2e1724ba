"""Parquet files by pyarrow, which is there only where `dersim[parquet]` is installed."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from dersim.errors import ConfigError


def parquet_modules() -> tuple[Any, Any]:
    """The modules pyarrow and pyarrow.parquet; ConfigError where they are not installed."""
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise ConfigError(
            f"format: parquet needs pyarrow, which is not installed: {sys.executable} -m pip install "
            f"'dersim[parquet]'; or take csv"
        ) from None
