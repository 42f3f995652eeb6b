"""Messages of ranks, in the order in which they send and receive them, for SimGrid's replay: and what Open MPI 4.1 makes of collectives, as far
as its messages were counted (docs/performance.md). SimGrid's own collectives are those of an Open MPI of years before.
"""
import math

ROUND, ROUNDS = 4, 32  # messages of a rank that are under way at once, at least; rounds of them, at most
DOUBLING = (16, 8192), (32, 4096), (64, 128), (256, 262144), (512, 0), (2048, 16384)  # below so many ranks and bytes, an allreduce is by doubling
LEAST_TREES, TREES = 256, ((512, 4096), (2048, 2048))  # from so many ranks on, and below these ranks and bytes, by a reduction and a broadcast
BUTTERFLY, LEAST_RING = 64, 1 << 18  # below so many ranks, and from so many bytes on, a reduce-scatter is a ring


def limit_of(table, ranks):
    return next((limit for most, limit in table if ranks < most), 0)


def spread_parent(place):
    """Of a rank in the tree of src/base/spread.c, numbered from the root on."""
    return place & (place - 1)


def spread_children(place, ranks):
    steps = [1 << k for k in reversed(range((ranks - 1).bit_length() if place == 0 else (place & -place).bit_length() - 1))]
    children = [place + step for step in steps if place + step < ranks]
    return [1, *children[:-1]] if place == 0 and ranks > 2 else children


