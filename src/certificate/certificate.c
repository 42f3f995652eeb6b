/*
   The certificate: from the samples, with every inequality on the safe side.

   primal: the network's own objective. dual: s nu with R*(A'(s nu)) <= beta, where R* is evaluated with an upper
   bound of what rounding may have hidden, |[u;1]' E [u;1]| <= 2 ||E||_F. What rounding may have done to the sums over
   samples, of either bound, is taken off the dual one.
*/
#include "certificate.h"
#include "base/base.h"
#include "network/network.h"
#include "ray.h"

PetscReal PsdUnitRounding(PsdProblem problem, PetscReal weight)
{
  return 2 * PSD_UNIT_ROUNDINGS(problem->blocks->f) * PETSC_MACHINE_EPSILON * 2 * problem->beta * weight;
}

PetscErrorCode PsdCertify(PsdProblem problem, Vec S, PetscReal weight, PetscInt count, const PsdDualSource sources[],
                          PsdWitness witness, PsdCertificate *certificate)
{
  PetscFunctionBeginUser;
  /* sums of n C terms, in whatever order */
  const PetscReal sum_rounding = PETSC_MACHINE_EPSILON * (PetscReal)problem->n * (PetscReal)problem->blocks->C;
  const PsdRepresentatives samples = {problem->n_local, 1, problem->Y}; /* each by itself */
  PsdPrimalPoint primal;
  PsdDualPoint *points, *best = NULL;
  PetscCall(PetscMalloc1(count, &points));
  for (PetscInt k = 0; k < count; k++) PetscCall(PsdDualPointCreate(problem, (PetscBool)(witness != NULL), &points[k]));
  PetscCall(PsdProblemEvaluate(problem, S, count, sources, &primal, points));

  PetscCall(PsdPhaseBegin(PSD_PHASE_CERTIFY));
  certificate->primal = primal.loss + problem->beta * weight;
  certificate->accuracy = primal.accuracy;
  certificate->dual = 0;
  PetscReal unrounded = 0; /* the dual value, were rounding not counted */
  for (PetscInt k = 0; k < count; k++) {
    const PsdDualRay ray = {problem, points[k].linear, points[k].quadratic,
                            problem->loss.ops->splits ? points[k].nu : NULL, samples};
    PetscReal polar, plain, value, rounding, unused;
    PetscCall(PsdDualPointPolar(problem, &points[k], &polar, NULL));
    PetscCall(PsdDualAlongRay(&ray, problem->beta / polar, &value, &rounding));
    value -= rounding;
    if (value > certificate->dual) {
      certificate->dual = value;
      best = &points[k];
    }
    PetscCall(PsdPolarMax(problem->polar, problem->blocks, points[k].gradient, &plain));
    PetscCall(PsdDualAlongRay(&ray, problem->beta / plain, &plain, &unused));
    unrounded = PetscMax(unrounded, plain);
    PetscCall(PetscInfo(NULL, "certificate candidate %" PetscInt_FMT ": R*/beta %g, dual %.12g\n", k,
                        (double)(polar / problem->beta), (double)value));
  }
  /* nu = 0 is feasible, and L*(0) = 0 */
  certificate->dual = PetscMax(0, certificate->dual - primal.rounding - sum_rounding * certificate->primal -
                                      PsdUnitRounding(problem, weight));
  PetscCheck(certificate->dual <= certificate->primal, problem->comm, PETSC_ERR_PLIB,
             "The bound %.17g is above the objective %.17g of a network: one of them is wrong",
             (double)certificate->dual, (double)certificate->primal);
  if (witness) {
    PetscCall(PsdWitnessTake(witness, problem, best));
    certificate->dual = PetscMin(certificate->dual, witness->bound); /* what is said is what the witness shows */
  }
  certificate->gap = (certificate->primal - certificate->dual) / PetscAbsReal(certificate->primal);
  certificate->rounding = (unrounded - certificate->dual) / PetscAbsReal(certificate->primal);
  for (PetscInt k = 0; k < count; k++) PetscCall(PsdDualPointDestroy(&points[k]));
  PetscCall(PetscFree(points));
  PetscCall(PsdPhaseEnd(PSD_PHASE_CERTIFY));
  PetscFunctionReturn(0);
}
