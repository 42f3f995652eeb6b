"""Runs psdnet on an instance and reads what it wrote: files, lines, exit status."""
import functools
import json
import os
import re
import resource
import shlex
import signal
import subprocess

import h5py
import numpy

from network import Branch, Neurons

CPU_SECONDS, WALL_SECONDS = 60, 600

# Open MPI on one machine, as in tests/CMakeLists.txt: half of what a start takes
ONE_MACHINE = dict(OMPI_MCA_pml='ob1', OMPI_MCA_btl='self,vader', OMPI_MCA_ess_singleton_isolated='1', OPENBLAS_NUM_THREADS='1',
                   OMPI_MCA_odls_base_sigkill_timeout='0', OMPI_MCA_hwloc_base_binding_policy='none', OMPI_MCA_mpi_yield_when_idle='1')


class Run:
    """command: words; status: of the exit, None when it was ended; text: both streams"""

    def __init__(self, program, ranks, words, directory):
        psdnet, launch = program
        self.command = ([launch, str(ranks)] if ranks > 1 else []) + [psdnet] + words
        self.directory = directory
        environment = {**ONE_MACHINE, **os.environ, 'TMPDIR': directory}
        process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=directory, env=environment,
                                   preexec_fn=limit, text=True, errors='replace')
        try:
            self.text, _ = process.communicate(timeout=WALL_SECONDS)
            self.status = None if process.returncode == -signal.SIGXCPU or 'CPU time limit' in self.text else process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            self.text, self.status = process.communicate()[0], None

    def line(self):
        return shlex.join(self.command)

    def complaint(self):
        """what is wrong with how it ended, or None; any of 0, 1 and 2 is right when it is said as a user is spoken to"""
        if self.status is None:
            return 'hang'
        for words in 'PETSC ERROR', 'Caught signal', 'Traceback':
            if words in self.text:
                return 'traceback'
        if self.status not in (0, 1, 2):
            return f'status {self.status}'
        errors = len(re.findall('^psdnet: error: ', self.text, re.MULTILINE))
        if errors != (self.status == 1):
            return f'{errors} lines of error'
        return None

    def last_words(self):
        """of a traceback where it began and why, else the last lines"""
        lines = [re.sub(r'^\[\d+\]PETSC ERROR: ', '', line) for line in self.text.splitlines() if 'PETSC ERROR' in line]
        places = [line for line in lines if re.match('#[12] ', line)]
        why = [line for line in lines if not re.match('#|-----|Options|Option left|WARNING|See https|Petsc Release|Configure|/', line)]
        return '; '.join(why[:2] + places[:2]) if lines else self.text[-600:]

    def refusal(self):
        found = re.search('^psdnet: error: (.*)', self.text, re.MULTILINE)
        return re.sub(r"[-+\d.e]*\d[-+\d.e]*", '#', found[1])[:90] if found else ''

    def warns_of_rounding(self):
        return any('round' in line for line in re.findall('^warning .*', self.text, re.MULTILINE))

    def ended_early(self):
        return re.search('^(time limit|signal) after', self.text, re.MULTILINE) is not None

    def printed(self):
        """the numbers of the lines primal and bound; NaN where there is none"""
        found = [re.search(rf'^{name} +([-+.\d]\S*|nan|inf)', self.text, re.MULTILINE) for name in ('primal', 'bound')]
        return [float(match[1]) if match else numpy.nan for match in found]

    def report(self):
        with open(self.directory + '/r.json') as file:
            return json.load(file)


@functools.lru_cache
def writes_certificates(psdnet):
    """whether train has the option -certificate"""
    return '-certificate ' in subprocess.run([psdnet, 'train', '-help'], capture_output=True, text=True, env={**ONE_MACHINE, **os.environ}).stdout


def limit():
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def write_images(it, directory):
    with h5py.File(directory + '/train.h5', 'w') as file:
        file['images'], file['labels'] = it.images, it.labels.astype(numpy.int32)


class Model:
    """what a model file says"""

    def __init__(self, path):
        with h5py.File(path) as file:
            self.attributes = dict(file.attrs)
            read = lambda name: file['/neurons/' + name][:]
            self.neurons = Neurons(read('filter'), read('weight'), read('region'), read('class'))
            groups = [file[f'/branch/{k}'] for k in range(file.attrs['branches'])] if file.attrs['branches'] > 1 else [file]
            self.branches = [read_branch(group) for group in groups]
        self.beta = float(self.attributes['beta'])
        self.primal, self.bound, self.gap = (float(self.attributes[name]) for name in ('objective_primal', 'objective_dual', 'gap'))


def read_branch(group):
    get = lambda name, default: group.attrs.get(name, default)
    branch = Branch((int(get('patch_height', 0)), int(get('patch_width', 0))), *(int(get(name, default)) for name, default in
                    [('reduce', 1), ('stride', 1), ('pool', 1), ('pool_overlap', 0)]),
                    *(float(get(name, 0)) for name in ('pixel_shift', 'pixel_scale', 'patch_normalize')))
    if 'preprocess' in group:
        branch.transform, branch.mean = group['preprocess/transform'][:], group['preprocess/mean'][:]
    return branch


def same_geometry(asked, found):
    names = 'patch', 'reduce', 'stride', 'pool', 'pool_overlap', 'pixel_shift', 'pixel_scale', 'patch_normalize'
    return len(asked) == len(found) and all(getattr(one, name) == getattr(other, name)
                                            for one, other in zip(asked, found) for name in names)
