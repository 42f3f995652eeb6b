/* Options are strict and say what was expected, failures on one rank are agreed by all, files appear whole or not at
 * all. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>
#include "base/base.h"
#include "base/tally.h"

static char directory[PETSC_MAX_PATH_LEN];

static PetscMPIInt Rank(void)
{
  PetscMPIInt rank;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  return rank;
}

static PetscMPIInt Size(void)
{
  PetscMPIInt size;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  return size;
}

static void InDirectory(char path[PETSC_MAX_PATH_LEN], const char name[])
{
  snprintf(path, PETSC_MAX_PATH_LEN, "%.3000s/%s", directory, name);
}

static void Give(const char options[])
{
  assert_int_equal(PetscOptionsClear(NULL), 0);
  assert_int_equal(PetscOptionsInsertString(NULL, options), 0);
}

static void ExpectMessage(PetscErrorCode code, const char part[])
{
  assert_int_equal(code, PSD_ERR_INPUT);
  if (!strstr(PsdErrorMessage(), part)) fail_msg("message '%s' does not say '%s'", PsdErrorMessage(), part);
  assert_null(strchr(PsdErrorMessage(), '\n'));
}

/* ---------------------------------------------------------------- options */

static void TestNumbersAreRead(void **state)
{
  PetscInt integer = 4, list[3] = {7, 7, 7}, count = 3;
  PetscReal real = 1, reals[3], low = 2;
  PetscInt real_count = 3;
  PetscBool set;
  (void)state;

  Give("-stride 2 -beta -1e-3 -patch 3x5 -activation 0.09,-0.5,4e-1");
  assert_int_equal(PsdOptionInt("-stride", "", 1, 10, &integer, &set), 0);
  assert_int_equal(integer, 2);
  assert_true(set);
  assert_int_equal(PsdOptionReal("-beta", "", PSD_ANY_REAL, &real, &set), 0);
  assert_true(real == -1e-3 && set);
  assert_int_equal(PsdOptionIntList("-patch", "", 'x', 1, 9, list, &count, &set), 0);
  assert_true(count == 2 && list[0] == 3 && list[1] == 5 && list[2] == 7 && set);
  assert_int_equal(PsdOptionRealList("-activation", "", reals, &real_count, NULL), 0);
  assert_true(real_count == 3 && reals[0] == 0.09 && reals[1] == -0.5 && reals[2] == 0.4);
  assert_int_equal(PsdOptionReal("-gap", "", PSD_POSITIVE, &low, &set), 0);
  assert_true(low == 2 && !set);
}

static void TestBadNumbersAreRefused(void **state)
{
  static const struct {
    const char *options, *expected;
  } bad[] = {
      {"-stride x", "-stride: found 'x', expected an integer from 1 to 100"},
      {"-stride 1.5", "-stride: found '1.5', expected an integer from 1 to 100"},
      {"-stride 0", "-stride: found '0', expected an integer from 1 to 100"},
      {"-stride 101", "expected an integer from 1 to 100"},
      {"-stride 99999999999", "found '99999999999', expected an integer"},
      {"-stride 99999999999999999999999", "expected an integer"},
      {"-stride", "-stride: expected a value, found none"},
      {"-beta nan", "-beta: found 'nan', expected a number above 0 and at most 5"},
      {"-beta inf", "found 'inf'"},
      {"-beta 1e999", "found '1e999'"},
      {"-beta 0", "found '0', expected a number above 0"},
      {"-beta 5.5", "at most 5"},
      {"-beta 1e-3x", "found '1e-3x'"},
      {"-classes 0,,1", "-classes: found '0,,1', expected numbers separated by ','"},
      {"-classes 0,a", "-classes: found 'a', expected an integer from 0 to 9"},
      {"-classes 0,1,2,3", "-classes: found 4 numbers, expected at most 3"},
      {"-classes 0,10", "found '10'"},
      {"-classes", "-classes: expected a value"},
  };
  (void)state;

  for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
    PetscInt stride = 1, classes[3], count = 3;
    PetscReal beta = 1;
    Give(bad[k].options);
    PetscErrorCode code = PsdOptionInt("-stride", "", 1, 100, &stride, NULL);
    if (!code) code = PsdOptionReal("-beta", "", (PsdRange){0, 5, PETSC_TRUE}, &beta, NULL);
    if (!code) code = PsdOptionIntList("-classes", "", ',', 0, 9, classes, &count, NULL);
    ExpectMessage(code, bad[k].expected);
  }
}

