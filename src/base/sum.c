/*
   Sums in twice the working precision, by Knuth's error-free addition: high + low is the exact sum of what was added up to
   2^-104 relative.

   Why: when the regularisation is tiny the solver amplifies the last bits of A'A, and runs on different numbers of ranks,
   which add the same terms in another order, would part ways. Terms here are whole chunks of samples, so that the cost is
   one addition of arrays a chunk.
*/
#include "base.h"
#include "sum.h"

struct _p_PsdSum {
  size_t length;
  PetscReal *high, *low;
};

PetscErrorCode PsdSumCreate(size_t length, PsdSum *sum)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(sum));
  (*sum)->length = length;
  PetscCall(PetscCalloc2(length, &(*sum)->high, length, &(*sum)->low));
  PetscFunctionReturn(0);
}

/* (high, low) += (x, y), the pairs being unevaluated sums with |low| far below |high| */
static inline void AddPair(PetscReal *high, PetscReal *low, PetscReal x, PetscReal y)
{
  const PetscReal sum = *high + x, part = sum - *high;
  const PetscReal error = (*high - (sum - part)) + (x - part) + (*low + y);
  *high = sum + error;
  *low = error - (*high - sum);
}

void PsdSumAdd(PsdSum sum, size_t offset, size_t count, const PetscReal x[])
{
  PetscReal *restrict high = sum->high + offset, *restrict low = sum->low + offset;
  for (size_t k = 0; k < count; k++) AddPair(&high[k], &low[k], x[k], 0);
}

/* MPI operation on interleaved pairs */
static void AddPairs(void *in, void *inout, int *count, MPI_Datatype *type)
{
  const PetscReal *from = in;
  PetscReal *to = inout;
  (void)type;
  for (size_t k = 0; k < 2 * (size_t)*count; k += 2) AddPair(&to[k], &to[k + 1], from[k], from[k + 1]);
}

/* Pairs in one message: bounds the buffers beside the arrays. */
#define PIECE ((size_t)1 << 16)

PetscErrorCode PsdSumReduce(PsdSum sum, MPI_Comm comm, PetscReal total[])
{
  PetscFunctionBeginUser;
  MPI_Datatype pair;
  MPI_Op operation;
  PetscMPIInt rank;
  PetscReal *buffer;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Type_contiguous(2, MPIU_REAL, &pair));
  PetscCallMPI(MPI_Type_commit(&pair));
  PetscCallMPI(MPI_Op_create(AddPairs, 1, &operation));
  PetscCall(PetscMalloc1(2 * PetscMin(PIECE, sum->length), &buffer));
  for (size_t begin = 0; begin < sum->length; begin += PIECE) {
    const size_t count = PetscMin(PIECE, sum->length - begin);
    for (size_t k = 0; k < count; k++) {
      buffer[2 * k] = sum->high[begin + k];
      buffer[2 * k + 1] = sum->low[begin + k];
    }
    PetscCallMPI(MPI_Reduce(rank == 0 ? MPI_IN_PLACE : buffer, buffer, (PetscMPIInt)count, pair, operation, 0, comm));
    for (size_t k = 0; k < count; k++) total[begin + k] = rank == 0 ? buffer[2 * k] + buffer[2 * k + 1] : 0;
  }
  PetscCall(PetscFree(buffer));
  PetscCallMPI(MPI_Op_free(&operation));
  PetscCallMPI(MPI_Type_free(&pair));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSumDestroy(PsdSum *sum)
{
  PetscFunctionBeginUser;
  if (!*sum) PetscFunctionReturn(0);
  PetscCall(PetscFree2((*sum)->high, (*sum)->low));
  PetscCall(PetscFree(*sum));
  PetscFunctionReturn(0);
}
