/*
   Sums and maxima in one reduction, by an operation of its own on messages of one length.
*/
#include "tally.h"

typedef struct {
  PetscReal sum[PSD_TALLY_SUMS], maximum[PSD_TALLY_MAXIMA];
} Message;

PetscErrorCode PsdTallySum(PsdTally *tally, PetscReal *number)
{
  PetscFunctionBeginUser;
  PetscCheck(tally->sums < PSD_TALLY_SUMS, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "No room for a sum");
  tally->sum[tally->sums++] = number;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdTallyMax(PsdTally *tally, PetscReal *number)
{
  PetscFunctionBeginUser;
  PetscCheck(tally->maxima < PSD_TALLY_MAXIMA, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "No room for a maximum");
  tally->maximum[tally->maxima++] = number;
  PetscFunctionReturn(0);
}

static void MPIAPI Combine(void *from, void *to, PetscMPIInt *count, MPI_Datatype *type)
{
  const Message *part = from;
  Message *all = to;
  (void)type;
  for (PetscMPIInt m = 0; m < *count; m++) {
    for (PetscInt k = 0; k < PSD_TALLY_SUMS; k++) all[m].sum[k] += part[m].sum[k];
    for (PetscInt k = 0; k < PSD_TALLY_MAXIMA; k++) all[m].maximum[k] = PetscMax(all[m].maximum[k], part[m].maximum[k]);
  }
}

PetscErrorCode PsdTallyReduce(MPI_Comm comm, PsdTally *tally)
{
  PetscFunctionBeginUser;
  Message message = {{0}, {0}};
  MPI_Datatype type;
  MPI_Op combine;
  for (PetscInt k = 0; k < tally->sums; k++) message.sum[k] = *tally->sum[k];
  for (PetscInt k = 0; k < tally->maxima; k++) message.maximum[k] = *tally->maximum[k];
  PetscCallMPI(MPI_Type_contiguous(sizeof(Message) / sizeof(PetscReal), MPIU_REAL, &type));
  PetscCallMPI(MPI_Type_commit(&type));
  PetscCallMPI(MPI_Op_create(Combine, 1, &combine));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &message, 1, type, combine, comm));
  PetscCallMPI(MPI_Op_free(&combine));
  PetscCallMPI(MPI_Type_free(&type));
  for (PetscInt k = 0; k < tally->sums; k++) *tally->sum[k] = message.sum[k];
  for (PetscInt k = 0; k < tally->maxima; k++) *tally->maximum[k] = message.maximum[k];
  *tally = (PsdTally){0};
  PetscFunctionReturn(0);
}
