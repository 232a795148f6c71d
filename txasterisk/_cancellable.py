"""What is to be cancelled, and can be used as a context manager that does so."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

__all__ = ["Cancellable"]


class Cancellable(ABC):
    """Leaving its ``with`` block cancels it."""

    __slots__ = ()

    @abstractmethod
    def cancel(self) -> None:
        """End it; harmless when repeated."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.cancel()
