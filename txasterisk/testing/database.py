"""Asterisk's own database: values by families and keys, as they are found with SQL's ``LIKE``."""

from __future__ import annotations

import re

__all__ = ["Database"]


class Database:
    """What is stored, for as long as the fake runs."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def get(self, family: str, key: str) -> str | None:
        """Return a value, or None if there is none."""
        return self._values.get(f"/{family}/{key}")

    def put(self, family: str, key: str, value: str) -> None:
        """Store a value."""
        self._values[f"/{family}/{key}"] = value

    def delete(self, family: str, key: str) -> None:
        """Delete a value; harmless if there is none."""
        self._values.pop(f"/{family}/{key}", None)

    def delete_tree(self, family: str, keytree: str = "") -> bool:
        """
        Delete a family or a part of it, in whose names ``_`` and ``%`` stand for others.

        :return: whether there was anything to delete.
        """
        path = "".join(f"/{part}" for part in (family, keytree) if part)
        pattern = re.compile(_like(path) + "(/.*)?", re.DOTALL)
        found = [place for place in self._values if pattern.fullmatch(place)]
        for place in found:
            del self._values[place]
        return bool(found)


def _like(text: str) -> str:
    """Return the regular expression of a pattern of ``LIKE``."""
    special = {"%": ".*", "_": "."}
    return "".join(special.get(character, re.escape(character)) for character in text)
