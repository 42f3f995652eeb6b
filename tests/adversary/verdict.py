"""What is wrong with what psdnet says of an instance: Judge.faults, words and evidence.

The bound must not be above the objective of any network, the primal is the objective of the network in the file, exit status 0 means
that the gap was reached. Objectives are this folder's own (network.py), and nothing is allowed for but their own error.
"""
import os

import numpy

import attack
import certificate
from instance import choose_solver, make_instance
from network import Loss, Neurons, Objective
from program import Model, Run, same_geometry, write_images, writes_certificates

# of the printed objective: relative, and a few units of rounding of each target, which a residual in double precision has anyway; a
# larger error needs a warning of rounding
PRIMAL_TOLERANCE, PRIMAL_ROUNDING = 1e-9, 8 * numpy.finfo(float).eps
ATTACKED, WITNESSED, RERUN, CERTIFIED, PREDICTED = 0.35, 0.5, 0.05, 0.05, 0.02


def not_below(bound):
    """the question whether an objective in [low, high] is at least `bound`"""
    return lambda low, high: True if low >= bound else False if high < bound else None


def close_to(value, relative, absolute):
    def question(low, high):
        middle, half = (low + high) / 2, (high - low) / 2
        off = abs(value - middle)
        if off + half <= relative * (abs(middle) - half) + absolute:
            return True
        return False if off - half > relative * (abs(middle) + half) + absolute else None
    return question


def within_gap(bound, gap):
    """is the objective's own distance to the bound at most gap?"""
    return lambda low, high: True if high - bound <= gap * abs(high) and low - bound <= gap * abs(low) else \
        False if low - bound > gap * abs(low) * (1 + 1e-12) and high - bound > gap * abs(high) * (1 + 1e-12) else None


