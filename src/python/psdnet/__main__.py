"""python3 -m psdnet COMMAND ...: the commands of psdnet that are made in Python."""
import sys

from .commands import main

sys.exit(main(sys.argv[1:]))
