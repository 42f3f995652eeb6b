/*
   Tables that grow while a command runs, as CSV (docs/formats.md: history.csv, path.csv): under a temporary name until
   they are whole. Written by the root.
*/
#include "app.h"
#include <errno.h>
#include <stdarg.h>
#include <string.h>

struct _p_PsdTable {
  PsdFile file;
  FILE *stream; /* NULL on ranks other than the root, and when no table is kept */
  int error;    /* errno of the first row that could not be written */
};

void PsdStreamClose(FILE *stream, const char path[], PsdFailure *failure)
{
  const int failed = ferror(stream);
  if (fclose(stream) || failed) PsdFailureRecord(failure, "cannot write %s: %s", path, strerror(errno));
}

PetscErrorCode PsdTableCreate(const char path[], const char header[], PsdTable *table)
{
  PetscFunctionBeginUser;
  PsdFailure failure = {PETSC_FALSE, ""};
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(PetscNew(table));
  if (path[0] && rank == 0) {
    PsdFileBegin(&(*table)->file, path, &failure);
    (*table)->stream = PsdFileStream(&(*table)->file, &failure);
    if ((*table)->stream) fprintf((*table)->stream, "%s\n", header);
  }
  PetscCall(PsdFailureAgree(PETSC_COMM_WORLD, &failure));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdTableRow(PsdTable table, const char format[], ...)
{
  PetscFunctionBeginUser;
  va_list values;
  if (!table->stream) PetscFunctionReturn(0);
  va_start(values, format);
  vfprintf(table->stream, format, values);
  va_end(values);
  fputc('\n', table->stream);
  errno = 0;
  if (fflush(table->stream) && !table->error) table->error = errno;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdTableClose(PsdTable *table)
{
  PetscFunctionBeginUser;
  PsdFailure failure = {PETSC_FALSE, ""};
  if ((*table)->stream) {
    if ((*table)->error)
      PsdFailureRecord(&failure, "cannot write %s: %s", (*table)->file.path, strerror((*table)->error));
    PsdStreamClose((*table)->stream, (*table)->file.path, &failure);
    if (failure.failed) PsdFileAbandon(&(*table)->file);
    else PsdFileCommit(&(*table)->file, &failure);
  }
  PetscCall(PetscFree(*table));
  PetscCall(PsdFailureAgree(PETSC_COMM_WORLD, &failure));
  PetscFunctionReturn(0);
}
