# Tests mirror txasterisk/; tests/live/ needs a real Asterisk.
