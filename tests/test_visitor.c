/* One function that visits a state writes it and reads it, on other numbers of ranks as well; what is read is checked
 * against the room there is, and what is wrong on one rank is the error of all. */
#include "data_files.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base/visitor.h"

#define PAIRS 8 /* of two classes */
#define LENGTH 3
#define SAMPLES 11
#define CLASSES 2
#define MOST_ROWS 20
#define WIDTH 4

typedef struct {
  PsdStateLayout layout;
  PetscInt first, local;     /* pairs */
  PetscInt count, low, high; /* count is demanded to be within [low, high] */
  PetscBool flag;
  PetscReal value, part;
  char text[PSD_ARCHIVE_TEXT];
  Vec pairs;
  PetscReal *samples, table[3 * WIDTH], rows[MOST_ROWS * WIDTH];
  PetscInt row_count, most_rows, pair_count; /* pair_count: rows of a list for each pair */
  PetscReal *list;
  PetscMPIInt failing; /* rank that finds something wrong with what it reads */
} State;

/* ---------------------------------------------------------------- a state on some of the ranks */

static PetscInt Begin(PetscInt total, PetscMPIInt ranks, PetscMPIInt rank)
{
  return total * rank / ranks;
}

static State StateCreate(MPI_Comm comm)
{
  State it = {.high = 100, .most_rows = MOST_ROWS, .pair_count = 2, .failing = -1};
  PetscMPIInt ranks, rank;
  MUST(MPI_Comm_size(comm, &ranks));
  MUST(MPI_Comm_rank(comm, &rank));
  const PetscInt first = Begin(PAIRS, ranks, rank), sample = Begin(SAMPLES, ranks, rank);
  it.first = first;
  it.local = Begin(PAIRS, ranks, rank + 1) - first;
  it.layout = (PsdStateLayout){comm,
                               PAIRS / CLASSES * LENGTH,
                               it.first * LENGTH,
                               it.local * LENGTH,
                               SAMPLES,
                               CLASSES,
                               sample,
                               Begin(SAMPLES, ranks, rank + 1) - sample};
  MUST(VecCreateMPI(comm, it.layout.length, PETSC_DETERMINE, &it.pairs));
  MUST(VecSet(it.pairs, 0));
  MUST(PetscCalloc1(SAMPLES * CLASSES, &it.samples));
  MUST(PetscCalloc1(PAIRS * it.pair_count * WIDTH, &it.list));
  return it;
}

static void StateDestroy(State *it)
{
  MUST(VecDestroy(&it->pairs));
  MUST(PetscFree(it->samples));
  MUST(PetscFree(it->list));
}

/* Numbers that say where they belong. */
static PetscReal Number(int what, PetscInt at)
{
  return (PetscReal)(1000 * what + at) + 0.25;
}

enum { OF_PAIRS = 1, OF_SAMPLES, OF_TABLE, OF_ROWS, OF_LIST };

static void Fill(State *it)
{
  const PsdStateLayout *layout = &it->layout;
  PetscReal *x;
  it->count = 42;
  it->flag = PETSC_TRUE;
  it->value = -0.5;
  it->part = Rank() + 1;
  snprintf(it->text, sizeof(it->text), "a line\nand another\n");
  MUST(VecGetArray(it->pairs, &x));
  for (PetscInt k = 0; k < layout->length; k++) x[k] = Number(OF_PAIRS, layout->begin + k);
  MUST(VecRestoreArray(it->pairs, &x));
  for (PetscInt k = 0; k < layout->local_samples * CLASSES; k++)
    it->samples[k] = Number(OF_SAMPLES, layout->first_sample * CLASSES + k);
  for (PetscInt k = 0; k < 3 * WIDTH; k++) it->table[k] = Number(OF_TABLE, k);
  it->row_count = 5;
  for (PetscInt k = 0; k < 5 * WIDTH; k++) it->rows[k] = Number(OF_ROWS, k);
  for (PetscInt k = 0; k < it->local * it->pair_count * WIDTH; k++)
    it->list[k] = Number(OF_LIST, it->first * it->pair_count * WIDTH + k);
}

