"""check_crafted.sh [EVERY]: checkpoints whose checksums are right and one item of which is not what a run leaves: an extreme number in the
place of a scalar, of one number of an array or of a column of it, and arrays that are too short, too long or not there.

Each is refused in one line that names the item, or the run goes on from it and ends with a true certificate: its objective is not below
the bound of a run that was left alone, and its bound not above that run's objective. Every EVERYth case is looked at, 401 unless it is given.
"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

import h5py
import numpy

from archives import resum
from judge import attributes, demand, finish, require, text

EVERY = int(sys.argv[1]) if len(sys.argv) > 1 else 401
DATA = '-data data -patch 3 -stride 1 -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 0.02 -progress none'.split()
REALS = (float('nan'), float('inf'), -float('inf'), -1.0, 0.0, 1e-300, 1e300, -1e300, 1e160, 1e100, 0.5, 2.0**31, 1e9)
INTEGERS = (-1, 0, 1, 2**31 - 1, 2**31, -2**31, 2**63 - 1, -2**63)
# the solver that wrote the file: command, options, iterations before it and at most
KINDS = {
    'root': ('train', '-consensus root -gap 1e-4', 25, 300),
    'partial': ('train', '-classes 0,1 -patch 8x7 -pool 1 -consensus dual -cone partial -gap 1e-3', 25, 60),
    'softmax': ('train', '-loss softmax -gap 1e-3', 45, 150),
    'hinge': ('train', '-loss hinge -gap 1e-2', 60, 200),
    'lowrank': ('train', '-solver lowrank -gap 1e-3', 4, 30),
    'barrier': ('train', '-solver barrier -loss hinge -gap 1e-4', 6, 60),
    'gram': ('train', '-consensus root -checkpoint_gram -gap 1e-4', 25, 300),
    'path': ('path', '-beta_count 3 -validation 0.2 -gap 1e-3', 200, 200)}
CHANGED = {'gram': '.ck.gram'}  # the file, if it is not .ck
TABLES = '/cone/blocks', '/history', '/neurons/lines', '/record'  # whose columns are of different kinds


def command(kind, name, ranks, checkpoint, most):
    what, options, _, _ = KINDS[kind]
    start = [os.environ['PSDNET']] if ranks == 1 else [os.environ['LAUNCH'], str(ranks), os.environ['PSDNET']]
    return start + [what] + DATA + options.split() + ['-model', name + '.h5', '-checkpoint', checkpoint, '-max_it', str(most)]


def run(name, words):
    os.makedirs(name + '.tmp', exist_ok=True)  # Open MPI's own
    with open(name + '.log', 'w') as output:
        try:
            return subprocess.run(words, stdout=output, stderr=subprocess.STDOUT, timeout=120, check=False,
                                  env={**os.environ, 'TMPDIR': os.path.abspath(name + '.tmp')}).returncode
        except subprocess.TimeoutExpired:
            return 'none: it hangs'


# ---------------------------------------------------------------- what is changed

def set_scalar(name, value):
    def change(file):
        kind = file.attrs[name].dtype
        if kind.kind == 'i' and not -2**63 <= value < 2**63:
            return
        file.attrs.modify(name, numpy.array(value, kind))
    return change


def set_number(name, place, value):
    def change(file):
        file[name][place] = value
    return change


def set_length(name, change_rows):
    def change(file):
        old = file[name][...]
        del file[name]
        rows = change_rows(len(old))
        new = numpy.resize(old, (rows,) + old.shape[1:])
        made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        made.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        space = h5py.h5s.create_simple(new.shape)
        h5py.Dataset(h5py.h5d.create(file.id, name.encode(), h5py.h5t.NATIVE_DOUBLE, space, made))[...] = new
    return change


def remove(name):
    def change(file):
        if name.startswith('/'):
            del file[name]
        else:
            del file.attrs[name]
    return change


def retype(name):
    def change(file):
        del file.attrs[name]
        file.attrs[name] = 'many'
    return change


def cases_of(path):
    """name of the item, in words what is done, and what does it"""
    with h5py.File(path) as file:
        for name, value in sorted(file.attrs.items()):
            if name in ('format', 'version'):
                continue
            yield name, 'not there', remove(name)
            yield name, 'another type', retype(name)
            if name != 'problem':
                for extreme in INTEGERS if value.dtype.kind == 'i' else REALS:
                    yield name, extreme, set_scalar(name, extreme)
        arrays = []
        file.visititems(lambda name, item: arrays.append(('/' + name, item.shape)) if isinstance(item, h5py.Dataset) else None)
    for name, shape in arrays:
        yield name, 'not there', remove(name)
        for words, rows in ('one row less', lambda rows: rows - 1), ('one row more', lambda rows: rows + 1), ('twice', lambda rows: 2 * rows):
            if rows(shape[0]) > 0:
                yield name, words, set_length(name, rows)
        places = [(0,) * len(shape), (-1,) * len(shape)]
        if name in TABLES:
            places += [(row, column) for row in (0, shape[0] // 2) for column in range(shape[1])]
        for extreme in REALS:
            for place in places:
                yield name, f'{extreme} at {place}', set_number(name, tuple(k % n for k, n in zip(place, shape)), extreme)
            yield name, f'{extreme} everywhere', set_number(name, ..., extreme)


# ---------------------------------------------------------------- what comes of it

def judge(kind, item, words, name, status, reference):
    said = text(name + '.log')
    lines = re.findall('psdnet: error: .*', said)  # a launcher may put it into the midst of a line
    what = f'{kind}, {item} {words}:'
    if re.search('PETSC ERROR|defect|Caught signal', said):
        return require(False, what, 'status', status, said[-3000:])
    if status == 1:
        expected = item.split('/')[-1] + '|' + (item.split('/')[1] if item in TABLES or item == '/neurons/count' else 'consensus')
        if kind == 'lowrank':  # of a level with other components
            expected += '|/lowrank/'
        if item == 'consensus_uses_samples':  # of which the file has none
            expected += '|/samples/'
        if kind == 'barrier':  # a point that another number has moved
            expected += '|/barrier/'
        if item == '/record':
            expected += '|best network of the path'
        if item.startswith('/patches') or kind == 'gram':  # found out by what comes of them
            expected += '|rho|beta|overflow|positive definite|objective is not a number'
        return require(len(lines) == 1 and re.search(expected, lines[0]), what, lines or said)
    if status not in (0, 2) or lines:
        return require(False, what, 'status', status, said[-3000:])
    found = attributes(name + '.h5')
    if item.startswith('/patches'):  # another problem, and as sound a one
        return require(found['objective_primal'] >= found['objective_dual'] and certifies(name), what)
    margin = 1e-8 * abs(reference['objective_primal'])
    return require(found['objective_primal'] >= reference['objective_dual'] - margin and
                   found['objective_dual'] <= reference['objective_primal'] + margin and found['gap'] >= -1e-8,
                   what, 'objective', found['objective_primal'], 'bound', found['objective_dual'], 'gap', found['gap'])


def certifies(name):
    """from model and data alone"""
    return run(name, [os.environ['PSDNET'], 'certify', '-data', 'data', '-model', name + '.h5', '-gap', '1', '-progress', 'none']) == 0


def attempt(case):
    number, kind, ranks, (item, words, change) = case
    name = f'{kind}{number}'
    for end in '.ck', '.ck.gram', '.h5':  # a path goes on with its model
        if os.path.exists(kind + end):
            shutil.copy(kind + end, name + end)
    changed = name + CHANGED.get(kind, '.ck')
    with h5py.File(changed, 'r+') as file:
        change(file)
    resum(changed)
    status = run(name, command(kind, name, ranks, name + '.ck', KINDS[kind][3]) + ['-resume'])
    sound = judge(kind, item, words, name, status, references[kind])
    shutil.rmtree(name + '.tmp', ignore_errors=True)  # a launcher may still be at it
    for end in ('.log', '.h5', '.ck', '.ck.gram') if sound else ():
        if os.path.exists(name + end):
            os.remove(name + end)
    return status


references = {}
cases = []
for kind, (what, _, before, most) in KINDS.items():
    demand(run(kind, command(kind, kind, 1, kind + '.ck', before)) == (2 if what == 'train' else 0), text(kind + '.log'))
    demand(run(kind, command(kind, kind + '-whole', 1, kind + '-whole.ck', most)) in (0, 2), text(kind + '.log'))
    references[kind] = attributes(kind + '-whole.h5')
    cases += [(kind, case) for case in cases_of(kind + CHANGED.get(kind, '.ck'))]
chosen = [(number, kind, 2 if number % 10 == 3 else 1, case) for number, (kind, case) in enumerate(cases) if number % EVERY == 0]
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    statuses = list(pool.map(attempt, chosen))
print(f'{len(chosen)} of {len(cases)} cases:', {status: statuses.count(status) for status in set(statuses)})
finish()
