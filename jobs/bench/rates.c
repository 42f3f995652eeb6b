/*
   rates: what products of matrices of the low-rank solver's shapes reach, on all ranks at once: 682 patches of 3072 numbers, which is a tile
   of a level, with 14 to 256 columns in single precision and 128 in double, forward X V and backward X'P; and X'X.

   A Markdown row each: GFlop/s a rank of the slowest rank, best of several rounds.
*/
#include "base/base.h"
#include "base/gemm.h"

enum { ROUNDS = 5, F = 3072, ROWS = 682, MOST = 256 };

typedef struct {
  float *x, *v, *p, *square;
  PetscReal *dx, *dv, *dp, *dsquare;
} Matrices;

typedef PetscErrorCode (*Work)(const Matrices *it, PetscInt columns);

static PetscErrorCode ForwardSingle(const Matrices *it, PetscInt columns)
{
  PetscFunctionBeginUser;
  PetscCall(PsdGemmSingle('T', 'N', ROWS, columns, F, it->x, F, it->v, F, it->p, ROWS));
  PetscFunctionReturn(0);
}

static PetscErrorCode BackwardSingle(const Matrices *it, PetscInt columns)
{
  PetscFunctionBeginUser;
  PetscCall(PsdGemmSingle('N', 'N', F, columns, ROWS, it->x, F, it->p, ROWS, it->v, F));
  PetscFunctionReturn(0);
}

static PetscErrorCode ForwardDouble(const Matrices *it, PetscInt columns)
{
  PetscFunctionBeginUser;
  PetscCall(PsdGemmDouble('T', 'N', ROWS, columns, F, it->dx, F, it->dv, F, it->dp, ROWS));
  PetscFunctionReturn(0);
}

static PetscErrorCode SquareSingle(const Matrices *it, PetscInt columns)
{
  PetscFunctionBeginUser;
  (void)columns;
  PetscCall(PsdSyrkSingle('N', F, ROWS, it->x, F, it->square, F));
  PetscFunctionReturn(0);
}

static PetscErrorCode SquareDouble(const Matrices *it, PetscInt columns)
{
  PetscFunctionBeginUser;
  (void)columns;
  PetscCall(PsdSyrkDouble('N', F, ROWS, it->dx, F, it->dsquare, F));
  PetscFunctionReturn(0);
}

static PetscErrorCode Row(const char name[], const Matrices *it, PetscInt columns, PetscReal flops, Work work)
{
  PetscFunctionBeginUser;
  PetscReal best = PETSC_MAX_REAL;
  for (int round = 0; round < ROUNDS; round++) {
    PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
    const PetscReal start = MPI_Wtime();
    PetscCall((*work)(it, columns));
    PetscReal seconds = MPI_Wtime() - start;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPIU_REAL, MPI_MAX, PETSC_COMM_WORLD));
    best = PetscMin(best, seconds);
  }
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "| %s | %" PetscInt_FMT " | %.1f |\n", name, columns,
                        (double)(1e-9 * flops / best)));
  PetscFunctionReturn(0);
}

static PetscErrorCode Rows(void)
{
  PetscFunctionBeginUser;
  static const PetscInt columns[] = {14, 48, 107, 256};
  const PetscReal plain = 2.0 * F * ROWS;
  Matrices it;
  PetscCall(PetscMalloc4(F * ROWS, &it.x, F * MOST, &it.v, ROWS * MOST, &it.p, F * F, &it.square));
  PetscCall(PetscMalloc4(F * ROWS, &it.dx, F * MOST, &it.dv, ROWS * MOST, &it.dp, F * F, &it.dsquare));
  for (PetscInt i = 0; i < F * ROWS; i++) it.dx[i] = it.x[i] = (float)(i % 17) / 17 - 0.5f;
  for (PetscInt i = 0; i < F * MOST; i++) it.dv[i] = it.v[i] = (float)(i % 13) / 13 - 0.5f;
  for (PetscInt i = 0; i < ROWS * MOST; i++) it.p[i] = (float)(i % 11) / 11 - 0.5f;
  for (size_t k = 0; k < sizeof(columns) / sizeof(*columns); k++) {
    PetscCall(Row("sgemm X V", &it, columns[k], plain * (PetscReal)columns[k], ForwardSingle));
    PetscCall(Row("sgemm X'P", &it, columns[k], plain * (PetscReal)columns[k], BackwardSingle));
  }
  PetscCall(Row("dgemm X V", &it, 128, plain * 128, ForwardDouble));
  PetscCall(Row("ssyrk X'X", &it, F, plain * F / 2, SquareSingle));
  PetscCall(Row("dsyrk X'X", &it, F, plain * F / 2, SquareDouble));
  PetscCall(PetscFree4(it.x, it.v, it.p, it.square));
  PetscCall(PetscFree4(it.dx, it.dv, it.dp, it.dsquare));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "| product | columns | GFlop/s a rank |\n|---|---|---|\n"));
  PetscCall(Rows());
  return (int)PsdFinalize();
}
