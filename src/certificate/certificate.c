/*
   The certificate: from the samples, with every inequality on the safe side (docs/mathematics.md, section 6).

   primal: the network's own objective, and a bound of its error. dual: s nu with R*(A'(s nu)) <= beta, where R* is
   evaluated with an upper bound of what rounding may have hidden, |[u;1]' E [u;1]| <= 2 ||E||_F, and lowered by what
   rounding may have done to the dual function's value.
*/
#include "certificate.h"
#include "base/base.h"
#include "base/rounding.h"
#include "ray.h"

/* loss + beta weight: the two errors, and two roundings */
void PsdCertificateSetPrimal(PsdProblem problem, const PsdNetworkMatrix *network, const PsdPrimalPoint *primal,
                             PsdCertificate *certificate)
{
  const PetscReal value = primal->loss + problem->beta * network->weight;
  const PetscReal error = primal->rounding + problem->beta * network->weight_error + PsdRoundings(2) * value;
  certificate->primal = value;
  certificate->primal_error = error <= PETSC_MAX_REAL ? PsdRoundUp(error) : INFINITY; /* or not a number */
  certificate->accuracy = primal->accuracy;
  certificate->feature_error = primal->feature_error;
}

/* Of the values that may be furthest apart; 1 where nothing is known. unrounded: the bound, were rounding not counted. */
void PsdCertificateSetGap(PsdCertificate *certificate, PetscReal unrounded)
{
  const PetscReal upper = certificate->primal + certificate->primal_error;
  const PetscReal gap = (upper - certificate->dual) / upper + 2 * PETSC_MACHINE_EPSILON;
  const PetscBool known = (PetscBool)(upper <= PETSC_MAX_REAL && gap < 1);
  certificate->gap = known ? gap : 1;
  certificate->rounding = known ? (certificate->primal_error + PetscMax(0, unrounded - certificate->dual)) / upper : 1;
}

PetscErrorCode PsdCertificateCheck(PsdProblem problem, const PsdCertificate *certificate)
{
  PetscFunctionBeginUser;
  PetscCheck(!(certificate->dual > certificate->primal + certificate->primal_error), problem->comm, PETSC_ERR_PLIB,
             "The bound %.17g is above the objective %.17g of a network, known to %g: one of them is wrong",
             (double)certificate->dual, (double)certificate->primal, (double)certificate->primal_error);
  PetscFunctionReturn(0);
}

/* The largest value of the dual function on the ray of a point, rounded down; plain: were rounding not counted. */
static PetscErrorCode DualValue(PsdProblem problem, const PsdDualPoint *point, PetscReal *value, PetscReal *plain)
{
  PetscFunctionBeginUser;
  const PsdDualRay ray = PsdDualRayOf(problem, point);
  PsdPointPolar polar;
  PetscReal rounding, unused;
  PetscCall(PsdDualPointPolar(problem, point, &polar));
  PetscCall(PsdDualAlongRay(&ray, problem->beta / polar.bound * (1 - 2 * PETSC_MACHINE_EPSILON), value, &rounding));
  *value = PsdRoundDown(*value - rounding);
  PetscCall(PsdDualAlongRay(&ray, problem->beta / polar.computed, plain, &unused));
  PetscCall(PetscInfo(NULL, "certificate candidate: R*/beta %g, dual %.12g\n", (double)(polar.bound / problem->beta),
                      (double)*value));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCertify(PsdProblem problem, const PsdNetworkMatrix *network, PetscInt count,
                          const PsdDualSource sources[], PsdWitness witness, PsdCertificate *certificate)
{
  PetscFunctionBeginUser;
  PsdPrimalPoint primal;
  PsdDualPoint *points, *best = NULL;
  PetscCall(PetscMalloc1(count, &points));
  for (PetscInt k = 0; k < count; k++) PetscCall(PsdDualPointCreate(problem, (PetscBool)(witness != NULL), &points[k]));
  PetscCall(PsdProblemEvaluate(problem, network, count, sources, &primal, points));

  PetscCall(PsdPhaseBegin(PSD_PHASE_CERTIFY));
  PsdCertificateSetPrimal(problem, network, &primal, certificate);
  certificate->dual = 0;   /* nu = 0 is feasible, and L*(0) = 0 */
  PetscReal unrounded = 0; /* the dual value, were rounding not counted */
  for (PetscInt k = 0; k < count; k++) {
    PetscReal value, plain;
    PetscCall(DualValue(problem, &points[k], &value, &plain));
    if (value > certificate->dual) {
      certificate->dual = value;
      best = &points[k];
    }
    if (plain > unrounded) unrounded = plain;
    if (sources[k].gradient) PetscCall(VecCopy(points[k].gradient, sources[k].gradient));
  }
  if (witness) {
    PetscCall(PsdWitnessTake(witness, problem, best));
    certificate->dual = PetscMin(certificate->dual, witness->bound);
  }
  PsdCertificateSetGap(certificate, unrounded);
  PetscCall(PsdCertificateCheck(problem, certificate));
  PetscCall(PetscInfo(NULL, "rounding: primal known to %g, features to %g of their size\n",
                      (double)certificate->primal_error, (double)certificate->feature_error));
  for (PetscInt k = 0; k < count; k++) PetscCall(PsdDualPointDestroy(&points[k]));
  PetscCall(PetscFree(points));
  PetscCall(PsdPhaseEnd(PSD_PHASE_CERTIFY));
  PetscFunctionReturn(0);
}