/* An option without bounds takes any number there is, and nothing else. */
static void TestNumbersAreFinite(void **state)
{
  static const char *const bad[] = {"-shift nan", "-shift inf", "-shift -inf", "-shift 1e999", "-shift -1e999"};
  PetscReal shift = 0;
  (void)state;

  for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
    Give(bad[k]);
    ExpectMessage(PsdOptionReal("-shift", "", PSD_ANY_REAL, &shift, NULL), "expected a number");
    ExpectMessage(PsdOptionReal("-shift", "", PSD_POSITIVE, &shift, NULL), "expected a number above 0");
  }
  Give("-shift -1e308");
  assert_int_equal(PsdOptionReal("-shift", "", PSD_ANY_REAL, &shift, NULL), 0);
  assert_true(shift == -1e308);
}

static void TestWords(void **state)
{
  static const char *const names[] = {"auto", "lapack", NULL};
  PetscInt which = 0;
  PetscBool flip = PETSC_FALSE, set;
  char text[8] = "default";
  (void)state;

  Give("-flip -cone lapack -data ./x");
  assert_int_equal(PsdOptionBool("-flip", "", &flip, &set), 0);
  assert_true(flip && set);
  assert_int_equal(PsdOptionEnum("-cone", "", names, &which, NULL), 0);
  assert_int_equal(which, 1);
  assert_int_equal(PsdOptionString("-data", "", text, sizeof(text), NULL), 0);
  assert_string_equal(text, "./x");

  Give("-flip off -cone slepc -data abcdefgh");
  assert_int_equal(PsdOptionBool("-flip", "", &flip, NULL), 0);
  assert_false(flip);
  ExpectMessage(PsdOptionEnum("-cone", "", names, &which, NULL), "-cone: found 'slepc', expected one of auto|lapack");
  ExpectMessage(PsdOptionString("-data", "", text, sizeof(text), NULL),
                "-data: found 8 characters, expected at most 7");

  Give("-flip maybe -data");
  ExpectMessage(PsdOptionBool("-flip", "", &flip, NULL), "-flip: found 'maybe', expected true or false");
  ExpectMessage(PsdOptionString("-data", "", text, sizeof(text), NULL), "-data: expected a value, found none");
}

static void TestUnknownOptionNamesTheNearest(void **state)
{
  PetscReal beta = 1;
  PetscInt stride = 1;
  (void)state;

  Give("-beta 2 -betta 3");
  assert_int_equal(PsdOptionReal("-beta", "", PSD_POSITIVE, &beta, NULL), 0);
  assert_int_equal(PsdOptionInt("-stride", "", 1, 9, &stride, NULL), 0);
  ExpectMessage(PsdOptionsCheckUnknown(), "unknown option -betta; did you mean -beta?");
  Give("-srtide 3");
  ExpectMessage(PsdOptionsCheckUnknown(), "unknown option -srtide; did you mean -stride?");
  Give("-qqqqqqq");
  ExpectMessage(PsdOptionsCheckUnknown(), "unknown option -qqqqqqq; see 'psdnet SUBCOMMAND -help'");
  Give("-options_left -citations x -beta 2"); /* PETSc reads the first two at its end */
  assert_int_equal(PsdOptionReal("-beta", "", PSD_POSITIVE, &beta, NULL), 0);
  assert_int_equal(PsdOptionsCheckUnknown(), 0);
  Give("");
}

/* ---------------------------------------------------------------- agreement */

static void TestOneRankFailsForAll(void **state)
{
  PsdFailure failure = {0};
  char expected[64];
  (void)state;

  assert_int_equal(PsdFailureAgree(PETSC_COMM_WORLD, &failure), 0);
  snprintf(expected, sizeof(expected), "rank %d found something", Size() - 1);
  if (Rank() == Size() - 1) {
    PsdFailureRecord(&failure, "rank %d found something", Rank());
    PsdFailureRecord(&failure, "this comes second");
  }
  ExpectMessage(PsdFailureAgree(PETSC_COMM_WORLD, &failure), expected);
}

