/*
   The penalty rho: where it starts and when it changes, as functions of numbers alone.

   Start. At the optimum -rho U is of the size of beta (per block) and Z of the size of S, so that rho should be of the order
   of beta over ||S||. ||S|| is not known, but ||(G_P + rho/2 I)^-1 h||, the first S, follows it closely; a few Lanczos
   steps give that norm for every rho at once, and rho solves  rho ||S(rho)|| = 2.5 beta sqrt(pairs).

   Sizes. As soon as there are iterates, the ratio of what -rho U and Z really are is the natural rho, and that of nu and v the natural
   sigma. It hardly depends on the penalty at hand, so that it is gone to at once, from wherever the run has begun.

   Parts of the gap. Near the solution infeasible W and nu tell what they cost the network's objective and the bound. A small rho serves
   nu, a large one W, and the ratio of the two costs changes with about the sixth power of rho.

   Settling. There are at most PSD_MOST_CHANGES changes: from the last one on the method is ADMM with fixed penalties, which converges.
*/
#include "penalty.h"
#include <math.h>

#define START_FACTOR 2.5

/* Two digits are enough of a penalty, and the same two come out whatever the rounding of the sums over ranks: runs on
   different numbers of ranks then follow the same path. */
static PetscReal TwoDigits(PetscReal rho)
{
  const PetscReal unit = PetscPowReal(10, PetscFloorReal(PetscLog10Real(rho)) - 1);
  return rint(rho / unit) * unit;
}

/* rho ||(curvature G_P + rho/2 I)^-1 h||: grows with rho */
static PetscReal ScaledNorm(const PsdSpectrum *spectrum, PetscReal curvature, PetscReal rho)
{
  PetscReal square = 0;
  for (PetscInt k = 0; k < spectrum->steps; k++) {
    const PetscReal shifted = curvature * spectrum->node[k] + rho / 2;
    square += spectrum->weight[k] / (shifted * shifted);
  }
  return rho * PetscSqrtReal(square);
}

PetscReal PsdPenaltyStart(const PsdSpectrum *spectrum, PetscReal curvature, PetscReal low, PetscReal beta,
                          PetscInt pairs)
{
  const PetscReal target = START_FACTOR * beta * PetscSqrtReal((PetscReal)pairs);
  PetscReal high = curvature * spectrum->mean;
  if (spectrum->steps == 0 || spectrum->mean <= 0) return 1; /* h = 0: any penalty will do */
  for (PetscInt step = 0; step < 100 && high > 1.01 * low; step++) {
    const PetscReal middle = PetscSqrtReal(low * high);
    if (ScaledNorm(spectrum, curvature, middle) < target) low = middle;
    else high = middle;
  }
  return TwoDigits(high);
}

#define RHO_SHARE 0.4   /* of the ratio of norms: best fixed penalties are between 0.1 and 1.2 of it */
#define SIGMA_SHARE 1.0 /* the same of samples */

static PetscReal Natural(PetscReal share, PetscReal multipliers, PetscReal variables)
{
  if (!(multipliers > 0) || !(variables > 0)) return 0;
  const PetscReal ratio = share * multipliers / variables;
  return ratio > 0 && !PetscIsInfOrNanReal(ratio) ? ratio : 0;
}

PetscReal PsdPenaltyNaturalRho(PetscReal multipliers, PetscReal variables)
{
  return Natural(RHO_SHARE, multipliers, variables);
}

PetscReal PsdPenaltyNaturalSigma(PetscReal multipliers, PetscReal variables)
{
  return Natural(SIGMA_SHARE, multipliers, variables);
}

#define FIRST 10       /* iteration whose sizes say something */
#define LATE 50        /* the parts of the gap count from this iteration on, ... */
#define LATE_GAP 0.95  /* ... and from this gap on */
#define GROWTH 4       /* of the iterations so far a penalty stays as long as one in GROWTH, ... */
#define LEAST_STAY 10  /* ... and for this many at least, ... */
#define LATE_STAY 50   /* ... or, when the parts have changed it, for this many */
#define NEAR 3         /* factor from the natural penalty that is near enough, ... */
#define OPPOSED_NEAR 4 /* ... of rho alone where the parts of the gap ask for the opposite, ... */
#define LATE_NEAR 30   /* ... and late, ... */
#define FAR 1000       /* ... and late against the parts of the gap */
#define STEP 10        /* the largest factor */
#define DUAL_APART 100 /* the dual part over the primal one, from which on penalties come down, ... */
#define PRIMAL_APART                                                                                                   \
  1000                  /* ... and the other way round, as the primal part comes down by itself at first; with corners
                             either way: the end of such a run is long, and goes faster when penalties stay */
