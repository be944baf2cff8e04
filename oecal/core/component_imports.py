"""The one place where a component is imported by its name from the configuration.

oecal.core.codegraph reads imports from the source without running it, so it cannot see which module
such a call imports. It sees the folder, which must be written out in the call, and asks whoever
lists the code of a step for the names.
"""

from __future__ import annotations

import importlib
from types import ModuleType


def import_component(folder: str, name: str) -> ModuleType:
    """Import the component `name` of `folder`, a subpackage such as "models" or "data.formats".

    >>> import_component("metrics", "correctness_brier").__name__
    'oecal.metrics.correctness_brier'
    """
    return importlib.import_module(f"oecal.{folder}.{name}")
