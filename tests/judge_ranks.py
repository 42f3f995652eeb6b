"""check_ranks.sh's judgement: reports and histories are complete and agree, and so does what a model predicts."""
import csv

import numpy

from judge import finish, report, require, table

FIELDS = ('command options ranks threads machine n f D blocks consensus cone iterations objective_primal objective_dual '
          'gap neurons accuracy_train beta beta_max seconds').split()
PHASES = 'read lift gram factor solve certify write total'.split()
HEADER = 'iteration,seconds,primal_residual,dual_residual,rho,objective,bound,gap,rank'

primals = []
for kind in 'root', 'scalapack', 'streamed':
    for ranks in 1, 2, 3, 4:
        name = f'{kind}-{ranks}'
        found = report(name)
        primals.append(found['objective_primal'])
        require(all(field in found for field in FIELDS), name, 'lacks', [f for f in FIELDS if f not in found])
        require(any(field.startswith('peak_memory') for field in found), name, 'lacks the peak memory')
        require(all(found['seconds'].get(phase, -1) >= 0 for phase in PHASES), name, 'seconds', found['seconds'])
        require(found['ranks'] == ranks and found['n'] == 130 and found['f'] == 18 and found['D'] == 760
                and found['blocks'] == 24 and found['cone'] == 'lapack', name, 'sizes', found)
        require(found['consensus'] == ('scalapack' if kind == 'scalapack' else 'root'), name, found['consensus'])
        require(found['objective_dual'] <= found['objective_primal'] and 0 <= found['gap'] <= 1e-6, name, found)
        rows = table(name + '.csv')
        require(','.join(rows[0]) == HEADER, name, 'history begins', *rows[0])
        for key, sign in ('objective', -1), ('bound', 1):
            values = sign * numpy.array([float(row[key]) for row in rows])
            require((numpy.diff(values) >= 0).all(), name, key, 'is not monotone')
        require(int(rows[-1]['iteration']) == found['iterations'], name, 'iterations', rows[-1])
        require(abs(float(rows[-1]['objective']) / found['objective_primal'] - 1) < 1e-9, name, 'last row', rows[-1])
primals += [report(f'scalapack-{ranks}')['objective_primal'] for ranks in (7, 13, 16, 64)]
require(max(primals) / min(primals) - 1 <= 1e-8, 'objectives', *primals)

for model in 'root-1', 'scalapack-3', 'streamed-4':
    accuracies = {open(f'{model}-on-{ranks}.log').read() for ranks in (1, 2, 3, 4)}
    require(len(accuracies) == 1 and 'of 130 images' in min(accuracies) and ' 100.0000%' not in min(accuracies), model, 'evaluates to', *accuracies)
    tables = [list(csv.reader(open(f'{model}-on-{ranks}.csv'))) for ranks in (1, 2, 3, 4)]
    require(len(tables[0]) == 131 and tables[0][0] == 'index,score_0,score_1,score_2,class'.split(','), model, tables[0][0])
    require([row[0] for row in tables[0][1:]] == [str(k) for k in range(130)], model, 'indices')
    for ranks, lines in enumerate(tables, 1):
        require([row[::4] for row in lines] == [row[::4] for row in tables[0]], model, 'classes on', ranks)
        scores, first = (numpy.array([row[1:4] for row in t[1:]], float) for t in (lines, tables[0]))
        require(abs(scores - first).max() <= 1e-12 * abs(first).max(), model, 'scores on', ranks, abs(scores - first).max())
        require((first.argmax(1) == numpy.array([int(row[4]) for row in lines[1:]])).all(), model, 'argmax on', ranks)
finish()