static void TestLowestRankSpeaks(void **state)
{
  PsdFailure failure = {0};
  (void)state;

  PsdFailureRecord(&failure, "rank %d", Rank());
  ExpectMessage(PsdFailureAgree(PETSC_COMM_WORLD, &failure), "rank 0");
}

/* ---------------------------------------------------------------- files */

static void WriteText(const char path[], const char text[])
{
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

static void ExpectText(const char path[], const char text[])
{
  char found[64] = "";
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  assert_true(fgets(found, sizeof(found), file) != NULL);
  assert_int_equal(fclose(file), 0);
  assert_string_equal(found, text);
}

static void TestFileIsReplacedWhole(void **state)
{
  char path[PETSC_MAX_PATH_LEN];
  PsdFailure failure = {0};
  PsdFile file;
  (void)state;

  if (Rank()) return;
  InDirectory(path, "whole");
  WriteText(path, "old");
  PsdFileBegin(&file, path, &failure);
  WriteText(file.temporary, "new");
  ExpectText(path, "old");
  PsdFileCommit(&file, &failure);
  assert_false(failure.failed);
  ExpectText(path, "new");
  assert_int_equal(access(file.temporary, F_OK), -1);
  assert_int_equal(unlink(path), 0);
}

static void TestFileIsLeftWhenGivenUp(void **state)
{
  char path[PETSC_MAX_PATH_LEN];
  PsdFailure failure = {0}, failed = {0};
  PsdFile file;
  (void)state;

  if (Rank()) return;
  InDirectory(path, "left");
  WriteText(path, "old");
  PsdFileBegin(&file, path, &failure);
  WriteText(file.temporary, "half");
  PsdFileAbandon(&file);
  ExpectText(path, "old");
  assert_int_equal(access(file.temporary, F_OK), -1);

  PsdFileBegin(&file, path, &failed);
  WriteText(file.temporary, "half");
  PsdFailureRecord(&failed, "something before the end");
  PsdFileCommit(&file, &failed);
  ExpectText(path, "old");
  assert_int_equal(access(file.temporary, F_OK), -1);

  PsdFileBegin(&file, path, &failure);
  assert_int_equal(unlink(file.temporary), 0);
  WriteText(file.temporary, "of somebody else");
  PsdFileCommit(&file, &failure);
  assert_true(failure.failed);
  assert_non_null(strstr(failure.message, "replaced while it was written"));
  ExpectText(path, "old");
  ExpectText(file.temporary, "of somebody else");
  assert_int_equal(unlink(file.temporary), 0);
  assert_int_equal(unlink(path), 0);
}

static void TestLinkIsFollowed(void **state)
{
  char path[PETSC_MAX_PATH_LEN], link_path[PETSC_MAX_PATH_LEN];
  PsdFailure failure = {0};
  struct stat found;
  PsdFile file;
  (void)state;

  if (Rank()) return;
  InDirectory(path, "target");
  InDirectory(link_path, "link");
  WriteText(path, "old");
  assert_int_equal(symlink(path, link_path), 0);
  PsdFileBegin(&file, link_path, &failure);
  WriteText(file.temporary, "new");
  PsdFileCommit(&file, &failure);
  assert_false(failure.failed);
  ExpectText(path, "new");
  assert_int_equal(lstat(link_path, &found), 0);
  assert_true(S_ISLNK(found.st_mode));
  assert_int_equal(unlink(link_path), 0);
  assert_int_equal(unlink(path), 0);
}

/* A link whose target is not there yet leads to it all the same, by way of other links and from their own directories;
   one that leads in a circle is an error. */
static void TestLinkToNothingIsFollowed(void **state)
{
  char path[PETSC_MAX_PATH_LEN], link_path[PETSC_MAX_PATH_LEN], folder[PETSC_MAX_PATH_LEN], other[PETSC_MAX_PATH_LEN];
  PsdFailure failure = {0};
  struct stat found;
  PsdFile file;
  (void)state;

  if (Rank()) return;
  InDirectory(folder, "folder");
  InDirectory(path, "folder/target");
  InDirectory(link_path, "link");
  InDirectory(other, "folder/other");
  assert_int_equal(mkdir(folder, 0777), 0);
  assert_int_equal(symlink("folder/other", link_path), 0);
  assert_int_equal(symlink("../folder/target", other), 0);
  PsdFileBegin(&file, link_path, &failure);
  WriteText(file.temporary, "new");
  PsdFileCommit(&file, &failure);
  assert_false(failure.failed);
  ExpectText(path, "new");
  assert_int_equal(lstat(link_path, &found), 0);
  assert_true(S_ISLNK(found.st_mode));

  assert_int_equal(unlink(path), 0);
  assert_int_equal(symlink("../link", path), 0);
  PsdFileBegin(&file, link_path, &failure);
  assert_true(failure.failed);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(unlink(other), 0);
  assert_int_equal(unlink(link_path), 0);
  assert_int_equal(rmdir(folder), 0);
}

/* What was planted under the temporary name, a link or a file with another name, is not written to. */
static void TestTemporaryIsNotFollowed(void **state)
{
  char path[PETSC_MAX_PATH_LEN], victim[PETSC_MAX_PATH_LEN];
  PsdFile file;
  (void)state;

  if (Rank()) return;
  InDirectory(path, "output");
  InDirectory(victim, "victim");
  WriteText(victim, "untouched");
  for (int hard = 0; hard <= 1; hard++) {
    PsdFailure failure = {0};
    PsdFileBegin(&file, path, &failure);
    PsdFileAbandon(&file);
    assert_int_equal(hard ? link(victim, file.temporary) : symlink(victim, file.temporary), 0);
    PsdFileBegin(&file, path, &failure);
    WriteText(file.temporary, "new");
    PsdFileCommit(&file, &failure);
    assert_false(failure.failed);
    ExpectText(victim, "untouched");
    ExpectText(path, "new");
  }
  assert_int_equal(unlink(victim), 0);
  assert_int_equal(unlink(path), 0);
}

/* 0600 stays 0600, also while it is written; a new file has what umask leaves. */
static void TestModeIsKept(void **state)
{
  char path[PETSC_MAX_PATH_LEN];
  PsdFailure failure = {0};
  struct stat found;
  PsdFile file;
  (void)state;

  if (Rank()) return;
  InDirectory(path, "mode");
  const mode_t mask = umask(022);
  const mode_t modes[] = {0644, 0600, 0640, 0444, 0777};
  for (int k = 0; k < 5; k++) {
    if (k) assert_int_equal(chmod(path, modes[k]), 0);
    PsdFileBegin(&file, path, &failure);
    assert_int_equal(fstat(file.descriptor, &found), 0);
    assert_int_equal(found.st_mode & 0777, k ? 0600 : 0644);
    PsdFileCommit(&file, &failure);
    assert_false(failure.failed);
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 0777, modes[k]);
  }
  (void)umask(mask);
  assert_int_equal(unlink(path), 0);
}

