/*
   The partial projection: all positive eigenpairs of sign A, U and Theta, with sign = 1 or -1, so that Z = U Theta U' or
   Z = A + U Theta U'.

   What is searched is sign A - shift I, the shift so small that all eigenvalues below it come to an eighth of the tolerance: those that are
   zero, which a solution of a semidefinite program has many of, are then clearly not wanted.

   The search is an EPS whose vectors have their rows on all ranks. It starts from the vectors of the last projection, or from
   random ones. What it has found is multiplied with A once more, so that the residual of the result is that of what is used, and
   projection_proof.c shows what can have been missed.
*/
#include "projection_impl.h"
#include "base/base.h"
#include "base/eigen.h"
#include "cone/eps_block.h"
#include <petscblaslapack.h>

/* Where no vectors are known: so many random ones, and their products with powers of A, as Lanczos' method has them. Random ones
   alone have Ritz values in the middle of the spectrum, which tell nothing of its ends. */
#define START_WIDTH 8
#define START_DEPTH 6

/* AV = (sign A - shift I) V, of as many vectors as there is room for. */
static PetscErrorCode MultiplySome(PsdProjection it, PetscInt count, const PetscReal V[], PetscReal AV[])
{
  PetscFunctionBeginUser;
  PsdLayout layout = it->layout;
  const PetscReal zero = 0, sign = it->sign;
  PetscBLASInt rows, columns, vectors;
  PetscCall(PetscBLASIntCast(layout->rows, &rows));
  PetscCall(PetscBLASIntCast(layout->columns, &columns));
  PetscCall(PetscBLASIntCast(count, &vectors));
  PetscCall(PsdLayoutVectorsToColumns(it->vectors, count, V, it->of_columns));
  if (columns == 0) PetscCall(PetscArrayzero(it->of_rows, (size_t)layout->rows * (size_t)count));
  if (rows > 0 && columns > 0)
    PetscCallBLAS("BLASgemm", BLASgemm_("N", "N", &rows, &vectors, &columns, &sign, it->A, &rows, it->of_columns,
                                        &columns, &zero, it->of_rows, &rows));
  PetscCall(PetscLogFlops(2.0 * (PetscLogDouble)layout->numbers * count));
  PetscCall(PsdLayoutVectorsSumRows(it->vectors, count, it->of_rows, AV));
  for (size_t k = 0; k < (size_t)it->rows * (size_t)count; k++) AV[k] -= it->shift * V[k];
  PetscFunctionReturn(0);
}

/* As a PsdEpsProduct. */
static PetscErrorCode Multiply(void *context, PetscInt count, const PetscReal V[], PetscReal AV[])
{
  PetscFunctionBeginUser;
  PsdProjection it = context;
  const PetscInt room = PsdEpsMostPairs(it->eps);
  for (PetscInt k = 0; k < count; k += room)
    PetscCall(MultiplySome(it, PetscMin(room, count - k), V + (size_t)k * (size_t)it->rows,
                           AV + (size_t)k * (size_t)it->rows));
  PetscFunctionReturn(0);
}

static PetscErrorCode SetUp(PsdProjection it)
{
  PetscFunctionBeginUser;
  const size_t rows = it->rows;
  const PsdEpsMatrix matrix = {it->layout->comm, it->layout->order, it->rows, Multiply, it};
  if (!it->start) PetscCall(PetscMalloc1(rows * (size_t)it->most + 1, &it->start));
  if (it->eps) PetscFunctionReturn(0);
  PetscCall(PsdEpsCreate(&matrix, it->most, PSD_EPS_BLOCK, &it->eps));
  const size_t pairs = PsdEpsMostPairs(it->eps);
  PetscCall(PetscMalloc5(rows * pairs + 1, &it->U, rows * pairs + 1, &it->AU, pairs, &it->theta,
                         (size_t)it->layout->rows * pairs + 1, &it->of_rows, (size_t)it->layout->columns * pairs + 1,
                         &it->of_columns));
  PetscCall(PetscRandomCreate(PETSC_COMM_SELF, &it->random));
  PetscCall(PetscRandomSetType(it->random, PETSCRAND48));
  PetscCall(PetscRandomSetInterval(it->random, -1, 1));
  PetscFunctionReturn(0);
}

