/*
   The visitor: three modes of one list. Single numbers have their place in the file as soon as they are declared;
   arrays are written in a second pass, as the root lays out all of them before any rank writes.
*/
#include "visitor.h"
#include <stdarg.h>

typedef enum { DECLARE, WRITE, READ } Mode;

struct _p_PsdVisitor {
  Mode mode;
  PsdArchive archive;
  const PsdStateLayout *layout;
  PetscMPIInt rank;
  struct Work *work; /* what owners have asked for in this visit, the last one first */
};

struct Work {
  struct Work *next;
  void *bytes;
};

PetscErrorCode PsdVisitorWork(PsdVisitor it, size_t bytes, void *work)
{
  PetscFunctionBeginUser;
  struct Work *one;
  PetscCall(PetscNew(&one));
  one->next = it->work;
  it->work = one;
  PetscCall(PetscMalloc(bytes, &one->bytes));
  *(void **)work = one->bytes;
  PetscFunctionReturn(0);
}

/* One visit; its work space ends with it, also when it ends in the midst, at what is damaged. */
static PetscErrorCode Visit(PsdVisitor it, PsdVisit visit, void *context)
{
  PetscFunctionBeginUser;
  const PetscErrorCode code = (*visit)(it, context);
  while (it->work) {
    struct Work *next = it->work->next;
    PetscCall(PetscFree(it->work->bytes));
    PetscCall(PetscFree(it->work));
    it->work = next;
  }
  PetscCall(code);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdStateWrite(MPI_Comm comm, const char path[], const char format[], PetscInt version,
                             const PsdStateLayout *layout, PsdVisit visit, void *context)
{
  PetscFunctionBeginUser;
  struct _p_PsdVisitor it = {.mode = DECLARE, .layout = layout};
  PetscCallMPI(MPI_Comm_rank(comm, &it.rank));
  PetscCall(PsdArchiveCreate(comm, path, format, version, &it.archive));
  PetscCall(Visit(&it, visit, context));
  it.mode = WRITE;
  if (!PsdArchiveLayout(it.archive)) PetscCall(Visit(&it, visit, context));
  PetscFunctionReturn(PsdArchiveCommit(&it.archive));
}

PetscErrorCode PsdStateRead(PsdArchive archive, const PsdStateLayout *layout, PsdVisit visit, void *context)
{
  PetscFunctionBeginUser;
  struct _p_PsdVisitor it = {.mode = READ, .archive = archive, .layout = layout};
  PetscCallMPI(MPI_Comm_rank(layout->comm, &it.rank));
  PetscCall(Visit(&it, visit, context));
  PetscCall(PsdArchiveAgree(archive));
  PetscFunctionReturn(0);
}

PetscBool PsdVisitorIsReading(PsdVisitor it)
{
  return (PetscBool)(it->mode == READ);
}

PetscBool PsdVisitorIsWriting(PsdVisitor it)
{
  return (PetscBool)(it->mode == WRITE);
}

void PsdVisitorFail(PsdVisitor it, const char format[], ...)
{
  char text[PSD_MESSAGE_LENGTH];
  va_list values;
  va_start(values, format);
  (void)vsnprintf(text, sizeof(text), format, values);
  va_end(values);
  PsdArchiveFail(it->archive, text);
}

PetscErrorCode PsdVisitorAgree(PsdVisitor it)
{
  PetscFunctionBeginUser;
  if (it->mode == READ) PetscCall(PsdArchiveAgree(it->archive));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- single numbers */

PetscErrorCode PsdVisitInt(PsdVisitor it, const char name[], PetscInt low, PetscInt high, PetscInt *value)
{
  PetscFunctionBeginUser;
  if (it->mode == DECLARE) PsdArchiveAddInt(it->archive, name, *value);
  if (it->mode != READ) PetscFunctionReturn(0);
  PetscCall(PsdArchiveGetInt(it->archive, name, value));
  if (*value >= low && *value <= high) PetscFunctionReturn(0);
  PsdVisitorFail(it, "'%s' is %" PetscInt_FMT ", expected %" PetscInt_FMT " to %" PetscInt_FMT, name, *value, low,
                 high);
  *value = low;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdVisitBool(PsdVisitor it, const char name[], PetscBool *value)
{
  PetscFunctionBeginUser;
  PetscInt number = *value != PETSC_FALSE;
  PetscCall(PsdVisitInt(it, name, 0, 1, &number));
  *value = (PetscBool)(number != 0);
  PetscFunctionReturn(0);
}

static PetscBool IsWithin(PsdRange range, PetscReal value)
{
  return (PetscBool)((range.low_open ? value > range.low : value >= range.low) && value <= range.high);
}

PetscErrorCode PsdVisitReal(PsdVisitor it, const char name[], PsdRange range, PetscReal *value)
{
  PetscFunctionBeginUser;
  if (it->mode == DECLARE) PsdArchiveAddReal(it->archive, name, *value);
  if (it->mode != READ) PetscFunctionReturn(0);
  PetscCall(PsdArchiveGetReal(it->archive, name, value));
  if (!IsWithin(range, *value))
    PsdVisitorFail(it, "'%s' is %g, expected %s %g and at most %g", name, (double)*value,
                   range.low_open ? "more than" : "at least", (double)range.low, (double)range.high);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdVisitSum(PsdVisitor it, const char name[], PsdRange range, PetscReal *part)
{
  PetscFunctionBeginUser;
  PetscReal sum = 0;
  if (it->mode == DECLARE) PetscCallMPI(MPI_Allreduce(part, &sum, 1, MPIU_REAL, MPI_SUM, it->layout->comm));
  PetscCall(PsdVisitReal(it, name, range, &sum));
  if (it->mode == READ) *part = it->rank == 0 ? sum : 0;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdVisitText(PsdVisitor it, const char name[], char text[])
{
  PetscFunctionBeginUser;
  if (it->mode == DECLARE) PsdArchiveAddText(it->archive, name, text);
  if (it->mode == READ) PetscCall(PsdArchiveGetText(it->archive, name, text));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- arrays */

PetscErrorCode PsdVisitArray(PsdVisitor it, const char name[], PetscInt64 rows, PetscInt64 columns,
                             PsdVisitedArray *array)
{
  PetscFunctionBeginUser;
  *array = (PsdVisitedArray){name, -1, columns};
  if (it->mode == DECLARE) array->number = PsdArchiveAddArray(it->archive, name, rows, columns);
  else (void)PsdArchiveFind(it->archive, name, rows * columns, &array->number);
  PetscFunctionReturn(0);
}

/* Nothing was read where something has failed before. */
void PsdVisitorCheckLargest(PsdVisitor it, const char name[], PetscInt64 count, const PetscReal numbers[])
{
  PsdFailure *failure;
  (void)PsdArchiveDescription(it->archive, &failure);
  for (PetscInt64 k = 0; k < count && !failure->failed; k++)
    if (PetscAbsReal(numbers[k]) > PSD_STATE_LARGEST)
      PsdVisitorFail(it, "array %s holds %g, expected numbers of at most %g", name, (double)numbers[k],
                     PSD_STATE_LARGEST);
}

void PsdVisitRows(PsdVisitor it, PsdVisitedArray array, PetscInt64 first, PetscInt64 count, PetscReal rows[])
{
  if (it->mode == WRITE) PsdArchivePut(it->archive, array.number, first * array.columns, count * array.columns, rows);
  if (it->mode != READ) return;
  PsdArchiveGet(it->archive, array.number, first * array.columns, count * array.columns, rows);
  PsdVisitorCheckLargest(it, array.name, count * array.columns, rows);
}

PetscErrorCode PsdVisitPairs(PsdVisitor it, const char name[], Vec x)
{
  PetscFunctionBeginUser;
  const PsdStateLayout *layout = it->layout;
  PsdVisitedArray array;
  PetscReal *values;
  PetscCall(PsdVisitArray(it, name, layout->C, layout->D, &array));
  array.columns = 1; /* pairs are parts of a row */
  PetscCall(VecGetArray(x, &values));
  PsdVisitRows(it, array, layout->begin, layout->length, values);
  PetscCall(VecRestoreArray(x, &values));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdVisitSamples(PsdVisitor it, const char name[], PetscReal values[])
{
  PetscFunctionBeginUser;
  const PsdStateLayout *layout = it->layout;
  PsdVisitedArray array;
  PetscCall(PsdVisitArray(it, name, layout->samples, layout->C, &array));
  PsdVisitRows(it, array, layout->first_sample, layout->local_samples, values);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdVisitReplicated(PsdVisitor it, const char name[], PetscInt rows, PetscInt columns, PetscReal values[])
{
  PetscFunctionBeginUser;
  PsdVisitedArray array;
  PetscCall(PsdVisitArray(it, name, rows, columns, &array));
  if (it->mode == READ) PetscCall(PsdArchiveGetAll(it->archive, array.number, values));
  else if (it->rank == 0) PsdVisitRows(it, array, 0, rows, values);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdVisitRowCount(PsdVisitor it, const char name[], PetscInt columns, PetscInt most, PetscInt *rows)
{
  PetscFunctionBeginUser;
  PetscInt number;
  if (it->mode != READ) PetscFunctionReturn(0);
  const PetscInt64 found = PsdArchiveFind(it->archive, name, -1, &number);
  if (found % columns || found / columns > most)
    PsdVisitorFail(it, "array %s has %lld numbers, expected rows of %" PetscInt_FMT ", at most %" PetscInt_FMT, name,
                   (long long)found, columns, most);
  PetscCall(PsdArchiveAgree(it->archive));
  *rows = (PetscInt)(found / columns);
  PetscFunctionReturn(0);
}
