/*
   Projects the matrix of the distances between points in the plane onto the cone of positive semidefinite matrices, over all
   ranks, and shows that the result is the nearest such matrix.

   mpiexec -n 2 ./project [-order 400] [-projection partial ...]        Such a matrix has one positive eigenvalue, whatever the points.
*/
#include <psdnet.h>

/* The distance of points `row` and `column`, which lie on a parabola. */
static PetscReal Distance(PetscInt row, PetscInt column, void *data)
{
  const PetscReal step = *(const PetscReal *)data, across = step * (PetscReal)(row - column);
  const PetscReal up = across * step * (PetscReal)(row + column);
  return PetscSqrtReal(across * across + up * up);
}

/* <Z, X - Z>, which is zero of the nearest matrix; both are symmetric, and of X the lower triangle is there. */
static PetscReal Product(const PsdProjectionLayout *layout, const PetscReal X[], const PetscReal Z[])
{
  PetscReal sum = 0;
  for (PetscInt k = 0; k < layout->columns; k++)
    for (PetscInt i = 0; i < layout->rows; i++) {
      const PetscInt row = PsdProjectionRow(layout, i), column = PsdProjectionColumn(layout, k),
                     at = k * layout->rows + i;
      if (row >= column) sum += (row > column ? 2 : 1) * Z[at] * (X[at] - Z[at]);
    }
  return sum;
}

static PetscErrorCode Run(MPI_Comm comm)
{
  PetscInt order = 400;
  PetscReal step = 0.01, *X, *Z, product;
  PsdProjection projection;
  PsdProjectionLayout layout;
  PsdProjectionResult result;
  PetscFunctionBeginUser;
  PetscCall(PsdOptionInt("-order", "points", 1, 100000, &order, NULL));
  PetscCall(PsdProjectionCreate(comm, order, &projection));
  PetscCall(PsdProjectionSetFromOptions(projection));
  PetscCall(PsdOptionsCheckUnknown());
  PetscCall(PsdProjectionGetLayout(projection, &layout));
  PetscCall(
      PetscMalloc2((size_t)layout.rows * (size_t)layout.columns, &X, (size_t)layout.rows * (size_t)layout.columns, &Z));
  PetscCall(PsdProjectionFill(projection, Distance, &step, X));
  PetscCall(PsdProjectionApply(projection, X, Z, &result));
  product = Product(&layout, X, Z);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &product, 1, MPIU_REAL, MPI_SUM, comm));
  PetscCall(PetscPrintf(comm, "order %d on a grid of %d x %d: %d %s eigenvalues\n", (int)order, (int)layout.height,
                        (int)layout.width, (int)result.found, result.side > 0 ? "positive" : "negative"));
  PetscCall(PetscPrintf(comm, "error at most %.1e and what was missed %.1e, of a norm of %.4e\n",
                        (double)result.residual, (double)result.missed, (double)result.norm));
  PetscCall(PetscPrintf(comm, "<Z, X - Z> is %.1e of its size\n",
                        (double)(PetscAbsReal(product) / (result.norm * result.norm))));
  PetscCall(PetscFree2(X, Z));
  PetscCall(PsdProjectionDestroy(&projection));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  PetscCall(PsdInitialize(&argc, &argv, NULL));
  const PetscErrorCode code = Run(PETSC_COMM_WORLD);
  if (code == PSD_ERR_INPUT) PetscCall(PetscPrintf(PETSC_COMM_WORLD, "error: %s\n", PsdErrorMessage()));
  else PetscCall(code); /* a defect: its traceback, and the end of all ranks */
  PetscCall(PsdFinalize());
  return code ? 1 : 0;
}
