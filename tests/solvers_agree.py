"""solvers_agree.py PSDNET LAUNCH DIRECTORY COUNT [FIRST]: random small instances of every smooth loss, by both types of solver.

Both are asked for a gap of GAP. Where they reach it their objectives are the optimum to GAP, and may differ by twice as much at most; where
one cannot, as rounding is in the way, the intervals that they prove have a point in common. The low-rank solver has to reach the gap, or
to say that what is left is rounding, and runs on 1 and on 2, 3 or 4 ranks.
"""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'adversary'))

from instance import Instance, chance, make_images, make_patches, pick, power  # noqa: E402
from judge import finish, require  # noqa: E402
from program import Run, write_images  # noqa: E402

LOSSES = 'squared', 'logistic', 'softmax', 'huber'
GAP, AGREE, MOST = 1e-9, 1e-8, {'admm': 20000, 'lowrank': 1000}


def make(number):
    it = Instance(number, 'ordinary')
    make_images(it, it.random, False)
    make_patches(it, it.random, False)
    it.loss = LOSSES[number % len(LOSSES)]
    it.options.update({'-loss': it.loss, '-beta_rel': power(it.random, -3, -0.1)})
    if it.loss == 'huber':
        it.options['-huber_delta'] = power(it.random, -1, 0.5)
    if chance(it.random, 0.3):
        it.options['-activation'] = pick(it.random, '1,0,0.1', '1,1,1', '0.5,0,0', '-0.3,0.2,0.1', '0.1,-1,0')
    return it


class Solved:
    def __init__(self, program, it, directory, solver, ranks):
        words = ['train', '-data', '.', '-solver', solver, '-gap', repr(GAP), '-max_it', str(MOST[solver]), '-model', 'm.h5', '-report',
                 'r.json', '-progress', 'none']
        run = Run(program, ranks, words + it.arguments(), directory)
        self.name, self.line, self.text = f'{solver} on {ranks}', run.line(), run.text
        self.ended, self.refused = run.status in (0, 2) and not run.complaint(), run.refusal()
        if self.ended:
            with open(directory + '/r.json') as file:
                report = json.load(file)
            self.objective, self.bound, self.gap = (report[key] for key in ('objective_primal', 'objective_dual', 'gap'))
            self.upper = self.objective + report['objective_primal_error']
            self.iterations, self.neurons = report['iterations'], report['neurons']
            self.reached = self.gap <= GAP

    def is_all_rounding(self):
        return re.search('^rounding limit', self.text, re.M) is not None


def compare(where, one, other):
    if one.reached and other.reached:
        require(abs(one.objective - other.objective) <= AGREE * abs(other.objective), where, one.name, one.objective, other.name, other.objective)
    require(one.bound <= other.upper and other.bound <= one.upper, where, 'intervals apart', one.name, [one.bound, one.upper], other.name,
            [other.bound, other.upper])


def check(program, scratch, number):
    it, directory = make(number), f'{scratch}/{number}'
    os.makedirs(directory)
    write_images(it, directory)
    runs = [Solved(program, it, directory, solver, ranks)
            for solver, ranks in [('admm', 1), ('lowrank', 1), ('lowrank', min(2 + number // len(LOSSES) % 3, len(it.images)))]]
    if len({run.refused for run in runs}) == 1 and runs[0].refused:
        print(number, 'refused by all:', runs[0].refused, flush=True)
        return
    for run in runs:
        if not require(run.ended, number, run.line, '\n', run.text):
            return
        if run.name != runs[0].name:
            require(run.reached or run.is_all_rounding(), number, run.line, 'gap', run.gap)
    for k, run in enumerate(runs):
        for other in runs[:k]:
            compare(f'{number} ({it.loss})', run, other)
    print(f'{number} {it.loss} beta_rel {it.options["-beta_rel"]}: {runs[0].objective:.12g};',
          '; '.join(f'{run.name}: {run.iterations} iterations, gap {run.gap:.1e}, {run.neurons} neurons' for run in runs), flush=True)


def main():
    psdnet, launch, scratch, count, first = (sys.argv[1:] + ['0'])[:5]
    for number in range(int(first), int(first) + int(count)):
        check((os.path.abspath(psdnet), os.path.abspath(launch)), os.path.abspath(scratch), number)
    finish()


if __name__ == '__main__':
    main()
