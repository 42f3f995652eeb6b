#!/bin/sh
# One of two ranks is killed or stopped in each phase, or is slow: the run ends and is gone on with, or goes on by itself.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data
python disturb_phases "${EVERY:-2}"
