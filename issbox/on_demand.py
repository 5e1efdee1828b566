"""Packages whose modules are loaded when something of them is first asked for.

Type checkers would take any name for one of such a package: `__getattr__` is set where they do not look.
"""

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def on_demand(package: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """Give the `__getattr__` of a package (PEP 562), from its modules and the names that each has for it.

    What it gives raises AttributeError for a name that the package does not have.
    """
    homes = {name: module for module, inside in names.items() for name in inside.split()}

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = getattr(importlib.import_module(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, found)
        return found

    return load
