"""What the Python parts of check_NAME.sh share: readers of what psdnet leaves, and require, which counts failures."""
import csv
import json
import re
import sys

import h5py

failures = []


def require(holds, *what):
    if not holds:
        failures.append(what)
        print('FAILED', *what, flush=True)
    return holds


def demand(holds, *what):
    """of what all that follows depends on: the script ends here when it does not hold"""
    if not require(holds, *what):
        finish()


def finish():
    """The last line of a script: its exit status."""
    sys.exit(f'{len(failures)} failures' if failures else 0)


def text(path):
    with open(path) as file:
        return file.read()


def report(name):
    return json.loads(text(name + '.json'))


def decoded(value):
    if isinstance(value, bytes):
        return value.decode()
    return [text.decode() for text in value] if getattr(value, 'dtype', None) is not None and value.dtype.kind == 'S' else value


def attributes(path):
    """of a model, or of any other HDF5 file; texts of psdnet's are bytes to h5py"""
    with h5py.File(path) as file:
        return {name: decoded(value) for name, value in file.attrs.items()}


def certificate(name):
    """what psdnet certify printed to NAME.log"""
    printed = text(name + '.log')
    return {key: float(re.search(rf'^{key} +(\S+)', printed, re.M).group(1)) for key in ('primal', 'bound', 'gap')}


def table(path):
    """lines of a file of comma-separated values, by their heads"""
    with open(path) as file:
        return list(csv.DictReader(file))


def numbers(path):
    """lines of such a file below its head, as numbers"""
    with open(path) as file:
        return [[float(number) for number in row] for row in list(csv.reader(file))[1:]]
