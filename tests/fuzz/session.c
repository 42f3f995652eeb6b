/*
   What all targets share: MPI and PETSc, begun once; the directory of this process; inputs as lists of parts; and the verdict:
   a reader may fail with a line, and with nothing else.
*/
#define _GNU_SOURCE /* nftw */
#include "fuzz.h"
#include "session.h"
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch[PETSC_MAX_PATH_LEN - 64];

void FuzzRequire(int condition, const char what[])
{
  if (condition) return;
  (void)fprintf(stderr, "fuzz: %s (%s)\n", what, PsdErrorMessage());
  abort();
}

void *FuzzAllocate(size_t size)
{
  void *bytes = calloc(1, size ? size : 1);
  FuzzRequire(bytes != NULL, "no memory");
  return bytes;
}

/* ---------------------------------------------------------------- files */

static void MakeScratch(void)
{
  const char *where = getenv("TMPDIR");
  if (!where || !*where) where = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";
  (void)snprintf(scratch, sizeof(scratch), "%s/psdnet_fuzz_XXXXXX", where);
  FuzzRequire(mkdtemp(scratch) != NULL, scratch);
}

static int RemoveEntry(const char path[], const struct stat *attributes, int kind, struct FTW *place)
{
  (void)attributes, (void)kind, (void)place;
  return remove(path);
}

void FuzzEnd(void)
{
  if (scratch[0]) (void)nftw(scratch, RemoveEntry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *FuzzPath(const char name[])
{
  static char paths[4][PETSC_MAX_PATH_LEN];
  static int next;
  char *path = paths[next++ % 4];
  (void)snprintf(path, sizeof(paths[0]), "%s/%s", scratch, name);
  return path;
}

void FuzzWriteFile(const char path[], const void *bytes, size_t size)
{
  FILE *file = fopen(path, "wb");
  FuzzRequire(file && fwrite(bytes, 1, size, file) == size, path);
  FuzzRequire(!fclose(file), path);
}

uint8_t *FuzzReadFile(const char path[], size_t *size)
{
  struct stat found;
  FILE *file = fopen(path, "rb");
  FuzzRequire(file && !fstat(fileno(file), &found), path);
  *size = (size_t)found.st_size;
  uint8_t *bytes = FuzzAllocate(*size + 1);
  FuzzRequire(fread(bytes, 1, *size, file) == *size, path);
  (void)fclose(file);
  return bytes;
}

/* ---------------------------------------------------------------- inputs */

void FuzzParse(const uint8_t *bytes, size_t size, FuzzInput *input)
{
  input->count = 0;
  while (size >= FUZZ_PART_HEAD && input->count < FUZZ_PARTS) {
    const uint32_t said = bytes[1] | (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3] << 16 | (uint32_t)bytes[4] << 24;
    const size_t rest = size - FUZZ_PART_HEAD, length = PetscMin(said, rest);
    input->part[input->count++] = (FuzzPart){bytes[0], length, bytes + FUZZ_PART_HEAD};
    bytes += FUZZ_PART_HEAD + length;
    size = rest - length;
  }
}

const FuzzPart *FuzzFind(const FuzzInput *input, int kind)
{
  for (int k = 0; k < input->count; k++)
    if (input->part[k].kind == kind) return &input->part[k];
  return NULL;
}

uint8_t FuzzByte(FuzzBytes *bytes)
{
  return bytes->at < bytes->end ? *bytes->at++ : 0;
}

uint32_t FuzzWord(FuzzBytes *bytes, int size)
{
  uint32_t word = 0;
  for (int k = 0; k < size; k++) word |= (uint32_t)FuzzByte(bytes) << (8 * k);
  return word;
}

/* ---------------------------------------------------------------- the run */

int FuzzBegin(void)
{
  static char name[] = "fuzz", skip[] = "-skip_petscrc";
  static char *words[] = {name, skip, NULL};
  char **argv = words;
  int argc = 2;
  (void)unsetenv("PETSC_OPTIONS");
  FUZZ_MUST(PsdInitialize(&argc, &argv, NULL));
  /* the clock of libFuzzer is a signal, and it leaves handlers alone that are there before it */
  for (int number = 1; number <= SIGRTMAX; number++)
    if (number != SIGKILL && number != SIGSTOP && number != SIGSEGV && number != SIGBUS && number != SIGFPE &&
        number != SIGILL && number != SIGABRT)
      (void)signal(number, SIG_DFL);
  FUZZ_MUST(PetscOptionsClear(NULL));
  MakeScratch();
  if (FuzzTheTarget.set_up) (*FuzzTheTarget.set_up)();
  return 0;
}

/* A line, a success, or numbers that have overflowed, of which the line has been printed. */
int FuzzRun(const uint8_t *bytes, size_t size)
{
  FuzzInput input;
  FuzzParse(bytes, size, &input);
  (void)PsdInputError("%s", ""); /* no line of an earlier input */
  const PetscErrorCode code = (*FuzzTheTarget.read)(&input);
  const PetscBool line = (PetscBool)(code == PSD_ERR_INPUT && PsdErrorMessage()[0]);
  FuzzRequire(!code || line || code == PETSC_ERR_FP, "the reader failed without a line");
  return 0;
}
