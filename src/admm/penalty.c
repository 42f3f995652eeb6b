/*
   The penalty rho: where it starts and when it changes, as functions of numbers alone.

   Start. At the optimum -rho U is of the size of beta (per block) and Z of the size of S, so that rho should be of the order
   of beta over ||S||. ||S|| is not known, but ||(G_P + rho/2 I)^-1 h||, the first S, follows it closely; a few Lanczos
   steps give that norm for every rho at once, and rho solves  rho ||S(rho)|| = 2.5 beta sqrt(pairs).

   Changes. Residual balancing, tamed: only at the first check from iterations 10, 20, 40, ..., 320 on, only when it asks for a factor of 3 or more,
   at most a factor of 5 at a time (the ratio itself rather than its root while no network is better than the empty one) and never further than [1/10, 30] from the start. Without the last limit the problem of
   2021 (beta 1e-6) runs away: most of Z lies in directions that A hardly sees, so its relative residual says nothing.

   Late changes. Residuals do not know which bound holds the gap open. The best network and the best dual point are kept
   whichever rho they came from, so each may be served in turn: looked at from iteration 50 on at intervals that grow, a
   bound that has moved by less than a twentieth of the gap is done and the other lags; as long as no network is better than the empty one, it is the objective that lags. A small rho serves the dual point,
   whose infeasibility is rho times the primal residual; a large one serves the network.
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

/* What the residuals ask for, within the limits of a step and of the whole run. */
static PetscReal Balance(PetscReal penalty, PetscReal initial, PetscReal primal, PetscReal dual, PetscBool none)
{
  if (!(primal > 0) || !(dual > 0)) return penalty;
  const PetscReal ratio = primal / dual;
  const PetscReal proposal = penalty * PetscMin(5, PetscMax(0.2, none && ratio > 1 ? ratio : PetscSqrtReal(ratio)));
  return PetscMin(30 * initial, PetscMax(initial / 10, proposal));
}

PetscReal PsdPenaltyPropose(PetscInt previous, PetscInt iteration, PetscReal rho, PetscReal rho_initial,
                            PetscReal primal, PetscReal dual, PetscBool none)
{
  PetscBool due = PETSC_FALSE;
  for (PetscInt k = 10; k <= 320; k *= 2) due = (PetscBool)(due || (previous < k && k <= iteration));
  if (!due) return rho;
  const PetscReal proposal = Balance(rho, rho_initial, primal, dual, (PetscBool)(none && iteration > 10));
  return proposal > 3 * rho || proposal < rho / 3 ? TwoDigits(proposal) : rho;
}

/* Until then penalties may change together; a change by less than this is not worth the disturbance. */
#define TOGETHER_UNTIL 320
#define TOGETHER_LEAST 1.5

PsdPenalties PsdPenaltyProposeBoth(PetscInt previous, PetscInt iteration, PsdPenalties now, PsdPenalties initial,
                                   const PetscReal primal[2], const PetscReal dual[2], PetscBool none)
{
  const PsdPenalties alone = {
      PsdPenaltyPropose(previous, iteration, now.rho, initial.rho, primal[0], dual[0], none),
      PsdPenaltyPropose(previous, iteration, now.sigma, initial.sigma, primal[1], dual[1], PETSC_FALSE)};
  const PetscReal ratio = (alone.rho / now.rho) / (alone.sigma / now.sigma);
  if (ratio >= 3 || ratio <= 1. / 3) return alone;
  if (iteration > TOGETHER_UNTIL) return now;
  const PetscReal of_rho = Balance(now.rho, initial.rho, primal[0], dual[0], none) / now.rho,
                  of_sigma = Balance(now.sigma, initial.sigma, primal[1], dual[1], PETSC_FALSE) / now.sigma;
  const PetscReal factor = TwoDigits(PetscSqrtReal(of_rho * of_sigma));
  if (factor < TOGETHER_LEAST && factor > 1 / TOGETHER_LEAST) return now;
  return (PsdPenalties){now.rho * factor, now.sigma * factor};
}

/* A bound that moved by less than this part of the gap since the last look is taken to be done. */
#define DONE 0.05

PetscReal PsdPenaltyFollowBounds(PsdBoundTrend *trend, PetscInt iteration, PetscReal rho, PetscReal rho_initial,
                                 PetscReal objective, PetscReal bound, PetscBool none)
{
  const PetscReal gap = objective - bound, gained = trend->objective - objective, raised = bound - trend->bound;
  PetscReal proposal = rho;
  if (iteration < (trend->due ? trend->due : 50)) return rho;
  if (trend->due && none) proposal = rho * 3;
  else if (trend->due && gained < DONE * gap) proposal = rho / 3;
  else if (trend->due && raised < DONE * gap) proposal = rho * 3;
  trend->due = iteration + PetscMax(50, iteration / 2);
  trend->objective = objective;
  trend->bound = bound;
  proposal = PetscMin(30 * rho_initial, PetscMax(rho_initial / 30, proposal));
  if (proposal == rho) return rho;
  trend->acted = PETSC_TRUE;
  return TwoDigits(proposal);
}
