"""The tests of the Python package, against real servers on this machine."""
