"""check_nothing.sh's judgement: no neurons, no iterations, and a certificate."""
from judge import finish, report, require

for name in ('squared logistic softmax hinge huber l1 three dual scalapack folded flat constant proof absolute path list').split():
    it = report(name)
    require(not it['neurons'] and not it['beta_max'] and not it['iterations'], name, it)
    require(0 <= it['gap'] < 1e-10 and it['beta'] > 0, name, it)
finish()
