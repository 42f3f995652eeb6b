/*
   Blocks of columns of a rank's part of the distributed matrix, and products with them.
*/
#include "grid_impl.h"
#include <petscblaslapack.h>

PsdGridBlock PsdGridBlockAt(PsdGrid it, PetscInt first)
{
  const PetscInt number = PsdCyclicNumber(first, it->block, it->column, it->shape.width);
  PsdGridBlock block = {.first = first, .width = PetscMin(it->block, it->cols.count - first)};
  block.diagonal = PsdCyclicCount(number, it->block, it->row, it->shape.height);
  block.square = (PetscBool)(block.diagonal < it->rows.count &&
                             PsdCyclicNumber(block.diagonal, it->block, it->row, it->shape.height) == number);
  return block;
}

PetscErrorCode PsdGridAddProduct(PsdGrid it, PetscBool transposed, PetscInt m, PetscInt k, const PetscReal *A,
                                 PetscInt ld, const PetscReal *in, PetscInt ld_in, PetscReal *out, PetscInt ld_out)
{
  PetscFunctionBeginUser;
  const PetscReal one = 1;
  PetscBLASInt bm, bk, bld, bin, bout, rhs;
  if (m == 0 || k == 0) PetscFunctionReturn(0);
  PetscCall(PetscBLASIntCast(m, &bm));
  PetscCall(PetscBLASIntCast(k, &bk));
  PetscCall(PetscBLASIntCast(ld, &bld));
  PetscCall(PetscBLASIntCast(ld_in, &bin));
  PetscCall(PetscBLASIntCast(ld_out, &bout));
  PetscCall(PetscBLASIntCast(it->rhs, &rhs));
  PetscCallBLAS("BLASgemm",
                BLASgemm_(transposed ? "T" : "N", "N", &bm, &rhs, &bk, &one, A, &bld, in, &bin, &one, out, &bout));
  PetscCall(PetscLogFlops(2.0 * m * (PetscLogDouble)k * it->rhs));
  PetscFunctionReturn(0);
}
