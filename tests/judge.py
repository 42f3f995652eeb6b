"""What the Python parts of check_NAME.sh share: readers of what psdnet leaves, and require, which goes on after a failure."""
import csv
import json
import re
import sys

import h5py

failures = []


def require(holds, *what):
    if not holds:
        failures.append(what)
        print(*what)


def finish():
    """The last line of a script: its exit status."""
    sys.exit(len(failures) > 0)


def report(name):
    with open(name + '.json') as file:
        return json.load(file)


def attributes(name):
    """of the model NAME.h5"""
    with h5py.File(name + '.h5') as file:
        return dict(file.attrs)


def certificate(name):
    """what psdnet certify printed to NAME.log"""
    with open(name + '.log') as file:
        text = file.read()
    return {key: float(re.search(rf'^{key} +(\S+)', text, re.M).group(1)) for key in ('primal', 'bound', 'gap')}


def table(path):
    """lines of a file of comma-separated values, by their heads"""
    with open(path) as file:
        return list(csv.DictReader(file))
