# The tools of this checkout; a package only so that tests can import them.
