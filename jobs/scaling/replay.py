#!/usr/bin/python3
"""replay.py study FOLDER [RANKS...] | replay.py show FOLDER | replay.py check FOLDER DATA [RANKS...] | replay.py project FOLDER [RANKS...]

What runs of psdnet would take on the machine of cluster.xml, by SimGrid (smpirun of libsimgrid-dev), which replays what ranks compute and say
to each other (schedule.py, messages.py). Three kinds of numbers are told apart: flops and seconds of computing are counted by `psdnet plan` at
the rates of RATES, messages are those of the schedule, and how long they take beside each other on the links is simulated.

study    FOLDER/simulated.csv: seconds by phase of each of JOBS on RANKS (16 to 1,024, which take up to some minutes each), and efficiency
         against one rank, or the least number of ranks that plan does not refuse. An iteration, a check, a step of Lanczos, a turn of A'A and,
         where there are many panels, some stretches of them are simulated; the rest is as many times those. Then show
show     of simulated.csv a table in Markdown, FOLDER/simulated.md, and a picture, FOLDER/simulated.png
check    records real runs with the images DATA on RANKS (4, 8, 16) ranks of this machine, and compares bytes that a rank sends, and simulated
         seconds of all messages without computing, with those of the schedule: FOLDER/check.csv. RANKS/NODE, as 16/4: psdnet takes so many
         ranks for a node
project  seconds of a projection of one matrix of order PROJECTION by the partial method, step by step: FOLDER/project.md

PSDNET=FILE: the program (build/psdnet). Needs jobs/setup.sh simulation.
"""
import collections
import csv
import functools
import json
import os
import re
import subprocess
import sys
import tempfile

from messages import Trace
from schedule import CHECK_EVERY, ITERATIONS, STEPS, DualRun, LowrankRun, ProjectionRun, Run

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PSDNET = os.environ.get('PSDNET', os.path.join(ROOT, 'build', 'psdnet'))
PLATFORM = os.path.join(HERE, 'cluster.xml')
SPEED, NODE = 40e9, 64  # cluster.xml
RATES = '40,40,30,10'
RANKS = 16, 64, 128, 256, 1024
COARSE, COLUMNS, PASSES = 256, 12, 15  # of the low-rank solver: components, neurons of a class, passes over all patches
WEAK_IMAGES = 10000  # a rank
PHASES = 'lift', 'gram', 'factor', 'solve', 'certify'
# with memory for all lifted features, so that one rank does not lift twice
Job = collections.namedtuple('Job', 'options images weak')
ADMM = f'-solver admm -image 3x32x32 -class_count 10 -memory 16000 -iterations {ITERATIONS}'
JOBS = {'D = 4,900': Job(f'{ADMM} -patch 4 -stride 1 -pool 2 -precision double', 50000, False),
        'D = 18,721': Job(f'{ADMM} -patch 8 -stride 4 -precision double', 50000, False),
        'D = 74,884': Job(f'{ADMM} -patch 8 -stride 4 -pool 2 -precision double', 50000, False),
        'dual, f = 768': Job(f'{ADMM} -patch 16 -stride 16 -consensus dual', 50000, False),
        'low-rank, f = 3,072': Job(f'-solver lowrank -image 3x32x32 -class_count 10 -patch 32 -coarse {COARSE} -columns {COLUMNS} -passes {PASSES}',
                                   50000, False),
        "weak A'A, D = 4,900": Job(f'{ADMM} -patch 4 -stride 1 -pool 2 -precision double', WEAK_IMAGES, True),
        "weak A'A, D = 18,721": Job(f'{ADMM} -patch 8 -stride 4 -precision double', WEAK_IMAGES, True)}

# ---------------------------------------------------------------- SimGrid

def simulate(trace, folder):
    """Seconds until the last rank has done all of its trace."""
    names = []
    for rank, lines in enumerate(trace.lines):
        names.append(os.path.join(folder, f'{rank}.ti'))
        with open(names[-1], 'w') as file:
            file.writelines(f'{rank} {line}\n' for line in ['init', *lines, 'waitall', 'finalize'])
    with open(os.path.join(folder, 'traces'), 'w') as file:
        file.write('\n'.join(names) + '\n')
    with open(os.path.join(folder, 'hosts'), 'w') as file:
        file.writelines(f'node-{rank // NODE}\n' for rank in range(trace.ranks))
    command = ['smpirun', '-np', str(trace.ranks), '-platform', PLATFORM, '-hostfile', os.path.join(folder, 'hosts'), '-replay',
               os.path.join(folder, 'traces'), '--cfg=smpi/coll-selector:ompi', '--cfg=smpi/bw-factor:0:1', '--cfg=smpi/lat-factor:0:1',
               '--cfg=smpi/host-speed:40Gf', '--log=smpi_coll.thres:warning']
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    # a line of the last rank that is done, and of others that were when all who had begun were
    found = re.findall(r'Simulation time ([0-9.eE+-]+)', done.stderr + done.stdout)
    if done.returncode or not found:
        sys.exit(f'replay.py: smpirun failed with status {done.returncode}:\n{(done.stderr + done.stdout)[-3000:]}')
    return max(map(float, found))


