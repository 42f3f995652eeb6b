"""check_plan.sh's judgement: planned against found memory, and a plan of a data set."""
from judge import finish, report, require

for name in 'root-1', 'root-2', 'dual-1', 'dual-2', 'scalapack-2', 'folded-2', 'folded-logistic-1':
    plan, run = report(name + '-plan'), report(name + '-run')
    ratio = plan['peak_memory_mb'] * 1e6 / (run['peak_memory_mb'] * 2**20)
    print(name, 'planned', plan['peak_memory_mb'], 'found', run['peak_memory_mb'], 'ratio', round(ratio, 3))
    for key in 'n', 'f', 'D', 'blocks', 'ranks', 'consensus':
        require(plan[key] == run[key], name, key, plan[key], 'found', run[key])
    require(0.75 <= ratio <= 1.25, name, 'ratio', ratio)
require(report('data-plan')['n'] == 600, 'sizes of a data set')
read, given = (report(name)['memory'] for name in ('large--data', 'large--images'))
for name in 'program and libraries', 'images and targets':  # a rank's part of 36 MB is 9
    require(abs(read[name][0] - given[name][0]) < 4e6, name, read[name], given[name])
require(report('old-name')['consensus'] == 'dual', '-consensus kernel')
finish()
