"""What the checks of failing systems share: runs under the shim (fault_shim.c), and what is to be found in their outputs after."""
import concurrent.futures
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import zlib

from archives import HEAD, places
from judge import attributes, require, text
from processes import living

OLD = b'as it was\n'
HANG = 120  # seconds
TRAIN = '-data ../data -patch 3 -stride 1 -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 0.02 -progress none'


class Scenario:
    """A command and the outputs that it names. given: files that are there before, by what they are made with."""

    def __init__(self, name, options, outputs, given=()):
        self.name, self.options, self.outputs, self.given = name, options.split(), outputs.split(), given


TRAINING = Scenario('train', f'train {TRAIN} -gap 1e-2 -model m.h5 -report r.json -history h.csv -certificate c.h5 -checkpoint k.ck '
                    '-checkpoint_gram', 'm.h5 r.json h.csv c.h5 k.ck k.ck.gram')
PATH = Scenario('path', f'path {TRAIN} -beta_count 2 -validation 0.2 -gap 1e-1 -model m.h5 -table t.csv -report r.json -checkpoint k.ck',
                'm.h5 t.csv r.json k.ck')
PREDICTION = Scenario('predict', 'predict -data ../data -model ../given/m.h5 -progress none -output p.csv', 'p.csv')
CERTIFICATION = Scenario('certify', 'certify -data ../data -model ../given/m.h5 -gap 0.1 -progress none -certificate_out c.h5', 'c.h5')


def start(directory, scenario, ranks, fault=None, more=()):
    """A run in a directory of its own, where the outputs of an earlier one are."""
    os.makedirs(directory + '/tmp', exist_ok=True)
    for name in scenario.outputs:
        if not os.path.exists(f'{directory}/{name}'):
            with open(f'{directory}/{name}', 'wb') as file:
                file.write(OLD)
    environment = {**os.environ, 'TMPDIR': os.path.abspath(directory + '/tmp')}
    words = [os.environ['PSDNET']] + scenario.options + list(more)
    if fault:
        environment.update({'FAULT_' + key: str(value) for key, value in fault.items()}, FAULT_COUNT='count', LD_PRELOAD=os.environ['SHIM'])
    if ranks > 1:
        words = [os.environ['LAUNCH'], str(ranks)] + words
    with open(directory + '/log', 'w') as output:
        return subprocess.Popen(words, stdout=output, stderr=subprocess.STDOUT, cwd=directory, env=environment, start_new_session=True)


def end(process, what):
    """Its status; what hangs is killed. Open MPI 4.1's launcher waits for itself at times when a rank ends the others, or crashes itself: a
    launcher whose ranks have all ended is ended, and its status is taken for 1."""
    alone = 0  # seconds
    for _ in range(HANG):
        try:
            status = process.wait(1)
            return 1 if status < 0 and process.args[0] != os.environ['PSDNET'] else status
        except subprocess.TimeoutExpired:
            alone = 0 if living(process.pid) or process.args[0] == os.environ['PSDNET'] else alone + 1
        if alone == 10:
            print(f'{what}: all ranks have ended, the launcher has not')
            break
    else:
        require(False, what, 'hangs')
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return 1


def counted(directory):
    """how many things the shim has counted, and what it has done harm to"""
    if not os.path.exists(directory + '/count'):
        return 0, ''
    number, harmed = text(directory + '/count').split('\n')[0].split(' ', 1)
    return int(number), harmed.strip()


def is_sound_archive(path):
    with open(path, 'rb') as file:
        whole = file.read()
    head = whole[:HEAD].decode()
    sums = {words[1]: words[4] for words in map(str.split, head.splitlines()) if words[:1] == ['array']}
    return (int(head[26:34], 16) == zlib.crc32(whole[35:HEAD]) and f'\nbytes {len(whole)}\n' in head and
            all(int(sums[name], 16) == zlib.crc32(whole[offset:offset + size]) for name, offset, size in places(path)))


def is_whole(path, reference):
    """the new file, all of it, as the run that nothing failed in has left it"""
    if path.endswith('.json'):
        return json.loads(text(path)).keys() == json.loads(text(reference)).keys()
    if path.endswith('.csv'):
        return text(path).count('\n') == text(reference).count('\n') and text(path).endswith('\n')
    if path.endswith(('.ck', '.gram')) or path.endswith('c.h5'):
        return is_sound_archive(path)
    return abs(attributes(path)['objective_primal'] / attributes(reference)['objective_primal'] - 1) < 1e-8


def state_of(directory, name, reference):
    """old, new or broken"""
    path = f'{directory}/{name}'
    try:
        with open(path, 'rb') as file:
            if file.read() == OLD:
                return 'old'
        return 'new' if is_whole(path, reference + '/' + name) else 'broken'
    except (OSError, ValueError, KeyError, UnicodeDecodeError) as error:
        return f'broken: {error}'


def judge(directory, scenario, status, what, lawful):
    """lawful(status, states, errors, warnings): whether the outcome is one that may be"""
    log = text(directory + '/log')
    # a launcher may put them into the midst of a line
    errors, warnings = (re.findall(f'psdnet: {kind}: .*', log) for kind in ('error', 'warning'))
    states = {name: state_of(directory, name, 'whole-' + scenario.name) for name in scenario.outputs}
    good = 'PETSC ERROR' not in log and 'defect' not in log and set(states.values()) <= {'old', 'new'}
    left = glob.glob(glob.escape(directory) + '/*.tmp.*')
    if not require(good and lawful(status, states, errors, warnings, left), what, 'status', status, states, left, log[-1500:]):
        return False
    shutil.rmtree(directory)
    return True


def one_line(status, states, errors, warnings, left):
    """What every failure comes to: one line of error; or warnings, where what failed is a checkpoint, which is then as it was, and nothing
    else is missing; or nothing at all, where nothing is lost."""
    missing = {name for name, state in states.items() if state == 'old'}
    if left:
        return False
    if status == 1:
        return len(errors) == 1
    checkpoints = {name for name in states if name.endswith(('.ck', '.gram'))}
    return status == 0 and not errors and missing <= checkpoints and bool(missing) <= bool(warnings)


def each(cases, attempt):
    """two at a time; how often which outcome"""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(attempt, cases))
    return ', '.join(f'{outcomes.count(one)} x {one}' for one in sorted(set(outcomes), key=str))
