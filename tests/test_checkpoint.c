/* A checkpoint read by any number of ranks is the state that was written; damaged at any byte, cut off anywhere, of
 * another problem, or with counts and indices that there is no room for it is refused in one line. */
#include "problem_sample.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "admm/admm.h"
#include "cone/cone_impl.h"
#include "base/archive_impl.h"

#define ITERATIONS 75
#define DAMAGES 200 /* places of a damaged byte, beyond the head's first lines; and half as many lengths */

typedef struct {
  MPI_Comm comm;
  PsdData data;
  PsdPatches patches;
  PsdProblem problem;
  PsdSolver solver;
  PsdAdmm admm;
} Run;

typedef struct {
  const char *consensus;
  const char *loss;
  PsdPrecision precision;
} Kind;

static const Kind kinds[] = {{"root", "squared", PSD_PRECISION_AUTO},
                             {"scalapack", "squared", PSD_PRECISION_AUTO},
                             {"dual", "squared", PSD_PRECISION_AUTO},
                             {"root", "hinge", PSD_PRECISION_AUTO},
                             {"scalapack", "squared", PSD_PRECISION_MIXED}};
#define ROOT kinds[0]
#define DUAL kinds[2]
#define SPLIT kinds[3]

/* ---------------------------------------------------------------- a small problem on some of the ranks */

static Run RunCreate(MPI_Comm comm, Kind kind, PetscReal whiten, PetscReal beta)
{
  static const PetscInt labels[] = {3, 0, 5};
  Run it = {.comm = comm};
  MUST(PsdDataCreate(comm, &it.data));
  MUST(PsdDataSetPath(it.data, PathOf("images.h5", NULL)));
  MUST(PsdDataSetClasses(it.data, 3, labels));
  MUST(PsdDataSetUp(it.data));
  MUST(PsdPatchesCreate(comm, &it.patches));
  it.patches->geometry.patch_height = it.patches->geometry.patch_width = it.patches->geometry.pool = 2;
  it.patches->whiten = whiten;
  MUST(PsdPatchesSetImageSize(it.patches, (PetscInt)image_size[0], (PetscInt)image_size[1], (PetscInt)image_size[2]));
  MUST(PsdProblemCreate(it.data, it.patches, &it.problem));
  MUST(PsdProblemSetActivation(it.problem, activation));
  MUST(PsdProblemSetLoss(it.problem, kind.loss, 0));
  MUST(PsdProblemSetBeta(it.problem, beta));
  MUST(PsdProblemSetUp(it.problem));
  MUST(PsdSolverCreate(it.problem, &it.solver));
  MUST(PsdSolverSetType(it.solver, "admm"));
  it.admm = it.solver->candidate[0];
  PsdConsensusSetKernel(it.admm->consensus, PsdConsensusFind(kind.consensus));
  it.admm->settings.precision = kind.precision;
  return it;
}

static void RunDestroy(Run *it)
{
  MUST(PsdSolverDestroy(&it->solver));
  MUST(PsdProblemDestroy(&it->problem));
  MUST(PsdPatchesDestroy(&it->patches));
  MUST(PsdDataDestroy(&it->data));
}

static PetscErrorCode Open(Run *it, const char path[])
{
  MUST(PetscStrncpy(it->solver->checkpoint.path, path, sizeof(it->solver->checkpoint.path)));
  it->solver->checkpoint.every = 1e9;
  it->solver->checkpoint.resume = PETSC_TRUE;
  return PsdSolverSetUp(it->solver);
}

/* The state after some iterations on all ranks, in a file. */
static void Write(const char path[], Kind kind)
{
  PsdCertificate certificate;
  Run it = RunCreate(PETSC_COMM_WORLD, kind, 0.1, 0.5);
  MUST(PsdSolverSetTolerances(it.solver, 1e-12, ITERATIONS));
  MUST(Open(&it, path));
  MUST(PsdSolverSolve(it.solver, &certificate));
  RunDestroy(&it);
}

/* ---------------------------------------------------------------- files */

static unsigned char *Bytes(const char path[], long *size)
{
  FILE *file = fopen(path, "rb");
  Require(file && !fseek(file, 0, SEEK_END), path);
  *size = ftell(file);
  unsigned char *bytes = malloc((size_t)*size);
  Require(bytes != NULL, "malloc");
  rewind(file);
  Require(fread(bytes, 1, (size_t)*size, file) == (size_t)*size && !fclose(file), path);
  return bytes;
}

