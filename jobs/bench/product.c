/*
   product: the product of patches with themselves in lifting (src/patches/product.c) against dsyrk, at shapes that occur.

   A Markdown row each: q, patches in a region, microseconds of both (best of several rounds, taken in turn), the ratio.
*/
#include "patches/lift.h"
#include <petscblaslapack.h>

#define ROUNDS 7
#define REPEATS 4000

static const PetscInt shapes[][2] = {{16, 169}, {25, 64}, {48, 210}, {75, 100}, {108, 200}};

static PetscLogDouble TimeOwn(PetscInt q, PetscInt count, const PetscReal *rows, PetscReal *square, PetscReal *first)
{
  const PetscLogDouble start = MPI_Wtime();
  for (int k = 0; k < REPEATS; k++) (void)PsdPatchesProduct(q, count, 1, rows, square, first);
  return (MPI_Wtime() - start) / REPEATS;
}

static PetscLogDouble TimeBlas(PetscInt q, PetscInt count, const PetscReal *rows, PetscReal *square)
{
  const PetscBLASInt order = (PetscBLASInt)q, patches = (PetscBLASInt)count;
  const PetscReal one = 1, zero = 0;
  const PetscLogDouble start = MPI_Wtime();
  for (int k = 0; k < REPEATS; k++) BLASsyrk_("U", "N", &order, &patches, &one, rows, &order, &zero, square, &order);
  return (MPI_Wtime() - start) / REPEATS;
}

int main(int argc, char **argv)
{
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  for (size_t k = 0; k < sizeof(shapes) / sizeof(*shapes); k++) {
    const PetscInt q = shapes[k][0], count = shapes[k][1];
    PetscReal *rows, *square, *first;
    PetscLogDouble own = 1, blas = 1;
    PetscCall(PetscMalloc3(q * count + PSD_ROWS_PADDING, &rows, q * q, &square, q, &first));
    for (PetscInt i = 0; i < q * count + PSD_ROWS_PADDING; i++) rows[i] = (PetscReal)(i % 17) / 17 - 0.5;
    for (int round = 0; round < ROUNDS; round++) {
      own = PetscMin(own, TimeOwn(q, count, rows, square, first));
      blas = PetscMin(blas, TimeBlas(q, count, rows, square));
    }
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "| %" PetscInt_FMT " | %" PetscInt_FMT " | %.1f | %.1f | %.2f |\n", q,
                          count, 1e6 * own, 1e6 * blas, blas / own));
    PetscCall(PetscFree3(rows, square, first));
  }
  return (int)PsdFinalize();
}
