"""What psdnet report is given: files that psdnet has written, told apart by what is in them."""
import collections
import csv
import json
import math

from .network import load

Inputs = collections.namedtuple('Inputs', 'model run plan history path evaluations fits images')

HDF5 = b'\x89HDF\r\n\x1a\n'
MODEL = b'psdnet-model '


NUMBER = (int, float, type(None))  # null: not finite
# what a report has, by its kind, with the types of its values
FIELDS = {
    'evaluations': {'confusion': list, 'classes': list, 'accuracy': NUMBER, 'n': int, 'command': str},
    'fits': {'all': dict, 'outputs': list, 'n': int, 'command': str},
    'run': {'command': str, 'machine': str, 'ranks': int, 'threads': int, 'n': int, 'f': int, 'D': int, 'blocks': int, 'loss': str,
            'solver': str, 'iterations': int, 'neurons': int, 'objective_primal': NUMBER, 'objective_dual': NUMBER, 'gap': NUMBER,
            'beta': NUMBER, 'beta_max': NUMBER, 'peak_memory_mb': NUMBER, 'seconds': dict},
    'plan': {'memory': dict, 'flops': dict, 'seconds': dict, 'bytes': dict, 'peak_memory_mb': NUMBER, 'ranks': int},
}


def _json_kind(value, path):
    """Which of psdnet's reports an object is."""
    for kind, fields in FIELDS.items():
        if isinstance(value, dict) and all(isinstance(value.get(name, ...), types) for name, types in fields.items()):
            if kind != 'evaluations' or [len(row) for row in value['confusion']] == [len(value['classes'])] * len(value['classes']):
                return kind
    raise ValueError(f'{path}: no report of train, path, evaluate or plan')


def _rows(text, path):
    """Rows of numbers by the names of their columns; what is empty is None."""
    rows = list(csv.DictReader(text.splitlines()))
    names = set(rows[0]) if rows else set(text.strip().split(','))
    for kind, asked in ('history', {'iteration', 'seconds', 'objective', 'bound', 'gap'}), \
            ('path', {'number', 'beta_rel', 'gap', 'neurons'}):
        if asked <= names:
            try:
                return kind, [{name: float(value) if value else None for name, value in row.items()} for row in rows]
            except (TypeError, ValueError):
                raise ValueError(f'{path}: a line is cut off, or has what is no number') from None
    raise ValueError(f'{path}: found no model, report, history or path of psdnet')


def _read(path):
    """Kind and content of one file."""
    with open(path, 'rb') as file:
        begin = file.read(16)
        if begin.startswith((MODEL, HDF5)):
            return 'model', load(path)
        text = (begin + file.read()).decode(errors='replace')
    if text.lstrip().startswith('{'):
        try:
            value = json.loads(text)
        except ValueError as error:
            raise ValueError(f'{path}: no JSON: {error}') from None
        return _json_kind(value, path), value
    return _rows(text, path)


def read(paths):
    """Inputs of files; evaluations of classes and fits of real targets are lists, and of all else there is one or None. Of others, ValueError or OSError."""
    found = {'evaluations': [], 'fits': []}
    for path in paths:
        kind, content = _read(path)
        if kind in ('evaluations', 'fits'):
            found[kind].append(content)
        elif kind in found:
            raise ValueError(f'{path}: a second {kind}, expected one')
        else:
            found[kind] = content
    return Inputs(*(found.get(kind) for kind in Inputs._fields))


def number(value):
    """A number of a report, whose null is what is not finite."""
    return math.nan if value is None else float(value)
