/*
   kernels: what the machine's BLAS reaches, as a measure for what psdnet reaches. GFLOP/s of all ranks together.

   Every rank works at the same time with data of its own, because cores share memory bandwidth and clock. Each product is
   repeated for a quarter of a second a measurement; the median of the measurements counts. One line each:
   name, size, GFLOP/s.
*/
#include <petscsys.h>
#include <petscblaslapack.h>

#define MEASUREMENTS 3
#define SECONDS 0.25

typedef struct {
  const char *name;
  PetscBLASInt m, n, k; /* dgemm: (m x k)(k x n); dsyrk: n x n from n x k */
  PetscBool symmetric;
} Product;

static const Product products[] = {
    {"dgemm", 1024, 1024, 1024, PETSC_FALSE},
    {"dgemm", 48, 48, 256, PETSC_FALSE}, /* patches of a pooling region with themselves */
    {"dgemm", 48, 48, 48, PETSC_FALSE},  /* a whitening applied */
    {"dsyrk", 0, 1224, 1024, PETSC_TRUE},
    {"dsyrk", 0, 4900, 1024, PETSC_TRUE},
};

static void Multiply(const Product *p, const PetscReal *A, const PetscReal *B, PetscReal *C)
{
  const PetscReal one = 1, zero = 0;
  if (p->symmetric) BLASsyrk_("U", "N", &p->n, &p->k, &one, A, &p->n, &zero, C, &p->n);
  else BLASgemm_("N", "T", &p->m, &p->n, &p->k, &one, A, &p->m, B, &p->n, &zero, C, &p->m);
}

/* useful flops: half of a product of a matrix with its own transpose is known by symmetry */
static PetscReal Flops(const Product *p)
{
  return p->symmetric ? (PetscReal)p->n * (p->n + 1) * p->k : 2.0 * p->m * p->n * p->k;
}

/* GFLOP/s of this rank while all ranks work */
static PetscErrorCode Measure(const Product *p, const PetscReal *A, const PetscReal *B, PetscReal *C, PetscReal *rate)
{
  PetscFunctionBeginUser;
  PetscReal rates[MEASUREMENTS];
  Multiply(p, A, B, C);
  for (int k = 0; k < MEASUREMENTS; k++) {
    PetscInt64 count = 0;
    double start, elapsed;
    PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
    start = MPI_Wtime();
    do {
      Multiply(p, A, B, C);
      count++;
      elapsed = MPI_Wtime() - start;
    } while (elapsed < SECONDS);
    rates[k] = (PetscReal)count * Flops(p) / elapsed / 1e9;
  }
  PetscCall(PetscSortReal(MEASUREMENTS, rates));
  *rate = rates[MEASUREMENTS / 2];
  PetscFunctionReturn(0);
}

static PetscErrorCode MeasureAndPrint(const Product *p)
{
  PetscFunctionBeginUser;
  const size_t rows = p->symmetric ? p->n : p->m, nA = rows * p->k, nB = (size_t)p->n * p->k, nC = rows * p->n;
  PetscReal *A, *B, *C, rate;
  PetscCall(PetscMalloc3(nA, &A, nB, &B, nC, &C));
  for (size_t i = 0; i < nA; i++) A[i] = 1.0 / (PetscReal)(1 + i % 101);
  for (size_t i = 0; i < nB; i++) B[i] = 1.0 / (PetscReal)(1 + i % 103);
  PetscCall(PetscArrayzero(C, nC));
  PetscCall(Measure(p, A, B, C, &rate));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &rate, 1, MPIU_REAL, MPI_SUM, PETSC_COMM_WORLD));
  if (p->symmetric) PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%s %dx%d %.2f\n", p->name, p->n, p->k, (double)rate));
  else PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%s %dx%dx%d %.2f\n", p->name, p->m, p->n, p->k, (double)rate));
  PetscCall(PetscFree3(A, B, C));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  PetscFunctionBeginUser;
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(products); k++) PetscCall(MeasureAndPrint(&products[k]));
  PetscCall(PetscFinalize());
  return 0;
}
