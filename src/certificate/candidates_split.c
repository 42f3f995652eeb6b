/*
   Dual candidates of losses that are split (docs/mathematics.md, section 3): nu is kept sample by sample, as the loss's
   conjugate has a domain to be stayed in; where mirror images are folded, for both samples of a row at once.

   Only `step`, when it leaves the domain, needs a product with the samples; `slope` is the network's, and comes with
   its pass.
*/
#include "bounds.h"
#include "base/base.h"

/* -sigma lambda of the prox, a subgradient of -L at v. Rounding may have moved it by an ulp. */
PetscErrorCode PsdBoundsBuildProx(PsdBounds bounds, const PsdIterate *iterate)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = bounds->problem;
  const PetscInt C = problem->blocks->C;
  PetscCall(PetscArraycpy(bounds->nu, iterate->nu_prox, (size_t)problem->representatives.n_local * C));
  (*problem->loss.ops->to_domain)(&problem->loss, problem->representatives.n_local, C, bounds->nu,
                                  problem->representatives.Y);
  PetscCall(VecCopy(iterate->M_prox, bounds->M));
  PetscFunctionReturn(0);
}

/* The consensus step's own: its optimality says A'nu = rho/2 (S - Sh), for as long as nu need not be pulled into the
   domain. */
PetscErrorCode PsdBoundsBuildStep(PsdBounds bounds, const PsdIterate *iterate)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = bounds->problem;
  const PetscInt C = problem->blocks->C;
  const size_t length = (size_t)problem->representatives.n_local * C;
  const PetscReal ulps = 16 * PETSC_MACHINE_EPSILON * PsdLossSlope(&problem->loss);
  PetscBool moved = PETSC_FALSE;
  PetscCall(PetscArraycpy(bounds->nu, iterate->nu_step, length));
  (*problem->loss.ops->to_domain)(&problem->loss, problem->representatives.n_local, C, bounds->nu,
                                  problem->representatives.Y);
  for (size_t k = 0; k < length && !moved; k++)
    moved = (PetscBool)(PetscAbsReal(bounds->nu[k] - iterate->nu_step[k]) > ulps);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &moved, 1, MPIU_BOOL, MPI_LOR, problem->comm));
  if (moved) {
    PetscCall(PsdProductsAdjoint(problem->products, bounds->nu, bounds->M));
  } else {
    PetscCall(VecWAXPY(bounds->M, -1, iterate->Sh, iterate->S));
    PetscCall(VecScale(bounds->M, iterate->rho / 2));
  }
  PetscFunctionReturn(0);
}

/* -L'(A S) of the network. */
PetscErrorCode PsdBoundsBuildSlope(PsdBounds bounds, const PsdIterate *iterate)
{
  PetscFunctionBeginUser;
  (void)iterate;
  PetscCall(PetscArraycpy(bounds->nu, bounds->nu_network,
                          (size_t)bounds->problem->representatives.n_local * bounds->problem->blocks->C));
  PetscCall(VecCopy(bounds->M_network, bounds->M));
  PetscFunctionReturn(0);
}

typedef struct {
  PsdBounds bounds;
  PetscReal loss;
} Primal;

static PetscErrorCode AddLoss(void *context, PetscInt first, PetscInt rows, PetscReal yhat[], PetscReal coefficients[])
{
  PetscFunctionBeginUser;
  Primal *primal = context;
  const PsdProblem problem = primal->bounds->problem;
  const PsdLoss *loss = &problem->loss;
  const size_t C = problem->blocks->C, at = first * C;
  primal->loss += PsdWeightedValue(loss, rows, (PetscInt)C, PsdWeightsFrom(problem->representatives.weights, first),
                                   yhat, problem->representatives.Y + at);
  (*loss->ops->dual_point)(loss, rows, (PetscInt)C, yhat, problem->representatives.Y + at, coefficients);
  PetscCall(PetscArraycpy(primal->bounds->nu_network + at, coefficients, rows * C));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBoundsSplitPrimal(PsdBounds bounds, const PsdIterate *iterate, PetscBool gradient, PetscReal *loss)
{
  PetscFunctionBeginUser;
  Primal primal = {bounds, 0};
  PetscCall(PsdProductsPass(bounds->problem->products, iterate->network, gradient ? bounds->M_network : NULL, AddLoss,
                            &primal));
  *loss = (PetscReal)bounds->problem->representatives.copies * primal.loss;
  PetscFunctionReturn(0);
}