def seconds_of(ranks, fill):
    """Simulated seconds of what fill puts into a trace."""
    trace = Trace(ranks)
    fill(trace)
    with tempfile.TemporaryDirectory() as folder:
        return simulate(trace, folder)


# ---------------------------------------------------------------- a study

def plan(job, ranks, folder):
    path = os.path.join(folder, 'plan.json')
    consensus = [] if ranks == 1 or 'admm' not in job.options or '-consensus' in job.options else ['-consensus', 'scalapack']
    images = job.images * (ranks if job.weak else 1)
    done = subprocess.run([PSDNET, 'plan', *job.options.split(), *consensus, '-images', str(images), '-ranks', str(ranks),
                           '-ranks_per_node', str(NODE), '-node_memory', '1000', '-rates', RATES, '-report', path], capture_output=True, text=True)
    if done.returncode:
        print(f'{ranks} ranks:', done.stderr.strip())
        return None
    with open(path) as file:
        return json.load(file)


def run_of(planned, classes=10):
    pairs, f, ranks = planned['blocks'] // 2, planned['f'], planned['ranks']
    if planned['solver'] == 'lowrank':
        return LowrankRun(f, classes, COARSE, COLUMNS, PASSES, ranks)
    if planned['consensus'] == 'dual':
        m = (f + 1) * (f + 2) // 2
        # patches that do not overlap, in one region: as many numbers as an image has
        return DualRun(planned['n'], classes, pairs, m, 3 * 32 * 32, ranks)
    return Run(planned['n'], planned['D'], classes, pairs, ranks)


def simulated(planned, phases=PHASES):
    """Seconds by phase, of the phases given. What is computed is what plan has of a phase but for the network."""
    seconds = {phase: planned['seconds'][phase] - planned['network'][phase] for phase in PHASES}
    if planned['ranks'] > 1:
        run = run_of(planned)
        for phase, steps in run.steps({phase: SPEED * seconds[phase] for phase in PHASES}).items():
            if phase in phases:
                seconds[phase] = sum(count * seconds_of(run.ranks, fill) for count, fill in steps)
    return {phase: seconds[phase] if phase in phases else 0 for phase in PHASES}


def study(folder, numbers):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, 'simulated.csv'), 'w', newline='') as file:
        table = csv.writer(file)
        table.writerow(['job', 'ranks', *PHASES, 'total', 'efficiency', *(f'computing_{phase}' for phase in PHASES)])
        for name, job in JOBS.items():
            alone = None
            for ranks in (1, *numbers):
                planned = plan(job, ranks, folder)
                if not planned:
                    continue
                phases = ['gram'] if job.weak else PHASES
                seconds = simulated(planned, phases)
                total = sum(seconds.values())
                work = total * (1 if job.weak else ranks)
                alone = alone or work
                computing = [planned['seconds'][phase] - planned['network'][phase] if phase in phases else 0 for phase in PHASES]
                table.writerow([name, ranks, *(f'{seconds[phase]:.9g}' for phase in PHASES), f'{total:.9g}', f'{alone / work:.9g}',
                                *(f'{x:.9g}' for x in computing)])
                file.flush()
                print(name, ranks, {phase: round(x, 3) for phase, x in seconds.items()}, f'{100 * alone / work:.0f} %', flush=True)


# ---------------------------------------------------------------- the projection of one matrix

PROJECTION = 16000, 256, 9  # order, eigenvalues on the side that has fewer, products with all of their vectors


def project(folder, numbers):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, 'project.md'), 'w') as file:
        file.write('| ranks | search | proof | Z | mirrors | total | speed-up | MB of parts a rank |\n|---|---|---|---|---|---|---|---|\n')
        least = None
        for ranks in numbers:
            run = ProjectionRun(*PROJECTION, ranks)
            chosen, weight = run.stretches()
            seconds = [seconds_of(ranks, run.search),
                       seconds_of(ranks, run.add_product) + weight * sum(seconds_of(ranks, lambda t: run.proof(t, panels)) for panels in chosen),
                       seconds_of(ranks, run.add_product), 2 * seconds_of(ranks, run.mirror)]
            total = sum(seconds)
            least = least or total * ranks
            file.write(f"| {ranks} | {' | '.join(f'{x:.3g}' for x in seconds)} | {total:.3g} | {least / total:.0f} | {3 * 8 * run.N ** 2 / ranks / 1e6:.0f} |\n")
            file.flush()
            print(ranks, [round(x, 4) for x in seconds], flush=True)


