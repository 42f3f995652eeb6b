#!/usr/bin/python3
"""report.py OUTPUT: model.json, pictures and report.md of a scaling study, from its runs.csv and plans/ (run.sh makes them).

Standard library only; gnuplot draws.
"""
import csv
import json
import os
import re
import statistics
import subprocess
import sys

import model

HERE = os.path.dirname(os.path.abspath(__file__))
PHASES = ['read'] + model.PHASES
TEXT = 'run study oversubscribed consensus cone consensus_asked cone_asked'.split()
OVER = ' (oversubscribed)'


def read_runs(path):
    with open(path, newline='') as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for key, value in row.items():
            if key not in TEXT:
                row[key] = float(value) if value else None
    return [row for row in rows if row['study']]


def setting(run):
    """What runs of one curve have in common."""
    images = run['n'] / run['ranks'] if run['study'] == 'weak' else run['n']
    return tuple(run[key] for key in 'study patch stride classes consensus_asked cone_asked'.split()) + (images,)


def label(run):
    images = (f"{run['n'] / run['ranks']:.0f} images a rank" if run['study'] == 'weak' else f"{run['n']:.0f} images")
    asked = ', '.join(f'{what} {run[what + "_asked"]}' for what in ('consensus', 'cone') if run[what + '_asked'] != 'auto')
    return f"{images}, {run['classes']:.0f} classes, patch {run['patch']:.0f}" + (', ' + asked if asked else '')


def medians(runs):
    """One run for each setting and number of ranks: medians of its repetitions."""
    groups = {}
    for run in runs:
        groups.setdefault((setting(run), run['ranks']), []).append(run)
    result = []
    for (_, _), group in sorted(groups.items(), key=lambda item: str(item[0][0])):
        middle = dict(group[0], repetitions=len(group))
        for key in PHASES + ['total', 'peak_memory_mb', 'dgemm_gflops'] + [f'plan_{w}_{p}' for w in model.PLANNED for p in model.PHASES]:
            middle[key] = statistics.median(run[key] for run in group)
        middle['spread'] = max(run['total'] for run in group) / min(run['total'] for run in group)
        result.append(middle)
    return sorted(result, key=lambda run: (str(setting(run)), run['ranks']))


def curves(runs):
    """Runs by setting, with speed-up and efficiency against the smallest number of ranks."""
    found = {}
    for run in runs:
        found.setdefault(setting(run), []).append(run)
    for curve in found.values():
        first = curve[0]
        for run in curve:
            more = run['ranks'] / first['ranks']
            grown = more if run['study'] == 'weak' else 1
            run['speedup'] = grown * first['total'] / run['total'] * first['ranks']
            run['efficiency'] = 100 * run['speedup'] / run['ranks']
    return list(found.values())


def write_blocks(path, blocks):
    """Data of gnuplot: a block an index, with its title in front."""
    with open(path, 'w') as file:
        for title, rows in blocks:
            file.write(f'"{title}"\n')
            for row in rows:
                file.write(' '.join(str(value) for value in row) + '\n')
            file.write('\n\n')


def draw(script, output, **variables):
    settings = ''.join(f"{name}={json.dumps(value) if isinstance(value, str) else value};" for name, value in variables.items())
    picture = os.path.join(output, variables['picture'])
    done = subprocess.run(['gnuplot', '-e', settings, os.path.join(HERE, script)], cwd=output, capture_output=True, text=True)
    if done.returncode or not os.path.exists(picture):
        sys.exit(f'report.py: gnuplot failed: {done.stderr.strip()}')


def draw_scaling(output, study, chosen):
    """chosen: curves of more than one number of ranks. A block of plain and one of oversubscribed points for each."""
    blocks = []
    for curve in chosen:
        blocks.append((label(curve[0]), [(r['ranks'], r['speedup'], r['efficiency'], r['total']) for r in curve]))
        crowded = [(r['ranks'], r['speedup'], r['efficiency'], r['total']) for r in curve if r['oversubscribed'] == 'yes']
        blocks.append(('oversubscribed', crowded or [('nan',) * 4]))
    write_blocks(os.path.join(output, f'{study}.dat'), blocks)
    ranks = [run['ranks'] for curve in chosen for run in curve]
    draw('speedup.gp', output, data=f'{study}.dat', picture=f'{study}.png', study=study, curves=len(chosen),
         first=min(ranks), last=max(ranks), lowest=min(run['speedup'] for curve in chosen for run in curve), crowded=int(any(r['oversubscribed'] == 'yes' for c in chosen for r in c)))


