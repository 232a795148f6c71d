"""What txasterisk costs, measured; not part of the package nor of its tests."""