static PetscErrorCode Visit(PsdVisitor v, void *context)
{
  PetscFunctionBeginUser;
  State *it = context;
  const PsdStateLayout *layout = &it->layout;
  PsdVisitedArray list;
  PetscMPIInt rank;
  MUST(MPI_Comm_rank(layout->comm, &rank));
  PetscCall(PsdVisitText(v, "text", it->text));
  PetscCall(PsdVisitInt(v, "count", it->low, it->high, &it->count));
  PetscCall(PsdVisitBool(v, "flag", &it->flag));
  PetscCall(PsdVisitReal(v, "value", PSD_STATE_REAL, &it->value));
  PetscCall(PsdVisitSum(v, "sum", PSD_STATE_REAL, &it->part));
  PetscCall(PsdVisitPairs(v, "/pairs/x", it->pairs));
  PetscCall(PsdVisitSamples(v, "/samples/x", it->samples));
  PetscCall(PsdVisitReplicated(v, "/table", 3, WIDTH, it->table));
  PetscCall(PsdVisitRowCount(v, "/rows", WIDTH, it->most_rows, &it->row_count));
  PetscCall(PsdVisitReplicated(v, "/rows", it->row_count, WIDTH, it->rows));
  PetscCall(PsdVisitArray(v, "/list", PAIRS * it->pair_count, WIDTH, &list));
  for (PetscInt k = 0; k < it->local; k++)
    PsdVisitRows(v, list, (it->first + k) * it->pair_count, it->pair_count, it->list + k * it->pair_count * WIDTH);
  if (PsdVisitorIsReading(v) && rank == it->failing) PsdVisitorFail(v, "rank %d does not like it", (int)rank);
  PetscFunctionReturn(0);
}

/* `visit` alone decides what is read. */
static PetscErrorCode Read(State *it, const char path[], PsdVisit visit)
{
  PsdArchive archive;
  MUST(PsdArchiveOpen(it->layout.comm, path, "test", 1, &archive));
  const PetscErrorCode code = PsdStateRead(archive, &it->layout, visit, it);
  if (code) {
    MUST(PsdArchiveDestroy(&archive));
    return code;
  }
  return PsdArchiveClose(&archive);
}

static void WriteAll(const char path[])
{
  State it = StateCreate(PETSC_COMM_WORLD);
  Fill(&it);
  MUST(PsdStateWrite(PETSC_COMM_WORLD, path, "test", 1, &it.layout, Visit, &it));
  StateDestroy(&it);
}

static const char *Path(void)
{
  static char path[PETSC_MAX_PATH_LEN];
  if (!path[0]) snprintf(path, sizeof(path), "%s", PathOf("state", NULL));
  return path;
}

/* ---------------------------------------------------------------- tests */

static void Expect(const PetscReal found[], PetscInt count, int what, PetscInt from)
{
  for (PetscInt k = 0; k < count; k++) assert_true(found[k] == Number(what, from + k));
}

static void ExpectFilled(const State *it)
{
  const PsdStateLayout *layout = &it->layout;
  const PetscReal *x;
  PetscReal sum = it->part;
  PetscMPIInt rank;
  MUST(MPI_Comm_rank(layout->comm, &rank));
  assert_int_equal(it->count, 42);
  assert_true(it->flag && it->value == -0.5);
  assert_true(rank == 0 || it->part == 0);
  MUST(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPIU_REAL, MPI_SUM, layout->comm));
  assert_true(2 * sum == Size() * (Size() + 1));
  assert_string_equal(it->text, "a line\nand another\n");
  MUST(VecGetArrayRead(it->pairs, &x));
  Expect(x, layout->length, OF_PAIRS, layout->begin);
  MUST(VecRestoreArrayRead(it->pairs, &x));
  Expect(it->samples, layout->local_samples * CLASSES, OF_SAMPLES, layout->first_sample * CLASSES);
  Expect(it->table, 3 * WIDTH, OF_TABLE, 0);
  assert_int_equal(it->row_count, 5);
  Expect(it->rows, 5 * WIDTH, OF_ROWS, 0);
  Expect(it->list, it->local * it->pair_count * WIDTH, OF_LIST, it->first * it->pair_count * WIDTH);
}

static void AnyRanksReadWhatAllWrote(void **state)
{
  (void)state;
  WriteAll(Path());
  for (PetscMPIInt ranks = 1; ranks <= Size(); ranks++) {
    MPI_Comm comm;
    MUST(MPI_Comm_split(PETSC_COMM_WORLD, Rank() < ranks, Rank(), &comm));
    if (Rank() < ranks) {
      State it = StateCreate(comm);
      MUST(Read(&it, Path(), Visit));
      ExpectFilled(&it);
      StateDestroy(&it);
    }
    MUST(MPI_Comm_free(&comm));
  }
}

