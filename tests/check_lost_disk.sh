#!/bin/sh
# A rank loses its file system: every read and write fails from some moment on. All ranks end with one line, or go on without what is lost where that
# is a checkpoint. EVERY: every so manieth moment, 1 is all of them.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data
python lose_disk "${EVERY:-67}"