/* A file that is written twice at a time, whatever it is called; and those that nobody ended. */
static void TestUnfinishedFilesAreKnown(void **state)
{
  char path[PETSC_MAX_PATH_LEN], same[PETSC_MAX_PATH_LEN];
  PsdFailure failure = {0};
  PsdFile file, other;
  (void)state;

  if (Rank()) return;
  InDirectory(path, "once");
  InDirectory(same, "./once");
  PsdFileBegin(&file, path, &failure);
  assert_false(failure.failed);
  PsdFileBegin(&other, same, &failure);
  assert_true(failure.failed);
  PsdFileAbandon(&other);
  assert_int_equal(access(file.temporary, F_OK), 0);
  PsdFileAbandonAll();
  assert_int_equal(access(file.temporary, F_OK), -1);
  PsdFileAbandon(&file);
  assert_int_equal(access(path, F_OK), -1);
}

/* The signals that .ci/sanitize lets AddressSanitizer keep for itself cannot be caught there. */
#ifdef __SANITIZE_ADDRESS__
#define SIGNALS_OF_OURS
#else
#define SIGNALS_OF_OURS SIGABRT, SIGSEGV,
#endif

/* Every signal that ends a process and can be caught; a child has a file under way when it meets one. */
static void TestSignalsLeaveNothing(void **state)
{
  char path[PETSC_MAX_PATH_LEN];
  static const int numbers[] = {SIGNALS_OF_OURS SIGHUP,
                                SIGINT,
                                SIGQUIT,
                                SIGILL,
                                SIGTRAP,
                                SIGBUS,
                                SIGFPE,
                                SIGUSR1,
                                SIGUSR2,
                                SIGPIPE,
                                SIGALRM,
                                SIGTERM,
                                SIGXCPU,
                                SIGPROF,
                                SIGVTALRM};
  (void)state;

  if (Rank()) return;
  InDirectory(path, "child");
  for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++) {
    int status;
    PsdFile file;
    PsdFailure failure = {0};
    PsdFileBegin(&file, path, &failure); /* the child's as well; the parent makes it again where it is gone */
    const pid_t child = fork();
    if (!child) {
      (void)fclose(stderr);
      for (int number = 1; number <= SIGRTMAX; number++) (void)signal(number, SIG_DFL);
      PsdSignalsSetUp(0);
      (void)raise(numbers[k]);
      _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), numbers[k]);
    assert_int_equal(access(file.temporary, F_OK), -1);
    PsdFileAbandon(&file);
  }
}

