#!/usr/bin/python3
"""psdnet, but its bound is a little above the objective of its network: the adversary has to find out. REAL is the command."""
import os
import re
import subprocess
import sys

import h5py

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from seal import seal

done = subprocess.run([os.environ['REAL'], *sys.argv[1:]], capture_output=True, text=True)
if os.path.exists('m.h5') and done.returncode in (0, 2):
    with h5py.File('m.h5', 'a') as file:
        bound = file.attrs['objective_primal'] * (1 + 1e-11)
        file.attrs['objective_dual'] = bound
    seal('m.h5')
    with open('r.json') as file:
        text = file.read()
    with open('r.json', 'w') as file:
        file.write(re.sub('"objective_dual": [^,]*', f'"objective_dual": {bound!r}', text))
    done.stdout = re.sub('(?m)^bound +[^ ]*', f'bound    {bound:.12g}', done.stdout)
print(done.stdout, done.stderr)
sys.exit(done.returncode)
