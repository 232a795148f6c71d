"""Tests of what a user installs. They need the package index, so ``make test`` asks for them."""