static void Refuses(State *it, const char part[])
{
  assert_int_equal(Read(it, Path(), Visit), PSD_ERR_INPUT);
  if (!strstr(PsdErrorMessage(), part) || !strstr(PsdErrorMessage(), Path()))
    fail_msg("message '%s'", PsdErrorMessage());
  assert_null(strchr(PsdErrorMessage(), '\n'));
  StateDestroy(it);
}

static void OutOfRangeIsRefused(void **state)
{
  (void)state;
  WriteAll(Path());
  State above = StateCreate(PETSC_COMM_WORLD), below = StateCreate(PETSC_COMM_WORLD);
  above.high = 41;
  Refuses(&above, "'count' is 42, expected 0 to 41");
  assert_int_equal(above.count, 0);
  below.low = 43;
  Refuses(&below, "'count' is 42, expected 43 to 100");
}

static void MoreRowsThanThereIsRoomForAreRefused(void **state)
{
  (void)state;
  WriteAll(Path());
  State it = StateCreate(PETSC_COMM_WORLD);
  it.most_rows = 4;
  Refuses(&it, "array /rows has 20 numbers, expected rows of 4, at most 4");
}

static void AnotherLengthIsRefused(void **state)
{
  (void)state;
  WriteAll(Path());
  State longer = StateCreate(PETSC_COMM_WORLD), fewer = StateCreate(PETSC_COMM_WORLD);
  longer.layout.D++;
  Refuses(&longer, "array /pairs/x has 24 numbers, expected 26");
  fewer.pair_count = 1;
  Refuses(&fewer, "array /list has 64 numbers, expected 32");
}

static PetscErrorCode VisitWhatIsNotThere(PsdVisitor v, void *context)
{
  PetscFunctionBeginUser;
  State *it = context;
  PetscCall(PsdVisitInt(v, "counts", 0, 1, &it->count));
  PetscCall(PsdVisitorAgree(v));
  fail_msg("there is no 'counts'");
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitPositive(PsdVisitor v, void *context)
{
  PetscFunctionBeginUser;
  PetscCall(PsdVisitReal(v, "value", PSD_STATE_POSITIVE, &((State *)context)->value));
  PetscFunctionReturn(0);
}

static void NamesAndSignsAreChecked(void **state)
{
  (void)state;
  WriteAll(Path());
  State it = StateCreate(PETSC_COMM_WORLD);
  assert_int_equal(Read(&it, Path(), VisitWhatIsNotThere), PSD_ERR_INPUT);
  assert_non_null(strstr(PsdErrorMessage(), "counts"));
  assert_int_equal(Read(&it, Path(), VisitPositive), PSD_ERR_INPUT);
  assert_non_null(strstr(PsdErrorMessage(), "'value' is -0.5, expected more than 0"));
  StateDestroy(&it);
}

static void AFailureOfOneRankIsThatOfAll(void **state)
{
  char expected[64];
  (void)state;
  WriteAll(Path());
  State it = StateCreate(PETSC_COMM_WORLD);
  it.failing = Size() - 1;
  snprintf(expected, sizeof(expected), ": rank %d does not like it", (int)it.failing);
  Refuses(&it, expected);
}

/* Passes of a list whose file could not be begun do nothing, on any rank. */
static void WhatCannotBeWrittenIsAnError(void **state)
{
  (void)state;
  State it = StateCreate(PETSC_COMM_WORLD);
  Fill(&it);
  const char *path = PathOf("no such directory", "state");
  assert_int_equal(PsdStateWrite(PETSC_COMM_WORLD, path, "test", 1, &it.layout, Visit, &it), PSD_ERR_INPUT);
  assert_non_null(strstr(PsdErrorMessage(), "cannot write"));
  StateDestroy(&it);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(AnyRanksReadWhatAllWrote),
                                     cmocka_unit_test(OutOfRangeIsRefused),
                                     cmocka_unit_test(MoreRowsThanThereIsRoomForAreRefused),
                                     cmocka_unit_test(AnotherLengthIsRefused),
                                     cmocka_unit_test(NamesAndSignsAreChecked),
                                     cmocka_unit_test(AFailureOfOneRankIsThatOfAll),
                                     cmocka_unit_test(WhatCannotBeWrittenIsAnError)};
  PetscCall(PsdInitialize(&argc, &argv, NULL));
  RootCreate();
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  RootRemove();
  PetscCall(PsdFinalize());
  return failures != 0;
}
