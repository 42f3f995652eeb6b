"""check_signals.sh: runs are stopped by a signal to the launcher (usr1) or to one rank (term), and continued, until they come to their end;
one without a checkpoint (ended) ends at the signal."""
import os
import signal
import subprocess
import time

from judge import attributes, finish, require, text
from processes import catches, ranks_of

LAUNCH, PSDNET = os.environ['LAUNCH'], os.environ['PSDNET']
OPTIONS = 'train -data data -solver admm -patch 3 -stride 1 -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 0.02 -gap 1e-13'.split()
RESUMED = '-max_it 1000 -resume -checkpoint_every 1000'.split()
MOMENTS = 0, 0.15, 0.4, 0.25  # seconds from when signals are noted to the signal


def training_ranks(run, log):
    """once they note signals: before that a signal ends them, if in order, as any program"""
    while run.poll() is None:
        ranks = ranks_of(run.pid)
        if len(ranks) == 2 and all(catches(rank, signal.SIGUSR1, signal.SIGTERM) for rank in ranks) and 'reading' in text(log):
            return ranks
        time.sleep(0.01)
    return []


def stop(name, send):
    """stopped at MOMENTS, run after run, and continued to the end"""
    stopped = 0
    for moment in MOMENTS + (None,):
        with open(name + '.log', 'w') as output:
            run = subprocess.Popen([LAUNCH, '2', PSDNET] + OPTIONS + RESUMED + [
                '-model', name + '.h5', '-history', name + '.csv', '-checkpoint', name + '.ck'], stdout=output, stderr=subprocess.STDOUT)
            ranks = training_ranks(run, name + '.log')
            if moment is not None:
                time.sleep(moment)
                if run.poll() is None:
                    send(run, ranks)
            status = run.wait(timeout=120)
        if status != 75:
            break
        stopped += 1
    require(status == 2, name, 'exit status', status, 'expected 75 or 2', text(name + '.log'))
    require(stopped >= 2, name, 'stopped', stopped, 'times, expected more')


def end_without_checkpoint():
    with open('ended.log', 'w') as output:
        run = subprocess.Popen([PSDNET] + OPTIONS + ['-max_it', '1000000', '-check_every', '1000000', '-model', 'ended.h5', '-progress', 'none'],
                               stdout=output, stderr=subprocess.STDOUT)
        while run.poll() is None and not catches(run.pid, signal.SIGUSR1):
            time.sleep(0.01)
        time.sleep(0.4)
        run.send_signal(signal.SIGUSR1)
        status = run.wait(timeout=120)
    require(status == 0 and '\nsignal after' in text('ended.log'), 'ended: exit status', status, text('ended.log'))
    require(attributes('ended.h5')['gap'] > 1e-13, 'ended: the gap was reached before the signal')


stop('usr1', lambda run, ranks: run.send_signal(signal.SIGUSR1))
stop('term', lambda run, ranks: os.kill(ranks[-1], signal.SIGTERM))
end_without_checkpoint()
finish()
