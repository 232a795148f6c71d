"""Addresses as people write them."""

from __future__ import annotations

from twisted.internet.address import UNIXAddress
from twisted.internet.interfaces import IAddress

__all__ = ["readable"]


def readable(address: IAddress) -> str:
    """Return an address as in a URL; the path of a Unix socket, empty for one without a name."""
    if isinstance(address, UNIXAddress):
        return (address.name or b"").decode("utf-8", "replace")
    host, port = getattr(address, "host", None), getattr(address, "port", None)
    if host is None:
        return str(address)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