#define POWER 6         /* of rho, that their ratio goes with */
#define LEAST_PART 1e-4 /* of what is open: smaller parts are alike, which limits a step to a factor of 4.6 */

static PetscBool IsLate(const PsdPenaltyEvidence *evidence)
{
  return (PetscBool)(evidence->iteration >= LATE && evidence->gap < LATE_GAP);
}

/* How far from the natural penalty is near enough: further where the parts of the gap ask for the opposite. Early they count for
   little, and for nothing where sigma has to find its size as well, as each distorts what the other one is for. */
static PetscReal Near(const PsdPenaltyEvidence *evidence, PetscReal now, PetscReal natural)
{
  const PetscReal primal = PetscAbsReal(evidence->parts.primal), dual = PetscAbsReal(evidence->parts.dual);
  const PetscBool opposed = (PetscBool)(natural > now ? dual > primal : primal > dual);
  if (IsLate(evidence)) return opposed ? FAR : LATE_NEAR;
  return opposed && !(evidence->natural.sigma > 0) ? OPPOSED_NEAR : NEAR;
}

/* The factor to the natural penalty, 1 when it is near. */
static PetscReal ToNatural(PetscReal now, PetscReal natural, PetscReal near)
{
  const PetscReal factor = natural / now;
  if (!(natural > 0) || (factor <= near && factor >= 1 / near)) return 1;
  return PetscMin(STEP, PetscMax(1. / STEP, factor));
}

/* `factor`, but not further away from the natural penalty than that. */
static PetscReal Within(PetscReal factor, PetscReal now, PetscReal natural)
{
  if (!(natural > 0)) return factor;
  return factor > 1 ? PetscMin(factor, PetscMax(1, FAR * natural / now))
                    : PetscMax(factor, PetscMin(1, natural / now / FAR));
}

/* What balances the parts of the gap, for both penalties. */
static PetscReal ToBalance(const PsdPenaltyEvidence *evidence, PsdPenalties now)
{
  const PetscReal least = LEAST_PART * evidence->open;
  const PetscReal primal = PetscAbsReal(evidence->parts.primal) + least,
                  dual = PetscAbsReal(evidence->parts.dual) + least, ratio = primal / dual;
  const PetscReal dual_apart = evidence->corners ? PRIMAL_APART : DUAL_APART;
  if (!(primal > PRIMAL_APART * dual) && !(dual > dual_apart * primal)) return 1;
  if (!(ratio > 0) || PetscIsInfOrNanReal(ratio)) return 1;
  const PetscReal factor = PetscMin(LATE_NEAR, PetscMax(1. / LATE_NEAR, PetscPowReal(ratio, 1. / POWER)));
  return Within(Within(factor, now.rho, evidence->natural.rho), now.sigma, evidence->natural.sigma);
}

PsdPenalties PsdPenaltyPropose(PsdPenaltyChanges *changes, const PsdPenaltyEvidence *evidence, PsdPenalties now)
{
  const PetscInt iteration = evidence->iteration;
  const PetscBool late = IsLate(evidence);
  PetscInt stay = LEAST_STAY;
  if (changes->count == PSD_MOST_CHANGES || iteration < PetscMax(FIRST, changes->due)) return now;
  PsdPenalties factor = {
      ToNatural(now.rho, evidence->natural.rho, Near(evidence, now.rho, evidence->natural.rho)),
      ToNatural(now.sigma, evidence->natural.sigma, Near(evidence, now.sigma, evidence->natural.sigma))};
  if (late && factor.rho == 1 && factor.sigma == 1) {
    factor.rho = factor.sigma = ToBalance(evidence, now);
    stay = LATE_STAY;
  }
  if (factor.rho == 1 && factor.sigma == 1) return now;
  changes->count++;
  changes->due = iteration + PetscMax(stay, iteration / GROWTH);
  return (PsdPenalties){now.rho * TwoDigits(factor.rho), now.sigma * TwoDigits(factor.sigma)};
}
