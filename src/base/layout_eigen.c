/*
   All eigenpairs of a matrix that is dealt out, by ScaLAPACK's divide and conquer.

   ScaLAPACK is asked only for matrices whose largest entry is far from overflow and underflow: it does not scale, and with
   NaN it may not end.
*/
#include "layout.h"
#include "base.h"
#include "eigen.h"
#include <petscblaslapack.h>

void pdsyevd_(const char *, const char *, const int *, double *, const int *, const int *, const int *, double *,
              double *, const int *, const int *, const int *, double *, const int *, int *, const int *, int *);

struct _p_PsdLayoutEigen {
  PsdLayout layout;
  PetscReal *work;
  int *iwork, lwork, liwork;
};

/* What pdsyevd asks for, and what its query forgets that pdormtr wants. *countable: whether an int can say it. */
static PetscErrorCode FindWork(PsdLayoutEigen it, PetscBool *countable)
{
  PetscFunctionBeginUser;
  PsdLayout layout = it->layout;
  const int order = (int)layout->order, query = -1, one = 1;
  double unused = 0, optimal = 0;
  int integers = 0, info;
  if (layout->row >= 0)
    pdsyevd_("V", "L", &order, &unused, &one, &one, layout->description, &unused, &unused, &one, &one,
             layout->description, &optimal, &query, &integers, &query, &info);
  optimal += 2. * order + (double)layout->block * (double)(layout->rows + layout->columns + 2 * layout->block);
  *countable = (PetscBool)(optimal < INT_MAX);
  if (!*countable) PetscFunctionReturn(0);
  it->lwork = (int)optimal;
  it->liwork = PetscMax(integers, 7 * order + 8 * layout->shape.width + 2);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLayoutEigenCreate(PsdLayout layout, PsdLayoutEigen *eigen)
{
  PetscFunctionBeginUser;
  PsdFailure failure = {PETSC_FALSE, ""};
  PsdLayoutEigen it;
  PetscBool countable;
  PetscCall(PetscNew(&it));
  it->layout = layout;
  PetscCall(FindWork(it, &countable));
  if (!countable)
    PsdFailureRecord(&failure,
                     "a decomposition of order %" PetscInt_FMT
                     " over %d ranks: ScaLAPACK counts to 2^31 numbers on each, take more ranks",
                     layout->order, (int)layout->shape.used);
  const PetscErrorCode error = PsdFailureAgree(layout->comm, &failure);
  if (!error) PetscCall(PetscMalloc2(it->lwork, &it->work, it->liwork, &it->iwork));
  else PetscCall(PetscFree(it));
  *eigen = it;
  PetscFunctionReturn(error);
}

PetscErrorCode PsdLayoutEigenDestroy(PsdLayoutEigen *eigen)
{
  PetscFunctionBeginUser;
  if (!*eigen) PetscFunctionReturn(0);
  PetscCall(PetscFree2((*eigen)->work, (*eigen)->iwork));
  PetscCall(PetscFree(*eigen));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLayoutEigenSolve(PsdLayoutEigen it, char triangle, PetscReal A[], PetscReal lambda[], PetscReal V[],
                                   PetscBool *done)
{
  PetscFunctionBeginUser;
  PsdLayout layout = it->layout;
  const int order = (int)layout->order, one = 1;
  int info = 0;
  PetscReal largest;
  PetscCall(PsdLayoutLargest(layout, triangle, A, &largest));
  *done = PsdIsModerate(largest);
  if (!*done) PetscFunctionReturn(0);
  if (layout->row >= 0)
    pdsyevd_("V", &triangle, &order, A, &one, &one, layout->description, lambda, V, &one, &one, layout->description,
             it->work, &it->lwork, it->iwork, &it->liwork, &info);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &info, 1, MPI_INT, MPI_LOR, layout->comm));
  *done = (PetscBool)(info == 0);
  if (!*done) PetscCall(PetscInfo(NULL, "pdsyevd of order %d failed\n", order));
  else
    PetscCall(
        PsdBroadcastArray(layout->comm, MPIU_REAL, (size_t)order, lambda)); /* not all ranks need be in the grid */
  PetscCall(PetscLogFlops(9. * order * (PetscLogDouble)order * order / layout->shape.used));
  PetscFunctionReturn(0);
}