class Trace:
    """Actions of each rank, in their order."""

    def __init__(self, ranks):
        self.ranks, self.lines, self.messages, self.bytes = ranks, [[] for _ in range(ranks)], [0] * ranks, [0] * ranks

    def compute(self, rank, flops):
        if flops > 0:
            self.lines[rank].append(f'compute {flops:.0f}')

    def compute_all(self, flops):
        for rank in range(self.ranks):
            self.compute(rank, flops)

    def send(self, source, target, size):
        if source != target and size > 0:
            self.lines[source].append(f'isend {target} 0 {size:.0f}')
            self.lines[target].append(f'recv {source} 0 {size:.0f}')
            self.messages[source] += 1
            self.bytes[source] += size

    def exchange(self, messages):
        """(source, target, size) of each: all are sent and asked for, then waited for."""
        messages = [message for message in messages if message[0] != message[1] and message[2] > 0]
        for source, target, size in messages:
            self.lines[source].append(f'isend {target} 0 {size:.0f}')
            self.lines[target].append(f'irecv {source} 0 {size:.0f}')
            self.messages[source] += 1
            self.bytes[source] += size
        for rank in {rank for message in messages for rank in message[:2]}:
            self.lines[rank].append('waitall')

    def exchange_in_rounds(self, pairs, steps, size):
        """pairs(step), for each of the steps: a few steps at a time, as the links take them, and SimGrid in a time that is not quadratic."""
        width = max(ROUND, math.ceil(steps / ROUNDS))
        for first in range(1, steps + 1, width):
            self.exchange((*pair, size) for step in range(first, min(first + width, steps + 1)) for pair in pairs(step))

    def scatter(self, messages):
        """(source, target, size) of each, all under way at once as PETSc's scatters have them, every rank beginning with its neighbours."""
        self.exchange(sorted(messages, key=lambda message: (message[1] - message[0]) % self.ranks))

    # ------------------------------------------------------------ trees

    def tree(self, members, root):
        """Pairs of parent and child of a binomial tree, from the root down: ranks that are far from each other first, so that few pairs are on
        different nodes."""
        ranks, start = len(members), members.index(root)
        order = members[start:] + members[:start]
        for step in (1 << k for k in reversed(range((ranks - 1).bit_length()))):
            for k in range(0, ranks - step, 2 * step):
                yield order[k], order[k + step]

    def broadcast(self, members, root, size):
        for parent, child in self.tree(members, root):
            self.send(parent, child, size)

    def reduce(self, members, root, size):
        for parent, child in reversed(list(self.tree(members, root))):
            self.send(child, parent, size)

    # ------------------------------------------------------------ while ranks compute

    def post(self, source, target, tag, size):
        """The receipt of a message that is waited for later: its two ends are give and await_posted."""
        self.lines[target].append(f'irecv {source} {tag} {size:.0f}')

    def give(self, source, target, tag, size):
        self.lines[source].append(f'isend {target} {tag} {size:.0f}')
        self.messages[source] += 1
        self.bytes[source] += size

    def await_posted(self, source, target, tag):
        self.lines[target].append(f'wait {source} {target} {tag}')

    # ------------------------------------------------------------ sums

    def allreduce(self, size):
        """Of all ranks."""
        self.sum_up(list(range(self.ranks)), size)

    def sum_up(self, members, size):
        """An allreduce."""
        ranks = len(members)
        if ranks == 1:
            return
        if ranks >= LEAST_TREES and size < limit_of(TREES, ranks):
            self.reduce(members, members[0], size)
            self.broadcast(members, members[0], size)
        elif size < limit_of(DOUBLING, ranks):
            self.double(members, size)
        else:
            self.halve_and_double(members, size)

    def in_powers(self, members, size, steps):
        """What steps(of, the members that are a power of two) does; the others join these by a message to and fro."""
        most = 1 << (len(members).bit_length() - 1)
        self.exchange((members[k], members[k - most], size) for k in range(most, len(members)))
        steps(members[:most])
        self.exchange((members[k - most], members[k], size) for k in range(most, len(members)))

    def double(self, members, size):
        """An allreduce by recursive doubling."""
        def steps(some):
            for step in (1 << k for k in range(len(some).bit_length() - 1)):
                self.exchange((some[k], some[k ^ step], size) for k in range(len(some)))
        self.in_powers(members, size, steps)

    def halve_and_double(self, members, size):
        """An allreduce by Rabenseifner's algorithm: halves of what is left, with the neighbour first, and back."""
        def steps(some):
            there = [(1 << k, size / (2 << k)) for k in range(len(some).bit_length() - 1)]
            for step, part in there + there[::-1]:
                self.exchange((some[k], some[k ^ step], part) for k in range(len(some)))
        self.in_powers(members, size, steps)

    def reduce_scatter(self, members, counts):
        """counts: bytes that each of them gets. Large ones of few ranks by a ring; else by halves of what is left, with the neighbour first."""
        ranks = len(members)
        if ranks < BUTTERFLY and sum(counts) >= LEAST_RING:
            for turn in range(1, ranks):
                self.exchange((members[k], members[(k + 1) % ranks], counts[(k - turn) % ranks]) for k in range(ranks))
        else:
            self.in_powers(members, sum(counts), lambda some: self.halve(some, counts))

    def halve(self, members, counts):
        """Those beyond a power of two have their part from the first ones at the end."""
        ranks = len(members)
        for step in (1 << k for k in range(ranks.bit_length() - 1)):
            kept = [sum(counts[k % (2 * step)::2 * step]) for k in range(2 * step)]
            self.exchange((members[k], members[k ^ step], kept[(k ^ step) % (2 * step)]) for k in range(ranks))

    def ring(self, members, size):
        """An allgather, or a reduce-scatter by a ring, of so many bytes in all."""
        ranks = len(members)
        for _ in range(ranks - 1):
            self.exchange((members[k], members[(k + 1) % ranks], size / ranks) for k in range(ranks))

    # ------------------------------------------------------------ ScaLAPACK's

    def split_ring(self, members, root, size):
        """From the root both ways, each handing on to the next."""
        ranks, start = len(members), members.index(root)
        order = members[start:] + members[:start]
        right = (ranks - 1 + 1) // 2
        for k in range(right):
            self.send(order[k], order[k + 1], size)
        for k in range(ranks - 1 - right):
            self.send(order[-k % ranks], order[-k - 1], size)