/* The same ones every time, and others on each rank. */
static PetscErrorCode FillAtRandom(PsdProjection it, PetscInt count, PetscReal V[])
{
  PetscFunctionBeginUser;
  PetscCall(PetscRandomSetSeed(it->random, 1 + (unsigned long)it->layout->rank));
  PetscCall(PetscRandomSeed(it->random));
  for (size_t k = 0; k < (size_t)it->rows * (size_t)count; k++) PetscCall(PetscRandomGetValueReal(it->random, &V[k]));
  PetscFunctionReturn(0);
}

static PetscErrorCode StartFromNothing(PsdProjection it)
{
  PetscFunctionBeginUser;
  const PetscInt width = PetscMax(1, PetscMin(START_WIDTH, it->most / START_DEPTH));
  const PetscInt depth = PetscMin(START_DEPTH, it->most);
  const size_t numbers = (size_t)it->rows * (size_t)width;
  PetscCall(FillAtRandom(it, width, it->start));
  for (PetscInt power = 1; power < depth; power++)
    PetscCall(Multiply(it, width, it->start + (size_t)(power - 1) * numbers, it->start + (size_t)power * numbers));
  it->kept = width * depth;
  it->start_products = (depth - 1) * width;
  PetscFunctionReturn(0);
}

/* All positive pairs of what is searched and one below zero at least; found < 0: more of them than may be, or no convergence. */
static PetscErrorCode Search(PsdProjection it, PetscReal tolerance, PetscInt *found, PetscInt *known)
{
  PetscFunctionBeginUser;
  it->start_products = 0;
  if (it->kept_sign != it->sign || it->kept == 0) PetscCall(StartFromNothing(it));
  it->kept_sign = 0; /* until something is found */
  PetscCall(PsdEpsSolve(it->eps, it->kept + 1, it->kept, it->start, 1, tolerance, known, it->theta, it->U,
                        &it->result.products));
  it->result.products += it->start_products;
  *found = 0;
  while (*found < *known && it->theta[*found] > 0) (*found)++;
  if (*found == *known && *known < it->layout->order) *found = -1;
  PetscFunctionReturn(0);
}

/* sqrt(2) ||sign A U - U Theta||_F; the shift is in both. */
static PetscErrorCode Residual(PsdProjection it, PetscInt found, PetscReal *residual)
{
  PetscFunctionBeginUser;
  PetscReal square = 0;
  PetscCall(Multiply(it, found, it->U, it->AU));
  for (PetscInt k = 0; k < found; k++)
    for (size_t i = (size_t)k * (size_t)it->rows; i < (size_t)(k + 1) * (size_t)it->rows; i++)
      square += (it->AU[i] - it->theta[k] * it->U[i]) * (it->AU[i] - it->theta[k] * it->U[i]);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &square, 1, MPIU_REAL, MPI_SUM, it->layout->comm));
  *residual = PetscSqrtReal(2 * square);
  PetscFunctionReturn(0);
}

static PetscErrorCode Keep(PsdProjection it, PetscInt count)
{
  PetscFunctionBeginUser;
  it->kept = PetscMin(count, it->most);
  it->kept_sign = it->sign;
  PetscCall(PetscArraycpy(it->start, it->U, (size_t)it->rows * (size_t)it->kept));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProjectionPartial(PsdProjection it, PetscInt sign, PetscBool *settled)
{
  PetscFunctionBeginUser;
  const PetscReal norm = it->result.norm;
  const PetscReal tolerance = PetscMax(it->tolerance * norm, 4 * PsdEigenFloor(it->layout->order, norm));
  PetscInt found = -1, known = 0;
  it->sign = sign;
  it->shift = tolerance / (8 * PetscSqrtReal((PetscReal)it->layout->order));
  *settled = PETSC_FALSE;
  PetscCall(SetUp(it));
  PetscCall(Search(it, tolerance / 2, &found, &known));
  if (found < 0) PetscFunctionReturn(0);
  PetscCall(Residual(it, found, &it->result.residual));
  for (PetscInt k = 0; k < known; k++) it->theta[k] += it->shift;
  const PetscReal allowed = tolerance - it->result.residual, guard = found < known ? -it->theta[found] : 0;
  if (allowed > 0)
    PetscCall(PsdProjectionProve(it, sign, found, it->U, it->theta, guard, allowed, &it->result.missed, settled));
  if (!*settled) PetscFunctionReturn(0);
  it->result.side = sign;
  it->result.found = found;
  PetscCall(Keep(it, known));
  if (sign > 0) PetscCall(PetscArrayzero(it->A, it->layout->numbers));
  PetscCall(PsdProjectionAddProduct(it, found, it->theta, it->U, it->A));
  PetscFunctionReturn(0);
}
