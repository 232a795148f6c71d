"""Tests of the ARI wing."""
