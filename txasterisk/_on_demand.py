"""
Names that are imported when somebody first asks for them.

Asterisk starts an AGI script anew for each call. That script should not wait until everything is
there that AMI and ARI need, which takes longer than Twisted itself.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module

__all__ = ["on_demand"]


def on_demand(package: str, places: Mapping[str, str]) -> Callable[[str], object]:
    """
    Return the ``__getattr__`` of a package.

    :param package: its name.
    :param places: the modules in it, and which names each of them has for the package.
    """
    modules = {name: module for module, names in places.items() for name in names.split()}

    def get(name: str) -> object:
        if name in places:
            return import_module(f"{package}.{name}")
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{modules[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return get
