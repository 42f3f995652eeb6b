"""check_path.sh's judgement: every beta of a path against training at that beta alone, and which network is kept."""
import os

from judge import attributes, finish, report, require, table

rows = table('table1.csv')
beta_max = report('report1')['beta_max']
for k, row in enumerate(rows, 1):
    alone = report(f'alone{k}')
    require(abs(float(row['beta']) / (beta_max * 1e-3 ** (k / 5)) - 1) <= 1e-12, f'beta {k} is', row['beta'])
    # either objective is within its gap of the one optimum, and neither bound is above it
    require(abs(float(row['objective']) / alone['objective_primal'] - 1) <= 2e-6 and float(row['gap']) <= 1e-6,
            f'beta {k}:', row['objective'], 'alone', alone['objective_primal'])
    require(float(row['bound']) <= alone['objective_primal'] and alone['objective_dual'] <= float(row['objective']),
            f'beta {k}: a bound above an objective')
require(len(rows) == 5, len(rows), 'betas')
best = max(rows, key=lambda row: (float(row['accuracy_validation']), -float(row['loss_validation'])))
for ranks in 1, 2, 3, 4:
    kept, expected = attributes(f'best{ranks}.m'), attributes(f'best{ranks}.m.{best["number"]}')
    require(kept['objective_primal'] == expected['objective_primal'],
            ranks, 'ranks: beta', kept['beta'], 'kept, expected number', best['number'])
    for a, b in zip(rows, table(f'table{ranks}.csv')):
        require(abs(float(a['objective']) / float(b['objective']) - 1) <= 2e-6, ranks, 'ranks:', b['objective'], 'one rank', a['objective'])
for a, b in zip(table('held.csv'), table('list.csv')):
    require(abs(float(a['objective']) / float(b['objective']) - 1) <= 2e-6, 'list:', b['objective'], 'count', a['objective'])
# where a path ends when nothing is said
last = float(table('tenth.csv')[1]['beta'])
require(abs(report('whole')['beta'] / last - 10) <= 1e-9, "a path's last beta", last, 'train has', report('whole')['beta'])
require(not os.path.exists('no.m'), 'a model of a path that was refused')
finish()
