"""end_run.py SIGNAL OPTIONS...: starts psdnet, sends it the signal once a temporary file is there, and demands that it ends by it and
that the file is gone."""
import glob
import os
import resource
import signal
import subprocess
import sys
import time

number = getattr(signal, 'SIG' + sys.argv[1])
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
process = subprocess.Popen([os.environ['PSDNET'], *sys.argv[2:]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
begun = time.monotonic()
while not glob.glob('*.csv.tmp.*'):
    assert process.poll() is None and time.monotonic() < begun + 60, 'no file was begun'
    time.sleep(0.01)
process.send_signal(number)
assert process.wait(60) == -number, (sys.argv[1], process.returncode)
assert not glob.glob('*.tmp.*'), (sys.argv[1], glob.glob('*.tmp.*'))
