/*
   Agreement on errors. A rank that finds bad input cannot return at once, because the others would wait for it in the
   next collective call; it records what it found and all ranks compare notes at the end of that piece of work.
*/
#include "base.h"
#include <stdarg.h>

static char last_message[PSD_MESSAGE_LENGTH];

const char *PsdErrorMessage(void)
{
  return last_message;
}

void PsdFailureRecord(PsdFailure *failure, const char format[], ...)
{
  if (failure->failed) return;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(failure->message, sizeof(failure->message), format, arguments);
  va_end(arguments);
  failure->failed = PETSC_TRUE;
}

PetscErrorCode PsdInputError(const char format[], ...)
{
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(last_message, sizeof(last_message), format, arguments);
  va_end(arguments);
  return PSD_ERR_INPUT;
}

PetscErrorCode PsdFailureAgree(MPI_Comm comm, const PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PetscMPIInt rank, size, first;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  first = failure->failed ? rank : size;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, comm));
  if (first == size) PetscFunctionReturn(0);
  if (rank == first) snprintf(last_message, sizeof(last_message), "%s", failure->message);
  PetscCallMPI(MPI_Bcast(last_message, PSD_MESSAGE_LENGTH, MPI_CHAR, first, comm));
  PetscFunctionReturn(PSD_ERR_INPUT);
}
