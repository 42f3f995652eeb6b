"""One program by several solvers: compare.py CIFAR10_DIRECTORY GAP BETA SOLVER...

Prints a line a solver and tolerance: name, tolerance, seconds of the solve alone, iterations, the objective of the network that
the referee makes of its Z and Z', the best lower bound of all networks' that this s or the solver's dual point gives, their relative gap, and accuracy on the images
held out. A solver with several tolerances is asked for the next one while the gap is above GAP.
"""
import importlib
import sys

from program import Program

# name | module and function | tolerances that are tried in turn
SOLVERS = {
    'CVXOPT': ('cvxopt_qp', 'solve', (1e-7,)),
    'SCS': ('scs_qp', 'solve', (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)),
    'CSDP': ('sdpa_lmi', 'solve_by_csdp', (1e-8,)),
    'SDPA': ('sdpa_lmi', 'solve_by_sdpa', (1e-7,)),
}


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    directory, gap_wanted, beta = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    program = Program(directory, beta)
    for name in sys.argv[4:]:
        module, function, tolerances = SOLVERS[name]
        solve = getattr(importlib.import_module(module), function)
        for tolerance in tolerances:
            Z, Zm, dual, iterations, seconds = solve(program, tolerance)
            objective, s = program.value(Z, Zm)
            bound = max(program.bound(s), program.bound(dual))
            gap = (objective - bound) / objective
            print(f'{name} {tolerance:g} {seconds:.2f} {iterations} {objective:.6f} {bound:.6f} {gap:.2e} {program.accuracy(s):.2f}', flush=True)
            if gap <= gap_wanted:
                break


if __name__ == '__main__':
    main()