static void TestUnwritablePlacesAreFoundBefore(void **state)
{
  char path[PETSC_MAX_PATH_LEN];
  (void)state;

  InDirectory(path, "fine");
  assert_int_equal(PsdFileCheckWritable(PETSC_COMM_WORLD, "-model", path), 0);
  assert_int_equal(access(path, F_OK), -1);
  InDirectory(path, "missing/m.h5");
  const PetscErrorCode missing = PsdFileCheckWritable(PETSC_COMM_WORLD, "-model", path);
  ExpectMessage(missing, "-model: cannot write");
  ExpectMessage(missing, "missing/m.h5: No such file or directory");
  ExpectMessage(PsdFileCheckWritable(PETSC_COMM_WORLD, "-report", directory), "is a directory");
  ExpectMessage(PsdFileCheckWritable(PETSC_COMM_WORLD, "-report", "/dev/null"), "is not a regular file");
}

/* ---------------------------------------------------------------- phases */

static void TestPhasesAddUp(void **state)
{
  (void)state;

  const PetscLogDouble before = PsdPhaseSeconds(PSD_PHASE_LIFT), start = PsdWallSeconds();
  for (int k = 0; k < 3; k++) {
    assert_int_equal(PsdPhaseBegin(PSD_PHASE_LIFT), 0);
    usleep(2000);
    assert_int_equal(PsdPhaseEnd(PSD_PHASE_LIFT), 0);
  }
  const PetscLogDouble spent = PsdPhaseSeconds(PSD_PHASE_LIFT) - before;
  assert_true(spent >= 0.006 && spent <= PsdWallSeconds() - start);
  assert_true(PsdPhaseSeconds(PSD_PHASE_WRITE) == 0);
  assert_string_equal(PsdPhaseName(PSD_PHASE_CERTIFY), "certify");
}

/* ---------------------------------------------------------------- checksums */

/* The value that CRC-32 is checked with, of these nine digits, however ranks share them. */
static void TestChecksumIsOfTheWhole(void **state)
{
  (void)state;
  const char digits[] = "123456789";
  PetscMPIInt rank, ranks;
  unsigned checksum;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &ranks);
  for (int first = 0; first <= 9; first++) {
    const int begin = rank == 0 ? 0 : first, end = rank == ranks - 1 ? 9 : first;
    assert_int_equal(PsdChecksumRanks(PETSC_COMM_WORLD, digits + begin, (size_t)(end - begin), &checksum), 0);
    assert_int_equal(checksum, 0xCBF43926);
  }
}

/* ---------------------------------------------------------------- messages */

