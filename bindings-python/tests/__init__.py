"""The tests of the Python package. They use real servers on this machine."""