static void WriteFileBytes(const char path[], const unsigned char bytes[], long size)
{
  if (!Rank()) {
    FILE *file = fopen(path, "wb");
    Require(file && fwrite(bytes, 1, (size_t)size, file) == (size_t)size && !fclose(file), path);
  }
  MUST(MPI_Barrier(PETSC_COMM_WORLD));
}

static void Remove(const char path[])
{
  MUST(MPI_Barrier(PETSC_COMM_WORLD));
  if (!Rank()) (void)remove(path);
  MUST(MPI_Barrier(PETSC_COMM_WORLD));
}

/* ---------------------------------------------------------------- tests */

/* Written by all ranks, read by `ranks` of them and written again: the same bytes. */
static void Compare(Kind kind, PetscMPIInt ranks)
{
  char first[PETSC_MAX_PATH_LEN], second[PETSC_MAX_PATH_LEN];
  MPI_Comm comm;
  long sizes[2];
  PetscBool written = PETSC_FALSE;
  snprintf(first, sizeof(first), "%s", PathOf("first.ck", NULL));
  snprintf(second, sizeof(second), "%s", PathOf("second.ck", NULL));
  MUST(MPI_Comm_split(PETSC_COMM_WORLD, Rank() < ranks, Rank(), &comm));
  if (Rank() < ranks) {
    Run it = RunCreate(comm, kind, 0.1, 0.5);
    MUST(PsdSolverSetTolerances(it.solver, 1e-12, ITERATIONS));
    MUST(Open(&it, first));
    assert_int_equal(it.solver->status.iteration, ITERATIONS);
    MUST(PetscStrncpy(it.solver->checkpoint.path, second, sizeof(it.solver->checkpoint.path)));
    MUST(PsdCheckpointSave(it.solver, &written));
    assert_true(written);
    RunDestroy(&it);
  }
  MUST(MPI_Comm_free(&comm));
  MUST(MPI_Barrier(PETSC_COMM_WORLD));
  unsigned char *bytes[2] = {Bytes(first, &sizes[0]), Bytes(second, &sizes[1])};
  assert_int_equal(sizes[0], sizes[1]);
  assert_memory_equal(bytes[0], bytes[1], (size_t)sizes[0]);
  free(bytes[0]);
  free(bytes[1]);
  Remove(second);
}

static void TestAnyRanksReadWhatOthersWrote(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
    Write(PathOf("first.ck", NULL), kinds[k]);
    for (PetscMPIInt ranks = 1; ranks <= Size(); ranks++) Compare(kinds[k], ranks);
    Remove(PathOf("first.ck", NULL));
  }
}

/* One line that names the file. */
static void Refused(Run *it, const char path[], const char part[], const char what[], long where)
{
  MUST(PsdArchiveDestroy(&it->solver->checkpoint.archive)); /* of an earlier refusal */
  const PetscErrorCode code = PsdResumeOpen(it->solver);
  const PetscErrorCode form = code ? code : PsdResumeForm(it->solver);
  const PetscErrorCode later = form ? form : PsdResumeLoad(it->solver);
  if (later != PSD_ERR_INPUT) fail_msg("%s at %ld: code %d", what, where, (int)later);
  if (!strstr(PsdErrorMessage(), path) || strchr(PsdErrorMessage(), '\n') || !strstr(PsdErrorMessage(), part))
    fail_msg("%s at %ld: message '%s'", what, where, PsdErrorMessage());
  MUST(PsdArchiveDestroy(&it->solver->checkpoint.archive));
}

static void TestDamageIsFound(void **state)
{
  char path[PETSC_MAX_PATH_LEN];
  long size;
  uint64_t seed = 17;
  (void)state;
  Write(PathOf("first.ck", NULL), ROOT);
  unsigned char *bytes = Bytes(PathOf("first.ck", NULL), &size);
  MUST(MPI_Barrier(PETSC_COMM_WORLD));
  snprintf(path, sizeof(path), "%s", PathOf("first.ck", NULL));
  Run it = RunCreate(PETSC_COMM_WORLD, ROOT, 0.1, 0.5);
  MUST(Open(&it, path)); /* the sound one */
  for (long k = 0; k < 64 + DAMAGES; k++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    const long at = k < 64 ? k : (long)((seed >> 20) % (uint64_t)size);
    const unsigned char flip = (unsigned char)(1u << (seed >> 61)), kept = bytes[at];
    bytes[at] ^= flip;
    WriteFileBytes(path, bytes, size);
    Refused(&it, path, "", "a damaged byte", at);
    bytes[at] = kept;
  }
  for (long k = 0; k <= DAMAGES / 2; k++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    const long length = k == 0 ? 0 : k == 1 ? size - 1 : (long)((seed >> 20) % (uint64_t)size);
    WriteFileBytes(path, bytes, length);
    Refused(&it, path, "", "cut off", length);
  }
  RunDestroy(&it);
  free(bytes);
  Remove(path);
}

