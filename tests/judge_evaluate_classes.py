"""Accuracy and confusion of each evaluation, from the predictions and the labels of the images; images alone have the same scores."""
import csv
import re

import h5py
import numpy


def predictions(name):
    with open(name + '.csv') as file:
        head, *rows = csv.reader(file)
    place = head.index('class')
    return {int(row[0]): int(row[place]) for row in rows}, {int(row[0]): row[1:place + 1] for row in rows}


def labels_of(name):
    with h5py.File(name + '.h5') as file:
        return file['labels'][:]


def judge(log, predicted, labels, classes, asked, names):
    chosen = [k for k, label in enumerate(labels) if label in asked]
    right = sum(predicted[k] == labels[k] for k in chosen)
    table = {names[label]: [sum(predicted[k] == other for k in chosen if labels[k] == label) for other in classes]
             for label in classes if any(labels[k] == label for k in chosen)}
    with open(log + '.log') as file:
        text = file.read()
    said, of = re.search(r'accuracy ([\d.]+)% of (\d+) images', text).groups()
    assert int(of) == len(chosen) and abs(float(said) - 100 * right / len(chosen)) < 1e-4, (log, said, of, right, len(chosen))
    lines = [line.split() for line in text.splitlines()]
    at = next(k for k, line in enumerate(lines) if line[:1] == ['confusion'])
    assert lines[at + 1] == [names[label] for label in classes] + ['recall'], (log, lines[at + 1])
    rows = {line[0]: line for line in lines[at + 2:] if line}
    assert list(rows) == list(table), (log, list(rows), list(table))
    for name, row in table.items():
        assert [int(number) for number in rows[name][1:-1]] == row, (log, name, rows[name], row)


records = numpy.fromfile('named/data_batch_1.bin', numpy.uint8).reshape(-1, 3073)
named, _ = predictions('named')
assert sorted(named) == [k for k, label in enumerate(records[:, 0]) if label in (5, 0, 3)]
many, scores = predictions('many')
lacking, _ = predictions('lacking')
digits = {label: str(label) for label in range(60)}
for ranks in '13':
    for log, asked in ('all', (5, 0, 3)), ('some', (3, 5)), ('turned', (3, 0, 5)), ('one', (0,)):
        judge(f'{log}_{ranks}', named, records[:, 0], (5, 0, 3), asked, {label: f'name{label}' for label in range(10)})
    judge(f'many_{ranks}', many, labels_of('many'), range(60), (0, 1), digits)
    judge(f'lacking_{ranks}', lacking, labels_of('lacking'), range(60), range(60), digits)

for name, indices in ('alone', range(240)), ('idx', range(240)), ('idx_gz', range(120, 240)):
    alone, alone_scores = predictions(name)
    assert list(alone) == list(indices), name
    for k in indices:
        found, expected = numpy.array(alone_scores[k][:-1], float), numpy.array(scores[k][:-1], float)
        assert numpy.allclose(found, expected, rtol=1e-12, atol=1e-14) and alone[k] == many[k], (name, k)
