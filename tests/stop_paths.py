"""check_path_resume.sh: paths are stopped by a signal once they are in a given beta, and continued on other numbers of ranks. Tables and
networks are those of paths that were left alone; a checkpoint is refused for what does not belong to it."""
import os
import re
import signal
import subprocess
import time

import h5py

from judge import demand, finish, numbers

LAUNCH, PSDNET = os.environ['LAUNCH'], os.environ['PSDNET']
COMMON = '-data data -patch 3 -pool 2 -patch_normalize 10 -whiten 0.1 -validation 0.3 -max_it 20000 -progress none'
resumed = []  # iterations at which runs were continued


def inode(path):
    return os.stat(path).st_ino if os.path.exists(path) else 0


def stop_in_beta(process, checkpoint, done):
    """A signal, once a checkpoint is there with `done` betas in its table and a few iterations into the next one."""
    before = inode(checkpoint)
    while process.poll() is None:
        if inode(checkpoint) != before:
            with h5py.File(checkpoint) as file:
                rows, iteration = len(file.get('record', [])), file.attrs['iteration']
            if rows > done or (rows == done and iteration >= 3):
                process.send_signal(signal.SIGUSR1)
                return
        time.sleep(0.01)


def run(name, ranks, options, stop=None):
    """The exit status, and what was printed."""
    command = [LAUNCH, str(ranks), PSDNET] + f'path {COMMON} {options} -model {name}.m -table {name}.csv'.split()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if stop is not None:
        stop_in_beta(process, re.search(r'-checkpoint (\S+)', options)[1], stop)
    output = process.communicate(timeout=300)[0]
    resumed.extend(int(k) for k in re.findall('^resume   iteration *([0-9]+)', output, re.M))
    return process.returncode, output


def scores(name):
    subprocess.run([PSDNET, 'predict', '-data', 'data', '-model', name + '.m', '-output', name + '.p', '-progress', 'none'],
                   check=True, stdout=subprocess.DEVNULL)
    return numbers(name + '.p')


def compare(name, reference):
    found, expected = numbers(name + '.csv'), numbers(reference + '.csv')
    demand(len(found) == len(expected), name, 'has', len(found), 'betas, expected', len(expected))
    for a, b in zip(found, expected):
        for k, (x, y) in enumerate(zip(a, b)):
            # seconds are column 4; the gap, column 7, is a difference of the two before
            demand(k == 4 or abs(x - y) <= 1e-8 * (1 if k == 7 else abs(y)), name, 'beta', a[0], 'column', k, x, 'expected', y)
    for a, b in zip(scores(name), scores(reference)):
        demand(all(abs(x - y) <= 1e-6 * max(1, abs(y)) for x, y in zip(a, b)), name, 'predicts', a, 'expected', b)


def chain(name, options, ranks, stops):
    """Stopped in the beta after so many, on these ranks in turn, then to the end."""
    for number, (count, stop) in enumerate(zip(ranks, list(stops) + [None])):
        status, output = run(name, count, f'{options} -checkpoint {name}.ck -resume' + ('' if stop is None else ' -checkpoint_every 0.05'), stop)
        demand(status == (0 if stop is None else 75), name, 'run', number, 'status', status, output)
        rows = numbers(name + '.csv')
        demand(stop is None or stop <= len(rows), name, 'run', number, 'left', len(rows), 'betas')
        demand([row[0] for row in rows] == list(range(1, len(rows) + 1)), name, 'rows', rows)


def neurons(name):
    with h5py.File(name + '.m') as file:
        return [file['neurons/' + array][:].tolist() for array in ('filter', 'weight', 'region', 'class')]


def same_digits(name, options, ranks):
    """Stopped as soon as there is a checkpoint, again and again, on the ranks that it was on: nothing shows that it was."""
    for number, stop in enumerate((0, 1, None)):
        status, output = run(name + '-stopped', ranks, f'{options} -checkpoint {name}.ck -resume -checkpoint_every 0.01', stop)
        demand(status == 0 if stop is None else status in (0, 75), name, 'run', number, 'status', status, output)
    status, output = run(name, ranks, options)
    demand(status == 0, name, status, output)
    tables = [[row[:4] + row[5:] for row in numbers(table + '.csv')] for table in (name, name + '-stopped')]
    demand(tables[0] == tables[1], name, 'tables', *tables)
    demand(neurons(name) == neurons(name + '-stopped'), name, 'networks')


def refuse(expected, command):
    status, output = subprocess.getstatusoutput(f'{LAUNCH} 1 {PSDNET} {command} {COMMON}')
    demand(status == 1 and re.search('psdnet: error: .*' + expected, output), command, 'status', status, output)


listed = '-gap 1e-6 -beta_list 30,29.8,29.6,10,5,1'
for name, options, ranks, stops in (('listed', listed, (2, 3, 1), (0, 2)),
                                    ('dual', '-gap 1e-4 -beta_count 4 -consensus dual', (1, 2), (1,)),
                                    ('softmax', '-loss softmax -gap 1e-3 -beta_count 3 -beta_rel 0.03', (2, 1), (1,))):
    status, output = run(name, 1, options)
    demand(status == 0, name, status, output)
    chain(name + '-other', options, ranks, stops)
    compare(name + '-other', name)
same_digits('lowrank', '-solver lowrank -coarse 8 -gap 1e-3 -beta_count 3 -beta_rel 0.1', 2)
# to the end a second time: nothing is left to do
chain('listed-same', listed, (1, 1, 1), (1, None))
compare('listed-same', 'listed')
demand(sum(iteration > 0 for iteration in resumed) >= 4, 'continued at iterations', resumed)

kept = '-checkpoint listed-same.ck -resume'
refuse("of another problem: it is of 'path of 6 betas, 30 to 1, checksum", f'path {kept} -model no.m -beta_list 30,29.8,29.6,10,4,1')
refuse("of another problem: it is of 'path of 6 betas", f'train {kept} -model no.m -beta_noise 0.001')
refuse('no.m', f'path {kept} -model no.m -gap 1e-6 -beta_list 30,29.8,29.6,10,5,1')
refuse('dual.m: found beta .*, expected the best network', f'path {kept} -model dual.m {listed}')
finish()
