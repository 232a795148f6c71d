"""What ``twistd`` and ``twist`` call: :class:`Options` and :func:`makeService`."""

from __future__ import annotations

from twisted.application.service import MultiService

from .._descriptors import raise_descriptor_limit
from .build import services
from .demo import DemoService
from .ending import EndWell
from .options import Options

__all__ = ["Options", "makeService"]


def makeService(options: Options) -> MultiService:
    """Make what ``twistd asterisk`` runs."""
    # Each call has a descriptor.
    raise_descriptor_limit()
    everything = MultiService()
    EndWell().setServiceParent(everything)
    if options.configuration is None:
        DemoService().setServiceParent(everything)
    else:
        for service in services(options.configuration):
            service.setServiceParent(everything)
    return everything
