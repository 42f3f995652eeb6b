"""judge_scaling.py JOBS CORES: check_scaling.sh's judgement of tables, reports and pictures, and of the model fitted to runs."""
import glob
import math
import os
import statistics
import sys

from judge import finish, report as read, require, table

sys.path.insert(0, sys.argv[1] + '/scaling')
import model

cores = int(sys.argv[2])

for study, count in ('strong', 2 * 2 * 2), ('weak', 2 * 2):
    rows = table(study + '/runs.csv')
    require(len(rows) == count == len({row['run'] for row in rows}), study, len(rows), 'runs, expected', count)
    for row in rows:
        report, plan = read(row['run']), read(row['run'] + '.plan')
        for key in 'ranks threads n f D blocks iterations objective_primal gap peak_memory_mb'.split():
            require(float(row[key]) == report[key], row['run'], key, row[key], report[key])
        for phase, seconds in report['seconds'].items():
            require(float(row[phase]) == seconds, row['run'], phase, row[phase], seconds)
        for phase in model.PHASES:
            require(float(row['plan_flops_' + phase]) == plan['flops'][phase], row['run'], 'flops of', phase)
        ranks = int(row['ranks'])
        require(row['oversubscribed'] == ('yes' if ranks > cores else 'no'), row['run'], row['oversubscribed'])
        require(int(row['n']) == (100 * ranks if study == 'weak' else 260), row['run'], 'n', row['n'])
        require(int(row['iterations']) == 10, row['run'], 'iterations', row['iterations'])
        require(row['consensus_asked'] in ('auto', row['consensus']), row['run'], row['consensus'])
        require(all(row[key] for key in row if key != 'accuracy_validation'), row['run'], 'lacks',
                [key for key in row if not row[key]])
    pictures = {'strong': {'strong.png', 'phases.png', 'model.png'}, 'weak': {'weak.png', 'phases.png'}}[study]
    found = {os.path.basename(path) for path in glob.glob(study + '/*.png')}
    require(found == pictures, study, 'pictures', found)
    text = open(study + '/report.md').read()
    for picture in found:
        data = open(f'{study}/{picture}', 'rb').read()
        require(data[:8] == b'\x89PNG\r\n\x1a\n' and data[-8:-4] == b'IEND' and len(data) > 5000, picture, len(data), 'bytes')
        require(f']({picture})' in text, study, 'report does not show', picture)
    require(('(oversubscribed) |' in text) == any(row['oversubscribed'] == 'yes' for row in rows), study, 'report on oversubscription')

# the factor that is stated is the one that is found again from table and model: medians of repetitions in one study, runs that are
# not oversubscribed in the other
TEXT = 'run study oversubscribed consensus cone consensus_asked cone_asked'.split()
for study, points in ('strong', 4), ('weak', 2):
    fitted, groups = read(study + '/model'), {}
    for row in table(study + '/runs.csv'):
        if row['oversubscribed'] == 'no':
            run = {key: value if key in TEXT else float(value or 'nan') for key, value in row.items()}
            groups.setdefault(run['run'].rsplit('-', 1)[0], []).append(run)
    runs = [{key: value if key in TEXT else statistics.median(run[key] for run in group) for key, value in group[0].items()}
            for group in groups.values()]
    require(fitted['runs'] == len(runs) == points, study, 'runs of the fit', fitted['runs'], 'expected', len(runs))
    worst = model.worst_ratio(fitted, runs)
    require(abs(worst / fitted['worst_ratio'] - 1) < 1e-9, study, 'stated factor', fitted['worst_ratio'], 'found', worst)
    require(f"within a factor of {worst:.2f}" in open(study + '/report.md').read(), study, 'report does not state the factor')
fitted = read('strong/model')
require([run['ranks'] for run in fitted['first']] == [1, 1000], 'plans of the model')
require(fitted['network'] == 'assumed' and fitted['large'][-1]['total'] > 0, 'network', fitted['network'])

# coefficients that are known come back: 24 runs made by the model itself, on one node and on several
known = {phase: [1 + k / 4, 2 - k / 3] for k, phase in enumerate(model.PHASES)}
known.update(latency=3e-6, per_byte=4e-10, network='fitted')
made = []
for ranks in 1, 2, 8, 64:
    for n in 1e4, 1e5:
        for kind in 'root', 'scalapack', 'dual':
            run = dict(ranks=ranks, nodes=math.ceil(ranks / 8), n=n, f=48, D=1225 if kind == 'root' else 4900, blocks=20, patches=64,
                       consensus=kind, iterations=100, dgemm_gflops=40)
            for k, phase in enumerate(model.PHASES):
                flops = (k + 1) * n * 1e7 * (1 + (kind == 'dual'))
                run[f'plan_flops_{phase}'] = flops
                run[f'plan_seconds_{phase}'] = flops / ranks / 4e10 + 0.1 * (k + 1) * n ** 0.5 / ranks ** 0.7 + 0.01
                run[f'plan_network_{phase}'] = 0.01
                run[f'plan_messages_{phase}'] = 1000 * (k + 1) * math.log2(ranks) * run['D'] / 64
                run[f'plan_bytes_{phase}'] = 8 * n * run['D'] * (1 - 1 / ranks) / (k + 1)
            run.update(model.predict(known, run))
            run['total'] = sum(run[phase] for phase in model.PHASES)
            made.append(run)
again = model.fit(made)
require(again['network'] == 'fitted', 'network of runs on several nodes')
require(model.worst_ratio(again, made) < 1 + 1e-4, 'a model of its own runs is off by', model.worst_ratio(again, made))
for phase in model.PHASES:
    require(all(abs(a - b) < 1e-2 for a, b in zip(again[phase], known[phase])), phase, again[phase], 'expected', known[phase])
finish()
