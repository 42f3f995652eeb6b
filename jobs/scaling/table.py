#!/usr/bin/python3
"""table.py REPORT.json...: reports of psdnet train as one table, CSV on standard output, one line a run.

A report NAME.json has what run.sh knows of its run beside it, in NAME.info.json (study, nodes, cores, ...), and the plan that was
made for it in NAME.plan.json; columns of what is not there are empty. Seconds and flops are psdnet's own numbers, unchanged.
"""
import csv
import json
import os
import sys

PHASES = 'read lift gram factor solve certify write'.split()
INFO = 'study nodes cores'.split()
CHOSEN = 'repetition patch stride classes'.split()
REPORT = ('n f D blocks consensus cone iterations beta objective_primal objective_dual gap neurons accuracy_train '
          'accuracy_validation peak_memory_mb').split()
PLANNED = 'seconds flops network messages bytes'.split()
COLUMNS = (['run', 'study', 'ranks', 'threads', 'nodes', 'cores', 'oversubscribed'] + CHOSEN + ['consensus_asked', 'cone_asked'] +
           REPORT + PHASES + ['total', 'dgemm_gflops', 'patches'] + [f'plan_{what}_{p}' for what in PLANNED for p in PHASES])


def read(path, optional=False):
    if optional and not os.path.exists(path):
        return {}
    try:
        with open(path) as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        sys.exit(f'table.py: {path}: {error}')


def row(path):
    stem = path[:-len('.json')] if path.endswith('.json') else path
    report, info, plan = read(path), read(stem + '.info.json', True), read(stem + '.plan.json', True)
    if 'seconds' not in report or 'objective_primal' not in report:
        sys.exit(f'table.py: {path}: expected a report of psdnet train')
    info.update(read(stem + '.more.json', True))
    line = {key: report.get(key) for key in ['ranks', 'threads'] + REPORT}
    line.update({key: info.get(key) for key in INFO + CHOSEN})
    line.update(run=stem, consensus_asked=info.get('consensus'), cone_asked=info.get('cone'), dgemm_gflops=info.get('dgemm'),
                patches=info.get('patches'))
    if 'cores' in info:
        line['oversubscribed'] = 'yes' if report['ranks'] * report['threads'] > info['cores'] else 'no'
    line.update({phase: report['seconds'][phase] for phase in PHASES + ['total']})
    for what in PLANNED:
        line.update({f'plan_{what}_{phase}': plan[what][phase] for phase in PHASES if what in plan})
    return line


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ('-h', '--help'):
        print(__doc__)
        return
    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator='\n')
    writer.writeheader()
    lines = [row(path) for path in sys.argv[1:]]
    for line in sorted(lines, key=lambda line: [str(line[key] or '') for key in ('study', 'patch', 'classes', 'n')] +
                       [line['ranks'], line['run']]):
        writer.writerow(line)


main()
