/*
   Dual candidates of losses that are split (docs/mathematics.md, section 3): nu is kept sample by sample, as the loss's
   conjugate has a domain to be stayed in.

   Only `step`, when it leaves the domain, needs a product with the samples; `slope` is the network's, and comes with its pass.
*/
#include "certificate.h"
#include "base/base.h"

/* -sigma lambda of the prox, a subgradient of -L at v. Rounding may have moved it by an ulp. */
PetscErrorCode PsdBoundsBuildProx(PsdBounds bounds, const PsdIterate *iterate)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = bounds->problem;
  const PetscInt C = problem->blocks->C;
  PetscCall(PetscArraycpy(bounds->nu, iterate->nu_prox, (size_t)problem->n_local * C));
  (*problem->loss.ops->pull)(&problem->loss, problem->n_local, C, bounds->nu, problem->Y);
  PetscCall(VecCopy(iterate->M_prox, bounds->M));
  PetscFunctionReturn(0);
}

/* The consensus step's own: its optimality says A'nu = rho/2 (S - Sh), for as long as nu need not be pulled into the domain. */
PetscErrorCode PsdBoundsBuildStep(PsdBounds bounds, const PsdIterate *iterate)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = bounds->problem;
  const PetscInt C = problem->blocks->C;
  const size_t length = (size_t)problem->n_local * C;
  PetscBool moved = PETSC_FALSE;
  PetscCall(PetscArraycpy(bounds->nu, iterate->nu_step, length));
  (*problem->loss.ops->pull)(&problem->loss, problem->n_local, C, bounds->nu, problem->Y);
  for (size_t k = 0; k < length && !moved; k++)
    moved = (PetscBool)(PetscAbsReal(bounds->nu[k] - iterate->nu_step[k]) > 16 * PETSC_MACHINE_EPSILON);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &moved, 1, MPIU_BOOL, MPI_LOR, problem->comm));
  if (moved) {
    PetscCall(PsdProductsAdjoint(problem->products, bounds->nu, bounds->M));
  } else {
    PetscCall(VecWAXPY(bounds->M, -1, iterate->Sh, iterate->S));
    PetscCall(VecScale(bounds->M, iterate->rho / 2));
  }
  PetscFunctionReturn(0);
}

typedef struct {
  PsdBounds bounds;
  const PetscReal *from;
} Correction;

static PetscErrorCode CorrectRows(void *context, PetscInt first, PetscInt rows, const PetscReal yhat[],
                                  PetscReal coefficients[])
{
  PetscFunctionBeginUser;
  const Correction *it = context;
  const PsdProblem problem = it->bounds->problem;
  const size_t C = problem->blocks->C, at = first * C;
  PetscReal *nu = it->bounds->nu + at;
  for (size_t k = 0; k < rows * C; k++) nu[k] = it->from[at + k] + yhat[k];
  (*problem->loss.ops->pull)(&problem->loss, rows, (PetscInt)C, nu, problem->Y + at);
  PetscCall(PetscArraycpy(coefficients, nu, rows * C));
  PetscFunctionReturn(0);
}

/*
   nu <- nu + A (A'A)^+ (M_f - A'nu), nu that of the prox, and then pulled into the domain, in one pass; M_f = rho/2 P (U - U') from
   the multipliers. (G_P + shift I)^-1 stands for the pseudo-inverse, as in bounds.c.
*/
PetscErrorCode PsdBoundsBuildCorrected(PsdBounds bounds, const PsdIterate *iterate)
{
  PetscFunctionBeginUser;
  Correction correction = {bounds, iterate->nu_prox};
  if (0) {
    PetscReal polar;
    PetscCall(PsdPolarMax(bounds->problem->polar, bounds->problem->blocks, iterate->M_prox, &polar));
    PetscCall(VecCopy(iterate->M_prox, bounds->work));
    PetscCall(VecScale(bounds->work, -(1 - PetscMin(1, bounds->problem->beta / polar))));
  } else {
  PetscCall(VecWAXPY(bounds->work, -1, iterate->U[1], iterate->U[0]));
  PetscCall(PsdBlocksRemoveJ(bounds->problem->blocks, bounds->work));
  PetscCall(VecAXPBY(bounds->work, -1, iterate->rho / 2, iterate->M_prox));
  }
  PetscCall(PsdConsensusSolve(bounds->consensus, bounds->work, bounds->w));
  PetscCall(PsdProductsPass(bounds->problem->products, bounds->w, bounds->M, CorrectRows, &correction));
  PetscFunctionReturn(0);
}

/* -L'(A S) of the network. */
PetscErrorCode PsdBoundsBuildSlope(PsdBounds bounds, const PsdIterate *iterate)
{
  PetscFunctionBeginUser;
  (void)iterate;
  PetscCall(PetscArraycpy(bounds->nu, bounds->nu_network,
                          (size_t)bounds->problem->n_local * bounds->problem->blocks->C));
  PetscCall(VecCopy(bounds->M_network, bounds->M));
  PetscFunctionReturn(0);
}

typedef struct {
  PsdBounds bounds;
  PetscReal loss;
} Primal;

static PetscErrorCode AddLoss(void *context, PetscInt first, PetscInt rows, const PetscReal yhat[],
                              PetscReal coefficients[])
{
  PetscFunctionBeginUser;
  Primal *primal = context;
  const PsdProblem problem = primal->bounds->problem;
  const PsdLoss *loss = &problem->loss;
  const size_t C = problem->blocks->C, at = first * C;
  primal->loss += (*loss->ops->value)(loss, rows, (PetscInt)C, yhat, problem->Y + at);
  (*loss->ops->dual_point)(loss, rows, (PetscInt)C, yhat, problem->Y + at, coefficients);
  PetscCall(PetscArraycpy(primal->bounds->nu_network + at, coefficients, rows * C));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBoundsSplitPrimal(PsdBounds bounds, const PsdIterate *iterate, PetscBool gradient, PetscReal *loss)
{
  PetscFunctionBeginUser;
  Primal primal = {bounds, 0};
  PetscCall(PsdProductsPass(bounds->problem->products, iterate->network, gradient ? bounds->M_network : NULL, AddLoss,
                            &primal));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &primal.loss, 1, MPIU_REAL, MPI_SUM, bounds->problem->comm));
  *loss = primal.loss;
  PetscFunctionReturn(0);
}
