/*
   Products over long columns by blocks of rows.
*/
#include "long_product.h"
#include <petscblaslapack.h>

PetscErrorCode PsdProductTransposed(PetscInt m, PetscInt n, PetscInt length, const PetscReal A[], const PetscReal B[],
                                    PetscInt ld, PetscReal C[])
{
  PetscFunctionBeginUser;
  const PetscReal one = 1;
  PetscBLASInt bm, bn, rows, from, to;
  if (m == 0 || n == 0) PetscFunctionReturn(0);
  PetscCall(PetscBLASIntCast(m, &bm));
  PetscCall(PetscBLASIntCast(n, &bn));
  PetscCall(PetscBLASIntCast(PetscMax(1, length), &from));
  PetscCall(PetscBLASIntCast(ld, &to));
  for (PetscInt first = 0; first == 0 || first < length; first += PSD_PRODUCT_ROWS) {
    const PetscReal before = first == 0 ? 0 : 1;
    rows = (PetscBLASInt)PetscMin(PSD_PRODUCT_ROWS, length - first);
    PetscCallBLAS("BLASgemm",
                  BLASgemm_("T", "N", &bm, &bn, &rows, &one, A + first, &from, B + first, &from, &before, C, &to));
  }
  PetscCall(PetscLogFlops(2.0 * m * n * (PetscLogDouble)length));
  PetscFunctionReturn(0);
}