def draw_phases(output, runs):
    rows = []
    for run in runs:
        crowd = '*' if run['oversubscribed'] == 'yes' else ''
        grown = f", {run['n']:.0f} images" if run['study'] == 'weak' else ''
        rows.append([f"\"patch {run['patch']:.0f}{grown}, {run['consensus']}, {run['ranks']:.0f} rank{'s' if run['ranks'] > 1 else ''}{crowd}\""] + [run[p] for p in PHASES])
    with open(os.path.join(output, 'phases.dat'), 'w') as file:
        file.write('run ' + ' '.join(PHASES) + '\n')
        for row in rows:
            file.write(' '.join(str(value) for value in row) + '\n')
    draw('phases.gp', output, data='phases.dat', picture='phases.png', count=len(rows))


def read_plans(output, kind, node, iterations, study):
    """Plans of runs that were not made, as runs: what the model needs to know of them."""
    found = []
    folder = os.path.join(output, 'plans')
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        match = re.fullmatch(kind + r'-(\d+)\.plan\.json', name)
        if not match:
            continue
        with open(os.path.join(folder, name)) as file:
            plan = json.load(file)
        with open(os.path.join(folder, name.replace('.plan.', '.more.'))) as file:
            more = json.load(file)
        ranks = int(match.group(1))
        run = dict(ranks=ranks, n=plan['n'], D=plan['D'], f=plan['f'], blocks=plan['blocks'], consensus=plan['consensus'], patches=more['patches'],
                   dgemm_gflops=more['dgemm'], iterations=iterations, nodes=-(-ranks // node), study=study)
        for phase in model.PHASES:
            run.update({f'plan_{what}_{phase}': plan[what][phase] for what in model.PLANNED})
        found.append(run)
    return sorted(found, key=lambda run: run['ranks'])


def extrapolate(fitted, plans):
    for run in plans:
        run.update(model.predict(fitted, run))
        run['total'] = sum(run[phase] for phase in model.PHASES)
    for run in plans:
        grown = run['ranks'] / plans[0]['ranks'] if run['study'] == 'weak' else 1
        run['efficiency'] = 100 * grown * plans[0]['total'] / run['total'] * plans[0]['ranks'] / run['ranks']


def table_of_runs(curve):
    lines = ['| ranks | nodes | ' + ' | '.join(PHASES) + ' | total | speed-up | efficiency | MB a rank | consensus | cone |',
             '|' + '---|' * (len(PHASES) + 8)]
    for run in curve:
        crowd = OVER if run['oversubscribed'] == 'yes' else ''
        lines.append(f"| {run['ranks']:.0f}{crowd} | {run['nodes']:.0f} | " + ' | '.join(f'{run[p]:.2f}' for p in PHASES) +
                     f" | {run['total']:.2f} | {run['speedup']:.2f} | {run['efficiency']:.0f} % | {run['peak_memory_mb']:.0f}"
                     f" | {run['consensus']} | {run['cone']} |")
    return lines


def table_of_model(plans):
    lines = ['| ranks | images | consensus | ' + ' | '.join(model.PHASES) + ' | total | efficiency |', '|' + '---|' * (len(model.PHASES) + 5)]
    for run in plans:
        lines.append(f"| {run['ranks']} | {run['n']:.0f} | {run['consensus']} | " + ' | '.join(f'{run[p]:.3g}' for p in model.PHASES) +
                     f" | {run['total']:.3g} | {run['efficiency']:.0f} % |")
    return lines


def describe_model(fitted):
    lines = ['| phase | times the work at dgemm\'s rate | times what plan foresees beyond that |', '|---|---|---|']
    lines += [f'| {phase} | {fitted[phase][0]:.2f} | {fitted[phase][1]:.2f} |' for phase in model.PHASES]
    lines += ['', f"Collectives between nodes: {1e6 * fitted['latency']:.3g} microseconds a message, "
              + (f"{1e-9 / fitted['per_byte']:.3g} GB/s; " if fitted['per_byte'] else 'bytes cost nothing that was seen; ') +
              ('fitted to these runs.' if fitted['network'] == 'fitted' else 'assumed, as all runs were on one node.')]
    return lines


def main():
    if len(sys.argv) != 2 or sys.argv[1] in ('-h', '--help'):
        print(__doc__)
        return
    output = sys.argv[1]
    runs = read_runs(os.path.join(output, 'runs.csv'))
    if not runs:
        sys.exit(f'report.py: {output}/runs.csv has no runs of run.sh')
    with open(os.path.join(output, 'study.json')) as file:
        about = json.load(file)
    middle = medians(runs)
    all_curves = curves(middle)
    text = ['# Scaling study', '', f"Command: `{about['command']}`  ", f"Machine: {about['machine']}  ", f"Date: {about['date']}  ",
            f"psdnet: {about['revision']}", '', 'Seconds of the slowest rank, medians of '
            f"{max(run['repetitions'] for run in middle)} run(s) of {middle[0]['iterations']:.0f} iterations. Largest total over smallest of the same run: "
            f"{max(run['spread'] for run in middle):.2f}. Speed-up and efficiency are against the smallest number of ranks. "
            'Oversubscribed: more ranks than cores, so that they take turns; such times say that it works and no more.', '']
    for study, word in ('strong', 'Strong scaling: the images stay'), ('weak', 'Weak scaling: as many images a rank'):
        chosen = [curve for curve in all_curves if curve[0]['study'] == study]
        if not chosen:
            continue
        text += [f'## {word}', '']
        several = [curve for curve in chosen if len(curve) > 1]
        if several:
            draw_scaling(output, study, several)
            text += [f'![{word}]({study}.png)', '']
        for curve in chosen:
            text += [f'{label(curve[0])}; f {curve[0]["f"]:.0f}, D {curve[0]["D"]:.0f}:', ''] + table_of_runs(curve) + ['']
    draw_phases(output, middle)
    text += ['## Time by phase', '', '![seconds by phase](phases.png)', '']

    usable = [run for run in middle if run['oversubscribed'] == 'no']
    if usable:
        fitted = model.fit(usable)
        worst = model.worst_ratio(fitted, usable)
        node, iterations = about['node'], middle[0]['iterations']
        first, large = (read_plans(output, kind, node, iterations, study) for kind, study in
                        (('first', middle[0]['study']), ('large', 'strong')))
        text += ['## A model, and what it says of more ranks', '',
                 'Not measured. Work and memory traffic of `psdnet plan`, with factors fitted to the runs above that are not oversubscribed '
                 f'(`jobs/scaling/model.py` has the terms). It reproduces the {len(usable)} it was fitted to within a factor of {worst:.2f}.', '']
        text += describe_model(fitted) + ['']
        blocks = []
        measured = [run for run in usable if setting(run) == tuple(about['first'])]
        for plans, name in (first, label(next(run for run in middle if setting(run) == tuple(about['first'])))), (
                large, '50000 images, 10 classes, f {f:.0f}'):
            if not plans:
                continue
            extrapolate(fitted, plans)
            name = name.format(**plans[0])
            text += [f'Model, {name}; {model.scores(plans[0])} scores, nodes of {node} ranks:', ''] + table_of_model(plans) + ['']
            # the line goes through the ranks that were measured as well
            seen = {run['ranks']: dict(run) for run in measured} if plans is first else {}
            line = sorted([*seen.values(), *(dict(run) for run in plans if run['ranks'] not in seen)], key=lambda run: run['ranks'])
            extrapolate(fitted, line)
            blocks.append((name, [(r['ranks'], r['total'], r['efficiency']) for r in line]))
        if blocks:
            points = [(r['ranks'], sum(r[p] for p in model.PHASES), r['efficiency']) for r in measured]
            blocks.append(('measured', points or [('nan',) * 3]))
            write_blocks(os.path.join(output, 'model.dat'), blocks)
            everything = [row for _, rows in blocks for row in rows if row[0] != 'nan']
            draw('model.gp', output, data='model.dat', picture='model.png', curves=len(blocks), first=min(row[0] for row in everything),
                 last=max(row[0] for row in everything), most=max(row[2] for row in everything))
            text += ['![model](model.png)', '', 'What does not fit the memory of a node has no line.', '']
        with open(os.path.join(output, 'model.json'), 'w') as file:
            json.dump(dict(fitted, worst_ratio=worst, runs=len(usable), first=first, large=large), file, indent=1)
    else:
        text += ['All runs are oversubscribed: no model is fitted.', '']
    with open(os.path.join(output, 'report.md'), 'w') as file:
        file.write('\n'.join(text))


main()
