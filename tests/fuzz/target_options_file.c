/*
   Options files, looked at as before PETSc starts: one that is named on the command line, and two that it may name.
*/
#include "fuzz.h"
#include <unistd.h>

static const char *const names[] = {"first", "second", "third"};
enum { NAMES = sizeof(names) / sizeof(names[0]), KINDS = NAMES };

/* The names in the files are relative. */
static void SetUp(void)
{
  FuzzRequire(!chdir(FuzzPath("")), "chdir");
}

static PetscErrorCode Read(const FuzzInput *input)
{
  static char program[] = "psdnet", option[] = "-options_file", skip[] = "-skip_petscrc", first[] = "first";
  char *words[] = {program, skip, option, first, NULL};
  PsdFailure failure = {PETSC_FALSE, ""};
  for (int kind = 0; kind < NAMES; kind++) {
    const FuzzPart *part = FuzzFind(input, kind);
    if (part) FuzzWriteFile(names[kind], part->bytes, part->size);
    else (void)unlink(names[kind]);
  }
  PsdOptionsFilesCheck(4, words, &failure);
  PsdPathsForget();
  return PsdFailureAgree(PETSC_COMM_WORLD, &failure);
}

const FuzzTarget FuzzTheTarget = {.kinds = KINDS, .set_up = SetUp, .read = Read};