# ---------------------------------------------------------------- table and picture

def cell(row, phase):
    return f"{float(row[phase]):.3g} ({float(row['computing_' + phase]):.3g})"


def show(folder):
    with open(os.path.join(folder, 'simulated.csv'), newline='') as file:
        rows = list(csv.DictReader(file))
    with open(os.path.join(folder, 'simulated.md'), 'w') as file:
        file.write(f"| job | ranks | {' | '.join(PHASES)} | total | efficiency |\n{'|---' * (len(PHASES) + 4)}|\n")
        for row in rows:
            file.write(f"| {row['job']} | {row['ranks']} | {' | '.join(cell(row, phase) for phase in PHASES)} | {float(row['total']):.3g} | "
                       f"{100 * float(row['efficiency']):.0f} % |\n")
    with open(os.path.join(folder, 'simulated.dat'), 'w') as file:
        jobs = dict.fromkeys(row['job'] for row in rows)
        for job in jobs:
            file.write(f'"{job}"\n')
            mine = [row for row in rows if row['job'] == job]
            for row in mine:
                counted = sum(float(row['computing_' + phase]) for phase in PHASES)
                alone = float(row['efficiency']) * float(row['total'])
                file.write(f"{job.replace(' ', '')} {row['ranks']} {100 * float(row['efficiency']):.2f} {100 * alone / counted:.2f}\n")
            file.write('\n\n')
    settings = f"data='simulated.dat';picture='simulated.png';curves={len(jobs)}"
    subprocess.run(['gnuplot', '-e', settings, os.path.join(HERE, 'simulated.gp')], check=True, cwd=folder)


# ---------------------------------------------------------------- recorded runs

RECORDED = {'scalapack': '-limit 1000 -patch 4 -stride 1 -pool 2', 'dual': '-limit 1000 -patch 12 -stride 10 -pca 300'}
POSITIONS = 9  # patches of an image there, in one region
TEN = '-gap 1e-15 -check_every 10 -max_it 10 -progress none'  # iterations and a check


def record(consensus, ranks, node, data, folder):
    """Runs psdnet, and returns what its ranks have said, a list of lines each, and its report. node: ranks that it takes for one."""
    library = os.path.join(folder, 'record.so')
    flags = subprocess.run('pkg-config --cflags PETSc || pkg-config --cflags petsc', shell=True, capture_output=True, text=True).stdout.split()
    build = os.path.dirname(PSDNET)
    subprocess.run(['mpicc', '-std=c11', '-O2', '-shared', '-fPIC', '-I' + os.path.join(ROOT, 'include'), os.path.join(HERE, 'record.c'), '-o',
                    library, '-L' + build, '-lpsdnet', '-ldl', *flags], check=True)
    stem = os.path.join(folder, f'said-{consensus}-{ranks}-{node}')
    done = subprocess.run([os.path.join(ROOT, 'jobs', 'launch'), str(ranks), 'env', 'LD_PRELOAD=' + library, 'RECORD=' + stem,
                           f'RECORD_NODE={node}', PSDNET, 'train',
                           '-data', data, *RECORDED[consensus].split(), '-consensus', consensus, *TEN.split(),
                           '-model', stem + '.h5', '-report', stem + '.json'], capture_output=True, text=True)
    if done.returncode not in (0, 2):
        sys.exit(f'replay.py: psdnet failed with status {done.returncode}:\n{done.stderr[-2000:]}')
    with open(stem + '.json') as file:
        report = json.load(file)
    return [open(f'{stem}.{rank}').read().splitlines() for rank in range(ranks)], report


@functools.lru_cache(maxsize=None)
def expanded(ranks, kind, size, root, members):
    """A collective of some ranks, or one that SimGrid's traces do not have, as messages: lines and bytes of each rank."""
    trace = Trace(ranks)
    members = list(members)
    if kind == 'bcast':
        trace.broadcast(members, root, size)
    elif kind == 'reduce':
        trace.reduce(members, root, size)
    elif kind == 'allreduce':
        trace.sum_up(members, size)
    elif kind == 'gather':
        for member in members:
            trace.send(member, root, size / len(members))
    elif kind == 'reduce_scatter':
        trace.reduce_scatter(members, size)
    else:  # allgather
        trace.ring(members, size)
    return trace