class Judge:
    """One instance: runs it, fills faults (list of (class, evidence)), statistics, and commands."""

    def __init__(self, program, seed, kind, directory, ranks=None, solver=None):
        self.program, self.directory, self.it = program, directory, make_instance(seed, kind)
        self.it.ranks = ranks or self.it.ranks
        if solver:
            choose_solver(self.it, solver)
        self.faults, self.commands, self.refusal, self.reached, self.iterations = [], [], '', None, None
        # apart from the generator's numbers, so that what is tried does not change the instances
        self.random = numpy.random.default_rng([seed, 7])
        if writes_certificates(program[0]) and self.it.command == 'train' and self.random.random() < WITNESSED:
            self.it.options['-certificate'] = 'c.h5'

    def fault(self, word, *evidence):
        if word not in [said for said, _ in self.faults]:
            self.faults.append((word, ' '.join(str(part) for part in evidence)))

    def run(self, words, ranks):
        run = Run(self.program, ranks, words, self.directory)
        self.commands.append(run.line())
        complaint = run.complaint()
        if complaint:
            self.fault(complaint, run.last_words())
        return run

    def train(self, changes=None, ranks=None, command=None):
        options = {**self.it.options, **(changes or {})}
        words = [command or self.it.command] + [word for name, value in options.items() for word in ([name] if value is None else [name, value])]
        for name in 'm.h5', 'r.json':
            if os.path.exists(f'{self.directory}/{name}'):
                os.remove(f'{self.directory}/{name}')
        return self.run(words + ['-data', '.', '-model', 'm.h5', '-report', 'r.json', '-progress', 'none'], ranks or self.it.ranks)

    def judge(self):
        write_images(self.it, self.directory)
        run = self.train()
        self.warned = run.warns_of_rounding()
        self.refusal = run.refusal()
        if run.status not in (0, 2) or self.faults:
            return self
        model = self.read('m.h5')
        if model is None:
            return self
        report = run.report()
        self.iterations, self.reached = report['iterations'], run.status == 0
        self.prepare(model)
        self.check_statements(run, report, model)
        if self.it.command == 'path':
            for k in range(1, 6):
                kept = self.read(f'm.h5.{k}') if os.path.exists(f'{self.directory}/m.h5.{k}') else None
                if kept:
                    self.check_network(f'model {k}', kept.neurons, kept.beta, kept.primal, kept.bound, run)
        elif run.status == 0 and not run.ended_early():
            self.check_gap(model, float(self.it.options.get('-gap', 1e-4)))
        for more in self.try_others, self.certify, self.predict, self.rerun:
            if not self.faults:
                more(model)
        return self

    def read(self, name):
        try:
            model = Model(f'{self.directory}/{name}')
        except (OSError, KeyError) as error:
            return self.fault('no model', error)
        finite = numpy.isfinite([model.primal, model.bound, model.gap, model.beta]).all()
        if not (finite and numpy.isfinite(model.neurons.weights).all() and numpy.isfinite(model.neurons.filters).all()):
            return self.fault('not finite', model.primal, model.bound, model.gap)
        return model

    def prepare(self, model):
        """The objective, with the transform of patches that the model has: it is a part of the problem."""
        images, Y = self.it.samples()
        if self.it.branches and not same_geometry(self.it.branches, model.branches):
            self.fault('other patches', 'the model file has not the options given')
        activation = [float(word) for word in self.it.options.get('-activation', '0.09,0.5,0.47').split(',')]
        self.objective = Objective(images, model.branches, activation, Loss(self.it.loss, Y, self.it.number('-huber_delta', 1)))
        if '-beta' in self.it.options and self.it.command == 'train' and model.beta != float(self.it.options['-beta']):
            self.fault('other beta', model.beta)

    def check_statements(self, run, report, model):
        """lines, report and model say the same, and it is true; the largest bound that is said is the one to be judged"""
        said = [report['objective_primal'], report['objective_dual'], report['gap']]
        if None in said:
            return self.fault('not finite', said)
        primal, bound = run.printed()
        error = report['objective_primal_error']
        upper = model.primal + (numpy.inf if error is None else error)  # what is printed: the objective is not above it
        if self.it.command == 'path':
            primal, bound, upper = *said[:2], model.primal
        expected = [model.primal, model.bound, upper, model.bound]
        if not all(one == other or abs(one - other) <= 1e-10 * abs(other) + 1e-300 for one, other in zip([*said[:2], primal, bound], expected)):
            self.fault('statements differ', said, primal, bound, model.primal, model.bound)
        self.bound = max(said[1], model.bound)
        self.check_network('own network', model.neurons, model.beta, model.primal, self.bound, run)
        self.check_printed(bound, model)
        self.check_certificate(model, bound)

    def check_printed(self, bound, model):
        """what is printed with fewer digits has to be true as well"""
        for neurons in model.neurons, Neurons.none(model.neurons.filters.shape[1]):
            if bound > self.bound and not self.objective.decide(neurons, model.beta, not_below(bound))[0]:
                self.fault('false print', f'{bound!r} is printed, and above an objective; the bound is {self.bound!r}')

    def check_certificate(self, model, bound):
        """the dual point that the bound was made of, where it was asked for"""
        path = self.directory + '/' + self.it.options.get('-certificate', '')
        if '-certificate' in self.it.options:
            for word, evidence in certificate.faults(self.objective, model.beta, certificate.DualPoint(path), max(bound, self.bound)):
                self.fault(word, evidence)

    def check_network(self, name, neurons, beta, primal, bound, run):
        rounding = PRIMAL_ROUNDING * self.objective.loss.Y.size
        right, value = self.objective.decide(neurons, beta, close_to(primal, PRIMAL_TOLERANCE, rounding))
        if not right and not run.warns_of_rounding():
            self.fault('wrong primal', f'{name}: says {primal!r}, is {value:.20g}')
        self.check_bound(name, neurons, beta, bound)
        self.check_bound('network without neurons', Neurons.none(neurons.filters.shape[1]), beta, bound)

    def check_bound(self, name, neurons, beta, bound):
        right, value = self.objective.decide(neurons, beta, not_below(bound))
        if not right:
            self.fault('false bound', f'{bound!r} is above the objective of {name}, {value:.25g}')
        return right

    def check_gap(self, model, gap):
        right, value = self.objective.decide(model.neurons, model.beta, within_gap(model.bound, gap))
        if not right:
            self.fault('gap not reached', f'objective {value:.20g}, bound {model.bound!r}, asked for {gap}')

    def try_others(self, model):
        """networks nearby, and with some probability those that a search finds"""
        for _ in range(2):
            if not self.check_bound('a network nearby', attack.perturb(self.random, model.neurons), model.beta, self.bound):
                return
        if self.random.random() < ATTACKED:
            for neurons in attack.search(self.objective, model.neurons, model.beta, self.random):
                if not self.check_bound('a network found', neurons, model.beta, self.bound):
                    return

    def certify(self, model):
        """psdnet certify says the same of the file, and nothing false"""
        if self.it.command != 'train' or self.random.random() >= CERTIFIED:
            return
        options = self.it.options
        kept = [word for name in ('-limit', '-validation') if name in options for word in (name, options[name])]
        proof = ['-certificate', options['-certificate']] if '-certificate' in options else ['-max_it', options.get('-max_it', '300')]
        run = self.run(['certify', '-data', '.', '-model', 'm.h5', '-progress', 'none'] + proof + kept, int(self.random.integers(1, 3)))
        primal, bound = run.printed()
        if '-certificate' in options and run.status != 0:
            self.fault('certificate refused', run.text)
        if run.status in (0, 2):
            self.check_network('certify', model.neurons, model.beta, primal, bound, run)

    def predict(self, model):
        """scores of the training images are those of the definition, unless training has said that rounding may hide them"""
        if '-flip' in self.it.options or self.random.random() >= PREDICTED:
            return
        kept = [word for name in ('-limit', '-classes') if name in self.it.options for word in (name, self.it.options[name])]
        run = self.run(['predict', '-data', '.', '-model', 'm.h5', '-progress', 'none', '-output', 'p.csv'] + kept, 1)
        if run.status == 0:
            rows = numpy.loadtxt(self.directory + '/p.csv', delimiter=',', skiprows=1, ndmin=2)
            fit, error = self.objective.scores(model.neurons)
            off, scale = abs(rows[:len(fit), 1:-1] - fit) - error, abs(fit).max() + abs(model.neurons.weights).sum() * 0
            if numpy.isfinite(scale) and (off > 1e-8 * scale).any() and not self.warned:
                self.fault('wrong scores', f'off by {off.max()} of {scale}')

    def rerun(self, model):
        """a network of the same data from other ranks, kernels or beta is a network of this instance, too"""
        resumed = '-checkpoint' in self.it.options
        if self.it.command != 'train' or (self.random.random() >= RERUN and not resumed):
            return
        factor = 10.0**self.random.uniform(-1, 1)
        changes = [{'-cone': 'partial'}, {'-cone': 'lapack'}, {'-consensus': 'scalapack'}, {'-rho': None}, {}]
        change = dict(changes[self.random.integers(len(changes))])
        if self.it.options.get('-solver') == 'lowrank':
            change = {} if resumed or self.random.random() < 0.5 else {'-solver': 'admm'}
        for name in '-beta', '-beta_rel':
            if name in self.it.options and self.random.random() < 0.4:
                change[name] = repr(float(f'{float(self.it.options[name]) * factor:.3g}'))
        if change.get('-rho', 0) is None:
            change['-rho'] = '1'
        if resumed:
            change = {'-resume': None, '-max_it': str(int(self.it.options.get('-max_it', '5000')) + 20)}
        run = self.train(change, min(len(self.it.images), int(self.random.integers(1, 4))))
        other = self.read('m.h5') if run.status in (0, 2) else None
        if other:
            self.check_bound('a network of another run', other.neurons, model.beta, self.bound)
            if other.beta == model.beta and all(branch.transform is None for branch in model.branches):
                self.check_bound("this run, by another run's bound", model.neurons, model.beta, other.bound)
