/*
   Making the witness of a bound that the solver's computation has just proved.

   It is to be proved again by others, who add up A'nu in another order, and by a Cholesky factorisation in the place of
   the polar. Let r be what rounding may do to R*(A'nu) (2 ||E||_F, see dual_point.c), and d the order of a block. s is at
   most beta/(R* + 4 r), less 16 (d+4)^2 eps of it, and theta divides what is left between the two diagonal blocks:
   with the polar's theta and phi (polar_proof.h), s (theta + phi) + slack = beta, s theta + slack/2 makes the matrix of
   witness.h at least (slack/2) I. Half of it is more than twice the rounding of another sum, and 8 (d+4)^2 eps beta covers the
   factorisation and what it took to write the matrix down: (d+8) eps times its trace, which is at most 2 d beta, and 8 eps times
   its trace and norm (polar_proof.c).
*/
#include "witness.h"
#include "base/base.h"
#include "ray.h"

PetscErrorCode PsdWitnessCreate(MPI_Comm comm, PsdWitness *witness)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(witness));
  (*witness)->comm = comm;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdWitnessDestroy(PsdWitness *witness)
{
  PetscFunctionBeginUser;
  if (!*witness) PetscFunctionReturn(0);
  PetscCall(PetscFree((*witness)->nu));
  PetscCall(PetscFree((*witness)->theta));
  PetscCall(PsdNetworkDestroy(&(*witness)->network));
  if ((*witness)->archive) PetscCall(PsdArchiveDestroy(&(*witness)->archive));
  PetscCall(PetscFree(*witness));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdWitnessAllocate(PsdWitness it, PsdProblem problem)
{
  PetscFunctionBeginUser;
  it->n_local = problem->n_local;
  it->local = problem->blocks->local;
  it->units = problem->units;
  if (!it->nu) PetscCall(PetscMalloc1((size_t)it->n_local * problem->blocks->C, &it->nu));
  if (!it->theta) PetscCall(PetscMalloc1(2 * (size_t)it->local, &it->theta));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdWitnessGetBound(PsdWitness witness, PetscReal *bound)
{
  PetscFunctionBeginUser;
  *bound = PsdFromUnits(witness->units, PSD_UNIT_OBJECTIVE, witness->bound);
  PetscFunctionReturn(0);
}

/* The largest s: see above. */
static PetscReal Limit(PsdProblem problem, const PsdPointPolar *polar)
{
  const PetscReal d = (PetscReal)problem->blocks->d_max;
  return problem->beta / (polar->bound + 4 * polar->hidden) * (1 - 16 * (d + 4) * (d + 4) * PETSC_MACHINE_EPSILON);
}

/* s, and the bound that others will be able to prove. Of three times the rounding of the dual function one is what the
   value may be wrong by, and the others are what another sum may come out lower by and takes off again. */
static PetscErrorCode Scale(PsdWitness it, PsdProblem problem, const PsdDualPoint *point, const PsdPointPolar *polar)
{
  PetscFunctionBeginUser;
  const PsdDualRay ray = PsdDualRayOf(problem, point);
  const PetscReal limit = Limit(problem, polar);
  PetscReal value, rounding;
  if (!(polar->bound > 0) || !(limit > 0)) PetscFunctionReturn(0);
  PetscCall(PsdDualBestOnRay(&ray, limit, &it->s, &value, &rounding));
  it->bound = PetscMax(0, value - 3 * rounding);
  if (it->bound == 0) it->s = 0;
  PetscFunctionReturn(0);
}

/* Without a point: of the bound 0. */
static PetscErrorCode Begin(PsdWitness it, PsdProblem problem)
{
  PetscFunctionBeginUser;
  PetscCall(PsdWitnessAllocate(it, problem));
  it->multiplied = PETSC_TRUE;
  it->beta = problem->beta;
  it->s = it->bound = 0;
  PetscCall(PetscArrayzero(it->nu, (size_t)problem->n_local * problem->blocks->C));
  for (PetscInt k = 0; k < 2 * it->local; k++) it->theta[k] = it->beta / 2;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdWitnessTakeSides(PsdWitness it, PsdProblem problem, const PsdDualPoint *point,
                                   const PsdPointPolar *polar, const PsdPolarSide sides[])
{
  PetscFunctionBeginUser;
  PetscCall(Begin(it, problem));
  if (point) PetscCall(Scale(it, problem, point, polar));
  if (!point || it->s == 0) PetscFunctionReturn(0);
  PetscCall(PetscArraycpy(it->nu, point->nu, (size_t)problem->n_local * problem->blocks->C));
  for (PetscInt k = 0; k < 2 * it->local; k++)
    it->theta[k] = it->s * sides[k].theta + (it->beta - it->s * (sides[k].theta + sides[k].phi)) / 2;
  PetscFunctionReturn(0);
}

/* Of this rank's blocks. */
static PetscErrorCode FindSides(PsdProblem problem, const PsdDualPoint *point, PsdPolarSide sides[])
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = problem->blocks;
  const PetscReal *M;
  PetscCall(VecGetArrayRead(point->gradient, &M));
  for (PetscInt k = 0; k < blocks->local; k++)
    PetscCall(PsdPolarsEvaluateBoth(problem->polars, blocks->first + k, M + PsdBlocksOwn(blocks, k).at,
                                    sides + 2 * (size_t)k));
  PetscCall(VecRestoreArrayRead(point->gradient, &M));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdWitnessTake(PsdWitness it, PsdProblem problem, const PsdDualPoint *point)
{
  PetscFunctionBeginUser;
  PsdPolarSide *sides;
  PsdPointPolar polar = {0, 0, 0};
  PetscCall(PetscMalloc1(2 * (size_t)problem->blocks->local, &sides));
  if (point) {
    PetscCall(PsdDualPointPolar(problem, point, &polar));
    PetscCall(FindSides(problem, point, sides));
  }
  PetscCall(PsdWitnessTakeSides(it, problem, point, &polar, sides));
  PetscCall(PetscFree(sides));
  PetscFunctionReturn(0);
}
