"""A model of the time of a run by phase, fitted to measured ones (report.py uses it).

    seconds of a phase = compute_p * (flops a rank / dgemm's rate)              work at the speed of the fastest kernel
                       + other_p   * (what psdnet plan foresees beyond that)    passes over memory, slower kernels
                       + latency   * messages + per_byte * bytes                collectives over R > 1 ranks

Flops, seconds, messages and bytes are those of `psdnet plan` on as many ranks, with rates it measured there; of its seconds those
of the network are taken out. tests/check_count.sh compares its bytes with what a run counts.

Coefficients are not negative: least squares of relative errors, each phase weighted by its seconds or, when it is short, by a
fiftieth of the run's. Oversubscribed runs are left out of the fit. Latency and bytes come from the fit only when runs on several
nodes are in it; else they are assumed, and said to be.
"""
import math

PHASES = 'lift gram factor solve certify'.split()
PLANNED = 'seconds flops network messages bytes'.split()
SHORT = 0.02
NOMINAL = {'latency': 5e-6, 'per_byte': 1 / 5e9}


def scores(run):
    """C: blocks are two a class and region, of which D has as many as are in it."""
    return max(1, round(run['blocks'] * (run['f'] + 1) * (run['f'] + 2) / 4 / run['D']))


def terms(run, phase):
    """The four terms of a phase, each for a coefficient of one: compute, other, messages, bytes."""
    compute = run[f'plan_flops_{phase}'] / run['ranks'] / (run['dgemm_gflops'] * 1e9)
    other = max(0.0, run[f'plan_seconds_{phase}'] - run[f'plan_network_{phase}'] - compute)
    return compute, other, run[f'plan_messages_{phase}'], run[f'plan_bytes_{phase}']


def nonnegative_least_squares(rows, right):
    """min |A x - b|, x >= 0, by cyclic coordinate descent on the normal equations of columns of length one."""
    count = len(rows[0])
    length = [math.sqrt(sum(row[j] ** 2 for row in rows)) or 1.0 for j in range(count)]
    scaled = [[row[j] / length[j] for j in range(count)] for row in rows]
    normal = [[sum(row[i] * row[j] for row in scaled) for j in range(count)] for i in range(count)]
    target = [sum(row[i] * b for row, b in zip(scaled, right)) for i in range(count)]
    x = [0.0] * count
    for _ in range(20000):
        change = 0.0
        for i in range(count):
            if normal[i][i] == 0:
                continue
            step = (target[i] - sum(normal[i][j] * x[j] for j in range(count))) / normal[i][i]
            new = max(0.0, x[i] + step)
            change, x[i] = max(change, abs(new - x[i])), new
        if change <= 1e-14 * max(x):
            break
    return [value / scale for value, scale in zip(x, length)]


def fit(runs):
    """Coefficients from runs (dictionaries of numbers, as table.py names them): {phase: (compute, other)}, latency, per_byte, fitted."""
    network = any(run['nodes'] > 1 for run in runs)
    rows, right = [], []
    for run in runs:
        for k, phase in enumerate(PHASES):
            compute, other, messages, size = terms(run, phase)
            weight = 1 / max(run[phase], SHORT * run['total'])
            row = [0.0] * (2 * len(PHASES) + 2)
            row[2 * k], row[2 * k + 1] = weight * compute, weight * other
            if network:
                row[-2:] = [weight * messages, weight * size]
            rows.append(row)
            right.append(weight * run[phase])
    x = nonnegative_least_squares(rows, right)
    model = {phase: [x[2 * k], x[2 * k + 1]] for k, phase in enumerate(PHASES)}
    model.update({'latency': x[-2], 'per_byte': x[-1]} if network else NOMINAL)
    model['network'] = 'fitted' if network else 'assumed'
    return model


def predict(model, run):
    """Seconds by phase. Collectives cost nothing within a node unless they were fitted: memory, which plan has counted, is all they use."""
    network = model['network'] == 'fitted' or run['nodes'] > 1
    seconds = {}
    for phase in PHASES:
        compute, other, messages, size = terms(run, phase)
        seconds[phase] = model[phase][0] * compute + model[phase][1] * other
        if network:
            seconds[phase] += model['latency'] * messages + model['per_byte'] * size
    return seconds


def worst_ratio(model, runs):
    """How far off the sum of the phases is, at worst, over the runs: 1 is exact."""
    ratios = [sum(predict(model, run).values()) / sum(run[phase] for phase in PHASES) for run in runs]
    return max(max(ratio, 1 / ratio) if ratio > 0 else math.inf for ratio in ratios)