def lines_of(lines, phase):
    """What a rank has said in a phase."""
    here = False
    for line in lines:
        if line.startswith('phase '):
            here = line.split()[1] == phase
        elif here:
            yield line


def replayed(said, phase):
    """What was said in a phase, as a trace."""
    trace, sent, received, tags = Trace(len(said)), collections.Counter(), collections.Counter(), {}
    for rank, lines in enumerate(said):
        for line in lines_of(lines, phase):
            kind, *words = line.split()
            if kind in ('send', 'recv'):
                other, size = int(words[0]), int(words[1])
                if other == rank or size == 0:
                    continue
                # arrays of several tags overtake each other; 0 is that of collectives, which are expanded
                tag = tags.setdefault(words[2], len(tags) + 1)
                trace.lines[rank].append(f'{"isend" if kind == "send" else "recv"} {other} {tag} {size}')
                (sent if kind == 'send' else received)[(rank, other, tag) if kind == 'send' else (other, rank, tag)] += 1
                if kind == 'send':
                    trace.messages[rank] += 1
                    trace.bytes[rank] += size
            elif kind != 'barrier':
                size, root = int(words[0]) if kind != 'reduce_scatter' else tuple(map(int, words[0].split(','))), int(words[1])
                members = tuple(range(len(said))) if words[2] == '*' else tuple(map(int, words[2].split(',')))
                part = expanded(len(said), kind, size, root, members)
                trace.lines[rank] += part.lines[rank]
                trace.bytes[rank] += part.bytes[rank]
                trace.messages[rank] += part.messages[rank]
    if sent != received:
        sys.exit(f'replay.py: {phase}: not all that was sent was received: {sent - received} {received - sent}')
    return trace


def scheduled(run, phase):
    trace = Trace(run.ranks)
    if phase == 'gram':
        for count, fill in run.gram_steps(0):
            for _ in range(count):
                fill(trace)
    elif phase == 'factor':
        for _ in range(STEPS):
            run.lanczos_step(trace, 0)
        run.factor(trace)
    elif phase == 'solve':
        for _ in range(CHECK_EVERY):
            run.iteration(trace, 0)
        run.check(trace, 0)
    else:
        run.certify(trace, 0)
    trace.lines = [[line for line in lines if not line.startswith('compute')] for lines in trace.lines]
    return trace


def run_recorded(report, said, node):
    """The run that was recorded. How many filters its blocks had depends on the images."""
    if report['consensus'] == 'dual':
        f = report['f']
        run = DualRun(report['n'], 10, report['blocks'] // 2, (f + 1) * (f + 2) // 2, POSITIONS * f, report['ranks'], node)
        gathered = [int(line.split()[1]) for line in lines_of(said[0], 'solve') if line.startswith('allgather ')]
        run.terms = sum(gathered) / (CHECK_EVERY + 1)
        return run
    return Run(report['n'], report['D'], 10, report['blocks'] // 2, report['ranks'], node)


def check(folder, data, ranks):
    os.makedirs(folder, exist_ok=True)
    runs = [(consensus, *map(int, (word.split('/') * 2)[:2])) for consensus in RECORDED for word in ranks]
    with open(os.path.join(folder, 'check.csv'), 'w', newline='') as file, tempfile.TemporaryDirectory() as work:
        table = csv.writer(file)
        table.writerow('consensus ranks node phase recorded_mb scheduled_mb recorded_messages scheduled_messages recorded_seconds scheduled_seconds'.split())
        for consensus, count, node in runs:
            said, report = record(consensus, count, node, data, work)
            run = run_recorded(report, said, node)
            for phase in 'gram', 'factor', 'solve', 'certify':
                traces = replayed(said, phase), scheduled(run, phase)
                row = [consensus, count, node, phase, *(f'{max(t.bytes) / 1e6:.2f}' for t in traces), *(max(t.messages) for t in traces),
                       *(f'{simulate(t, work):.5f}' for t in traces)]
                table.writerow(row)
                file.flush()
                print(*row, flush=True)


if __name__ == '__main__':
    if len(sys.argv) < 3 or sys.argv[1] not in ('study', 'show', 'check', 'project') or sys.argv[1:] == ['check', sys.argv[2]]:
        sys.exit(__doc__)
    if sys.argv[1] == 'check':
        check(sys.argv[2], sys.argv[3], sys.argv[4:] or ['4', '8', '16'])
    elif sys.argv[1] == 'project':
        project(sys.argv[2], [int(word) for word in sys.argv[3:]] or (1, *RANKS))
    else:
        if sys.argv[1] == 'study':
            study(sys.argv[2], [int(word) for word in sys.argv[3:]] or RANKS)
        show(sys.argv[2])
