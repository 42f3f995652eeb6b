/*
   The projection of one matrix over all ranks: the handle, parts of matrices, and which method finds Z.

   The first projection of `auto` is complete, as nothing is known; later ones look for the side that had few eigenvalues,
   and start from their vectors. `partial` begins with the side that the trace speaks for: of a matrix with a positive trace,
   eigenvalues below zero are likely to be few.
*/
#include "projection_impl.h"
#include "base/base.h"
#include "base/eigen.h"
#include <math.h>
#include <stdlib.h>

#define MOST_PAIRS 256 /* that are looked for unless more are asked for */

static const PsdChoice methods[] = {[PSD_PROJECTION_AUTO] = {"auto", NULL, "partial when the last matrix allows"},
                                    [PSD_PROJECTION_COMPLETE] = {"complete", NULL, "all eigenpairs, by ScaLAPACK"},
                                    [PSD_PROJECTION_PARTIAL] = {"partial", NULL, "those of the smaller side"}};

/* ---------------------------------------------------------------- handle */

PetscErrorCode PsdProjectionCreate(MPI_Comm comm, PetscInt order, PsdProjection *projection)
{
  PetscFunctionBeginUser;
  PsdProjection it;
  PsdLayout layout;
  PsdCheckInput(order >= 1, "Found a matrix of order %" PetscInt_FMT ", expected 1 or more", order);
  PetscCall(PsdLayoutCreate(comm, order, 0, &layout));
  PetscCall(PetscNew(&it));
  it->layout = layout;
  it->tolerance = 1e-9;
  it->most = PetscMax(1, PetscMin(order / 4, MOST_PAIRS));
  PetscCall(PsdLayoutVectorsCreate(layout, &it->vectors, &it->rows));
  *projection = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProjectionSetMethod(PsdProjection it, PsdProjectionMethod method)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(it);
  it->method = method;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProjectionSetTolerance(PsdProjection it, PetscReal tolerance)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(it);
  PsdCheckInput(tolerance > 0 && tolerance < 1, "Found a tolerance of %g, expected one between 0 and 1",
                (double)tolerance);
  it->tolerance = tolerance;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProjectionSetMost(PsdProjection it, PetscInt most)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(it);
  PsdCheckInput(most >= 1 && most <= it->layout->order,
                "Found %" PetscInt_FMT " eigenpairs, expected 1 to %" PetscInt_FMT ", the order", most,
                it->layout->order);
  it->most = most;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProjectionSetFromOptions(PsdProjection it)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(it);
  PetscInt method = it->method, most = it->most;
  PetscReal tolerance = it->tolerance;
  const PsdRange fraction = {0, 0.5, PETSC_TRUE};
  PetscCall(PsdOptionChoice("-projection", "how a matrix is projected", 3, methods, &method, NULL));
  PetscCall(
      PsdOptionReal("-projection_tolerance", "error allowed to a projection, of the norm", fraction, &tolerance, NULL));
  PetscCall(PsdOptionInt("-projection_most", "eigenpairs that a partial projection looks for", 1, it->layout->order,
                         &most, NULL));
  PetscCall(PsdProjectionSetMethod(it, (PsdProjectionMethod)method));
  PetscCall(PsdProjectionSetTolerance(it, tolerance));
  PetscCall(PsdProjectionSetMost(it, most));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProjectionDestroy(PsdProjection *projection)
{
  PetscFunctionBeginUser;
  PsdProjection it = *projection;
  if (!it) PetscFunctionReturn(0);
  free(it->work);
  free(it->V);
  PetscCall(PetscFree(it->lambda));
  PetscCall(PsdLayoutEigenDestroy(&it->eigen));
  PetscCall(PsdEpsDestroy(&it->eps));
  PetscCall(PetscRandomDestroy(&it->random));
  PetscCall(PetscFree5(it->U, it->AU, it->theta, it->of_rows, it->of_columns));
  PetscCall(PetscFree(it->start));
  PetscCall(PsdLayoutVectorsDestroy(&it->vectors));
  PetscCall(PsdLayoutDestroy(&it->layout));
  PetscCall(PetscFree(*projection));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- parts */

PetscErrorCode PsdProjectionGetLayout(PsdProjection it, PsdProjectionLayout *layout)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(it);
  const struct _p_PsdLayout *from = it->layout;
  *layout = (PsdProjectionLayout){.order = from->order,
                                  .block = from->block,
                                  .rows = from->rows,
                                  .columns = from->columns,
                                  .height = from->shape.height,
                                  .width = from->shape.width,
                                  .row = from->row,
                                  .column = from->column};
  PetscCall(PetscArraycpy(layout->descriptor, from->description, 9));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProjectionFill(PsdProjection it, PetscReal (*entry)(PetscInt, PetscInt, void *), void *data,
                                 PetscReal X[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(it);
  PsdLayout layout = it->layout;
  PetscCall(PetscArrayzero(X, layout->numbers));
  for (PetscInt k = 0; k < layout->columns; k++) {
    const PetscInt column = PsdLayoutColumn(layout, k);
    for (PetscInt i = PsdLayoutRowsBefore(layout, column); i < layout->rows; i++)
      X[(size_t)k * (size_t)layout->rows + (size_t)i] = (*entry)(PsdLayoutRow(layout, i), column, data);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProjectionDistribute(PsdProjection it, const PetscReal whole[], PetscReal X[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(it);
  PetscCall(PsdLayoutDistribute(it->layout, whole, X));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProjectionCollect(PsdProjection it, const PetscReal Z[], PetscReal whole[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(it);
  PetscCall(PsdLayoutCollect(it->layout, Z, whole));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- projection */

/* The exponent of two of the largest entry, 0 of a matrix of zeros; an error of all ranks where an entry is not finite. */
static PetscErrorCode FindExponent(PsdProjection it, const PetscReal X[], int *exponent, PetscBool *zero)
{
  PetscFunctionBeginUser;
  PetscReal largest;
  PetscCall(PsdLayoutLargest(it->layout, 'L', X, &largest));
  PsdCheckInput(isfinite(largest), "Found a matrix with an entry that is not finite, expected numbers to project");
  *zero = (PetscBool)(largest == 0);
  (void)frexp(largest, exponent);
  PetscFunctionReturn(0);
}

/* A <- X / 2^exponent, both triangles. */
static PetscErrorCode Take(PsdProjection it, const PetscReal X[], int exponent)
{
  PetscFunctionBeginUser;
  PsdLayout layout = it->layout;
  for (PetscInt k = 0; k < layout->columns; k++) {
    const size_t at = (size_t)k * (size_t)layout->rows;
    const PetscInt above = PsdLayoutRowsBefore(layout, PsdLayoutColumn(layout, k));
    PetscCall(PetscArrayzero(it->A + at, above));
    for (PetscInt i = above; i < layout->rows; i++) it->A[at + (size_t)i] = ldexp(X[at + (size_t)i], -exponent);
  }
  PetscCall(PsdProjectionMirror(it, it->A));
  PetscFunctionReturn(0);
}

static PetscErrorCode Trace(PsdProjection it, PetscReal *trace)
{
  PetscFunctionBeginUser;
  PsdLayout layout = it->layout;
  *trace = 0;
  for (PetscInt k = 0; k < layout->columns; k++) {
    const PetscInt row = PsdLayoutDiagonal(layout, k);
    if (row >= 0) *trace += it->A[(size_t)k * (size_t)layout->rows + (size_t)row];
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, trace, 1, MPIU_REAL, MPI_SUM, layout->comm));
  PetscFunctionReturn(0);
}

static PetscErrorCode Try(PsdProjection it, PetscInt sign, PetscBool *settled)
{
  PetscFunctionBeginUser;
  PetscCall(PsdProjectionPartial(it, sign, settled));
  if (!*settled)
    PetscCall(PetscInfo(NULL, "projection of order %" PetscInt_FMT ": the %s side does not settle\n", it->layout->order,
                        sign > 0 ? "positive" : "negative"));
  PetscFunctionReturn(0);
}

static PetscErrorCode Project(PsdProjection it)
{
  PetscFunctionBeginUser;
  const PetscInt known = it->kept_sign;
  PetscBool settled = PETSC_FALSE;
  PetscReal trace;
  if (it->method != PSD_PROJECTION_COMPLETE && known != 0) {
    PetscCall(Try(it, known, &settled));
  } else if (it->method == PSD_PROJECTION_PARTIAL) {
    PetscCall(Trace(it, &trace));
    PetscCall(Try(it, trace > 0 ? -1 : 1, &settled));
    if (!settled) PetscCall(Try(it, trace > 0 ? 1 : -1, &settled));
  }
  if (!settled) PetscCall(PsdProjectionComplete(it));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProjectionApply(PsdProjection it, const PetscReal X[], PetscReal Z[], PsdProjectionResult *result)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(it);
  int exponent = 0;
  PetscBool zero = PETSC_FALSE;
  PetscReal square;
  if (!it->work) PetscCall(PsdLayoutAllocate(it->layout, &it->work));
  PetscCall(FindExponent(it, X, &exponent, &zero));
  it->A = Z;
  it->result = (PsdProjectionResult){.method = PSD_PROJECTION_PARTIAL, .side = 1};
  PetscCall(Take(it, X, exponent));
  if (!zero) {
    PetscCall(PsdProjectionSquare(it, it->A, &square));
    it->result.norm = PetscSqrtReal(square);
    PetscCall(Project(it));
    PetscCall(PsdProjectionMirror(it, it->A));
  }
  for (size_t k = 0; k < it->layout->numbers; k++) Z[k] = ldexp(Z[k], exponent);
  PetscReal *const sizes[] = {&it->result.norm, &it->result.residual, &it->result.missed};
  for (int k = 0; k < 3; k++) *sizes[k] = ldexp(*sizes[k], exponent);
  if (result) *result = it->result;
  PetscFunctionReturn(0);
}