/* The head's own checksum, made right again. */
static void SealHead(unsigned char bytes[])
{
  char line[64];
  snprintf(line, sizeof(line), "psdnet-archive 1 checksum %08x\n",
           (unsigned)PsdArchiveChecksum(0, bytes + 35, PSD_ARCHIVE_HEAD - 35));
  memcpy(bytes, line, 35);
}

/* The words of the head changed, and its checksum made right again. */
static void Rewrite(const char path[], const char from[], const char to[])
{
  long size;
  unsigned char *bytes = Bytes(path, &size);
  MUST(MPI_Barrier(PETSC_COMM_WORLD));
  char *at = strstr((char *)bytes, from);
  if (!at || strlen(from) != strlen(to)) fail_msg("%s: '%s' is not there, or not as long", path, from);
  else memcpy(at, to, strlen(to));
  SealHead(bytes);
  WriteFileBytes(path, bytes, size);
  free(bytes);
}

/* A number of an array changed, and the checksums made right again: what no damage does. Returns what it was. */
static PetscReal Craft(const char path[], const char array[], long index, PetscReal value)
{
  unsigned long offset = 0, length = 0;
  char name[64], checksum[16];
  long size;
  unsigned char *bytes = Bytes(path, &size);
  PetscReal before;
  MUST(MPI_Barrier(PETSC_COMM_WORLD));
  snprintf(name, sizeof(name), "array %s ", array);
  char *at = strstr((char *)bytes, name);
  Require(at && sscanf(at + strlen(name), "%lu %lu", &offset, &length) == 2, array);
  memcpy(&before, bytes + offset + (size_t)index * sizeof(value), sizeof(value));
  memcpy(bytes + offset + (size_t)index * sizeof(value), &value, sizeof(value));
  snprintf(checksum, sizeof(checksum), "%08x", (unsigned)PsdArchiveChecksum(0, bytes + offset, length));
  memcpy(strchr(at, '\n') - 8, checksum, 8);
  SealHead(bytes);
  WriteFileBytes(path, bytes, size);
  free(bytes);
  return before;
}

static void TestAnotherProblemIsRefused(void **state)
{
  char path[PETSC_MAX_PATH_LEN];
  (void)state;
  snprintf(path, sizeof(path), "%s", PathOf("first.ck", NULL));
  Write(path, ROOT);
  const struct {
    PetscReal whiten, beta, activation;
    const char *part;
  } others[] = {{0.2, 0.5, 0.09, "'whiten 0.1"}, {0.1, 0.25, 0.09, "'beta 0.25'"}, {0.1, 0.5, 0.5, "'activation 0.5"}};
  for (size_t k = 0; k < sizeof(others) / sizeof(*others); k++) {
    Run it = RunCreate(PETSC_COMM_WORLD, ROOT, others[k].whiten, others[k].beta);
    it.problem->request.activation[0] = others[k].activation;
    assert_int_equal(Open(&it, path), PSD_ERR_INPUT);
    Refused(&it, path, others[k].part, "another problem", (long)k);
    RunDestroy(&it);
  }
  Run dual = RunCreate(PETSC_COMM_WORLD, DUAL, 0.1, 0.5);
  assert_int_equal(Open(&dual, path), PSD_ERR_INPUT);
  Refused(&dual, path, "root or scalapack, which -consensus dual", "another consensus", 0);
  RunDestroy(&dual);

  Run it = RunCreate(PETSC_COMM_WORLD, ROOT, 0.1, 0.5);
  Rewrite(path, "psdnet-checkpoint 5", "psdnet-checkpoint 6");
  assert_int_equal(Open(&it, path), PSD_ERR_INPUT);
  Refused(&it, path, "version 6", "a later version", 0);
  Rewrite(path, "psdnet-checkpoint 6", "psdnet-checkpoints5");
  Refused(&it, path, "", "another format", 0);
  RunDestroy(&it);
  Remove(path);
}

