"""Runs as Linux knows them, for the checks that send signals: /proc has who started whom."""


def children(pid):
    with open(f'/proc/{pid}/task/{pid}/children') as file:
        return [int(child) for child in file.read().split()]


def living(pid):
    """whether processes that PID started live"""
    for child in children(pid):
        try:
            with open(f'/proc/{child}/stat') as file:
                if file.read().rsplit(')', 1)[1].split()[0] != 'Z':
                    return True
        except OSError:
            pass
    return False


def ranks_of(pid):
    """of the launcher PID: those that have begun, in whatever phase they are"""
    found = []
    try:
        for child in children(pid):
            with open(f'/proc/{child}/comm') as file:
                if file.read() == 'psdnet\n':
                    found.append(child)
    except OSError:
        pass
    return found


def catches(pid, *signals):
    try:
        with open(f'/proc/{pid}/status') as file:
            caught = int(file.read().split('SigCgt:')[1].split()[0], 16)
    except OSError:
        return False
    return all(caught >> number - 1 & 1 for number in signals)
