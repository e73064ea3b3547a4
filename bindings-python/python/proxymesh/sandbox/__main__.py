"""Runs the sandbox as a program: `python -m proxymesh.sandbox`. `--help` describes its flags."""

import signal
import sys

from .._proxymesh import sandbox_main

if __name__ == "__main__":
    # The sandbox itself stops on Ctrl-C. Python's own handler would also raise KeyboardInterrupt.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(sandbox_main(sys.argv))
