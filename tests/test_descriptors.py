"""File descriptors and their limit."""

from __future__ import annotations

import resource

from twisted.trial.unittest import SynchronousTestCase

from txasterisk._descriptors import descriptor_limit, raise_descriptor_limit


class DescriptorsTests(SynchronousTestCase):
    """A process with a limit of 1024, which the system lets it raise to 4096."""

    def setUp(self) -> None:
        """Have another limit for the time of the test."""
        self.limit = (1024, 4096)
        self.patch(resource, "getrlimit", lambda _: self.limit)
        self.patch(resource, "setrlimit", self.set)

    def set(self, which: int, limit: tuple[int, int]) -> None:
        """Be ``setrlimit``."""
        self.assertEqual(which, resource.RLIMIT_NOFILE)
        self.limit = limit

    def test_the_limit_is_the_soft_one(self) -> None:
        """It is the soft limit that cannot be passed; there may be none."""
        self.assertEqual(descriptor_limit(), 1024)
        self.limit = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        self.assertGreater(descriptor_limit(), 1 << 60)

    def test_it_can_be_raised(self) -> None:
        """As far as the system allows."""
        raise_descriptor_limit()
        self.assertEqual(self.limit, (4096, 4096))
