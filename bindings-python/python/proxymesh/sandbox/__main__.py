"""`python -m proxymesh.sandbox`: the sandbox as a program; `--help` tells more."""

import sys

from .._proxymesh import sandbox_main

sys.exit(sandbox_main(sys.argv))