/* More numbers than one message may have, a multiple of them and not. */
static void TestLongArraysGoInPieces(void **state)
{
  (void)state;
  const size_t limit = PsdMessageLimit, lengths[] = {0, 1, 6, 7, 8, 21, 23};
  const PetscMPIInt rank = Rank(), size = Size();
  PsdMessageLimit = 7;
  for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
    PetscInt64 numbers[24];
    PetscReal reals[24];
    const size_t count = lengths[k];
    for (size_t j = 0; j < 24; j++) numbers[j] = reals[j] = rank == 0 ? (int)(100 + j) : -1;
    assert_int_equal(PsdBroadcastArray(PETSC_COMM_WORLD, MPIU_INT64, count, numbers), 0);
    for (size_t j = 0; j < 24; j++) assert_int_equal(numbers[j], j < count || rank == 0 ? (int)(100 + j) : -1);
    assert_int_equal(PsdSumArray(PETSC_COMM_WORLD, MPIU_INT64, count, numbers), 0);
    for (size_t j = 0; j < count; j++) assert_int_equal(numbers[j], size * (int)(100 + j));
    if (rank > 0) {
      assert_int_equal(PsdReceiveArray(PETSC_COMM_WORLD, 0, 3, MPIU_REAL, count, reals), 0);
      for (size_t j = 0; j < 24; j++) assert_true(reals[j] == (j < count ? (int)(100 + j) : -1));
    }
    for (PetscMPIInt to = 1; to < size && rank == 0; to++)
      assert_int_equal(PsdSendArray(PETSC_COMM_WORLD, to, 3, MPIU_REAL, count, reals), 0);
  }
  /* round in a ring, where every rank gives another number of them */
  for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
    const PetscMPIInt next = (rank + 1) % size, last = (rank + size - 1) % size;
    PetscReal mine[24], theirs[24];
    for (size_t j = 0; j < 24; j++) mine[j] = 100 * rank + (PetscReal)j, theirs[j] = -1;
    const size_t count = lengths[(k + (size_t)last) % 7];
    assert_int_equal(
        PsdPassArray(PETSC_COMM_WORLD, MPIU_REAL, next, lengths[(k + (size_t)rank) % 7], mine, last, count, theirs), 0);
    for (size_t j = 0; j < 24; j++) assert_true(theirs[j] == (j < count ? 100 * last + (PetscReal)j : -1));
  }
  PsdMessageLimit = limit;
}

/* Sums and maxima of one reduction are each their own, and the tally begins anew. */
static void TestTallyIsOfAllRanks(void **state)
{
  PsdTally tally = {0};
  (void)state;
  for (int round = 1; round <= 2; round++) {
    const PetscReal rank = (PetscReal)Rank(), size = (PetscReal)Size();
    PetscReal ranks = rank, one = round, largest = rank, negative = -1 - rank;
    assert_int_equal(PsdTallySum(&tally, &ranks), 0);
    assert_int_equal(PsdTallyMax(&tally, &largest), 0);
    assert_int_equal(PsdTallySum(&tally, &one), 0);
    assert_int_equal(PsdTallyMax(&tally, &negative), 0);
    assert_int_equal(PsdTallyReduce(PETSC_COMM_WORLD, &tally), 0);
    assert_true(ranks == size * (size - 1) / 2 && one == round * size);
    assert_true(largest == size - 1 && negative == -1);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(TestNumbersAreRead),
      cmocka_unit_test(TestBadNumbersAreRefused),
      cmocka_unit_test(TestNumbersAreFinite),
      cmocka_unit_test(TestWords),
      cmocka_unit_test(TestTallyIsOfAllRanks),
      cmocka_unit_test(TestUnknownOptionNamesTheNearest),
      cmocka_unit_test(TestOneRankFailsForAll),
      cmocka_unit_test(TestLowestRankSpeaks),
      cmocka_unit_test(TestFileIsReplacedWhole),
      cmocka_unit_test(TestFileIsLeftWhenGivenUp),
      cmocka_unit_test(TestLinkIsFollowed),
      cmocka_unit_test(TestLinkToNothingIsFollowed),
      cmocka_unit_test(TestTemporaryIsNotFollowed),
      cmocka_unit_test(TestModeIsKept),
      cmocka_unit_test(TestUnfinishedFilesAreKnown),
      cmocka_unit_test(TestSignalsLeaveNothing),
      cmocka_unit_test(TestUnwritablePlacesAreFoundBefore),
      cmocka_unit_test(TestPhasesAddUp),
      cmocka_unit_test(TestLongArraysGoInPieces),
      cmocka_unit_test(TestChecksumIsOfTheWhole),
  };
  PetscCall(PsdInitialize(&argc, &argv, NULL));
  if (Rank() == 0) {
    snprintf(directory, sizeof(directory), "/tmp/psdnet-base-XXXXXX");
    if (!mkdtemp(directory)) MPI_Abort(PETSC_COMM_WORLD, 1);
  }
  PetscCallMPI(MPI_Bcast(directory, sizeof(directory), MPI_CHAR, 0, PETSC_COMM_WORLD));
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
  if (Rank() == 0 && rmdir(directory)) MPI_Abort(PETSC_COMM_WORLD, 1);
  PetscCall(PsdFinalize());
  return failures != 0;
}
