"""``twistd asterisk``: everything of txasterisk as configured services."""