/* A state that has this number, in a file whose checksums are right; then the solver is as in the sound file again. */
static void RefusesInt(Run *it, const char path[], PetscInt *place, PetscInt wrong, const char part[])
{
  long size;
  unsigned char *sound = Bytes(path, &size);
  PetscBool written;
  *place = wrong;
  MUST(PsdCheckpointSave(it->solver, &written));
  assert_true(written);
  Refused(it, path, part, "a number out of range", wrong);
  WriteFileBytes(path, sound, size);
  MUST(PsdResumeOpen(it->solver));
  MUST(PsdResumeLoad(it->solver));
  free(sound);
}

static void TestCountsAreCheckedBeforeUse(void **state)
{
  char path[PETSC_MAX_PATH_LEN];
  (void)state;
  snprintf(path, sizeof(path), "%s", PathOf("first.ck", NULL));
  Write(path, SPLIT);
  Run it = RunCreate(PETSC_COMM_WORLD, SPLIT, 0.1, 0.5);
  MUST(Open(&it, path));
  const PsdAdmm admm = it.admm;
  PsdAccelerator *accelerator = admm->accelerator;
  RefusesInt(&it, path, &it.solver->status.iteration, -5, "'iteration' is -5");
  RefusesInt(&it, path, &admm->penalty.spectrum.steps, 1000, "'spectrum_steps' is 1000, expected 0 to 16");
  RefusesInt(&it, path, &accelerator->count, -1, "'records' is -1, expected 0 to 6");
  RefusesInt(&it, path, &accelerator->stage, 99, "'jump_stage' is 99, expected 0 to 3");
  RefusesInt(&it, path, &accelerator->count, 1, "its records are not what an iteration leaves");
  RefusesInt(&it, path, &admm->cone->iteration, -1, "'cone_iteration' is -1");
  RefusesInt(&it, path, &it.solver->round, PSD_MOST_ROUNDS, "'round' is 8, expected 0 to 7");
  RunDestroy(&it);
  Remove(path);
}

static void TestIndicesAreCheckedBeforeUse(void **state)
{
  static const struct {
    const char *array;
    long index;
    PetscReal wrong;
    const char *part;
  } cases[] = {{"/neurons/lines", 1, 1e9, "a neuron that is not its pair's"}, /* region */
               {"/neurons/lines", 2, -1, "a neuron that is not its pair's"},  /* class */
               {"/neurons/count", 0, 1e9, "says that a pair has 1e+09 neurons, expected 0 to 10"},
               {"/neurons/count", 0, -1, "says that a pair has -1 neurons"},
               {"/neurons/count", 0, 0.5, "says that a pair has 0.5 neurons"},
               {"/history", 0, 1e300, "a count that is out of range"},
               {"/cone/blocks", 0, 1e9, "not what a projection leaves"}, /* rank */
               {"/cone/blocks", 2, 1e9, "not what a projection leaves"}, /* vectors kept */
               {"/cone/blocks", 1, -1, "not what a projection leaves"}}; /* columns of F */
  char path[PETSC_MAX_PATH_LEN];
  (void)state;
  snprintf(path, sizeof(path), "%s", PathOf("first.ck", NULL));
  Write(path, ROOT);
  Run it = RunCreate(PETSC_COMM_WORLD, ROOT, 0.1, 0.5);
  MUST(Open(&it, path));
  for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
    const PetscReal right = Craft(path, cases[k].array, cases[k].index, cases[k].wrong);
    Refused(&it, path, cases[k].part, cases[k].array, (long)k);
    (void)Craft(path, cases[k].array, cases[k].index, right);
  }
  MUST(PsdResumeOpen(it.solver));
  MUST(PsdResumeLoad(it.solver)); /* the sound one */
  RunDestroy(&it);
  Remove(path);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(TestAnyRanksReadWhatOthersWrote),
                                     cmocka_unit_test(TestDamageIsFound), cmocka_unit_test(TestAnotherProblemIsRefused),
                                     cmocka_unit_test(TestCountsAreCheckedBeforeUse),
                                     cmocka_unit_test(TestIndicesAreCheckedBeforeUse)};
  PetscCall(PsdInitialize(&argc, &argv, NULL));
  WriteImages();
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  RootRemove();
  PetscCall(PsdFinalize());
  return failures != 0;
}
