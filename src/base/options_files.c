/*
   Options files, looked at before PETSc reads them: it would wait for ever for a pipe that nobody writes to, read a
   device without an end, and follow files that name each other until its stack is full. Every file that is named is
   declared as one that the run reads (paths.c). What is not there PETSc complains of itself.
*/
#define _GNU_SOURCE /* getline */
#include "base.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLANKS " \t\r\n"
#define MOST_BYTES (64L << 20)

/* A file that is being read, and the one that names it. */
typedef struct Reader {
  const struct Reader *by;
  dev_t device;
  ino_t inode;
} Reader;

static void ReadFile(const char name[], const Reader *by, PsdFailure *failure);

static PetscBool NamesFile(const char word[])
{
  return (PetscBool)(!strcmp(word, "-options_file") || !strcmp(word, "-options_file_yaml"));
}

/* Words of a text, which is spoilt. */
static void ReadWords(char text[], const Reader *by, PsdFailure *failure)
{
  char *rest = NULL;
  PetscBool named = PETSC_FALSE;

  for (char *word = strtok_r(text, BLANKS, &rest); word && !failure->failed; word = strtok_r(NULL, BLANKS, &rest)) {
    if (named) ReadFile(word, by, failure);
    named = NamesFile(word);
  }
}

static void ReadLines(FILE *file, const Reader *by, PsdFailure *failure)
{
  char *line = NULL;
  size_t room = 0;

  while (!failure->failed && getline(&line, &room, file) >= 0) {
    line[strcspn(line, "#")] = '\0';
    ReadWords(line, by, failure);
  }
  free(line);
}

static void CheckFile(const char name[], const struct stat *found, const Reader *by, PsdFailure *failure)
{
  if (!S_ISREG(found->st_mode)) PsdFailureRecord(failure, "-options_file %s: not a regular file", name);
  else if (found->st_size > MOST_BYTES)
    PsdFailureRecord(failure, "-options_file %s: %ld bytes, expected at most %ld", name, (long)found->st_size,
                     MOST_BYTES);
  for (; by && !failure->failed; by = by->by)
    if (by->device == found->st_dev && by->inode == found->st_ino)
      PsdFailureRecord(failure, "-options_file %s: it names itself, or a file that names it", name);
}

static void ReadFile(const char name[], const Reader *by, PsdFailure *failure)
{
  struct stat found;
  const int descriptor = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

  if (descriptor < 0) return;
  if (PsdPathDeclare("-options_file", name, PSD_PATH_INPUT)) PsdFailureRecord(failure, "no memory for options");
  if (fstat(descriptor, &found)) PsdFailureRecord(failure, "-options_file %s: %s", name, strerror(errno));
  else CheckFile(name, &found, by, failure);
  FILE *file = failure->failed ? NULL : fdopen(descriptor, "r");
  if (file) {
    ReadLines(file, &(Reader){by, found.st_dev, found.st_ino}, failure);
    (void)fclose(file);
  } else (void)close(descriptor);
}

/* Those that PETSc reads without being asked. */
static void ReadDefaultFiles(PsdFailure *failure)
{
  const char *home = getenv("HOME");
  char name[PETSC_MAX_PATH_LEN];

  if (home && snprintf(name, sizeof(name), "%s/.petscrc", home) < (int)sizeof(name)) ReadFile(name, NULL, failure);
  ReadFile(".petscrc", NULL, failure);
  ReadFile("petscrc", NULL, failure);
}

void PsdOptionsFilesCheck(int argc, char **argv, PsdFailure *failure)
{
  const char *environment = getenv("PETSC_OPTIONS");
  PetscBool skip = PETSC_FALSE;

  for (int k = 1; k < argc; k++) {
    if (!strcmp(argv[k], "-skip_petscrc")) skip = PETSC_TRUE;
    if (k + 1 < argc && NamesFile(argv[k])) ReadFile(argv[k + 1], NULL, failure);
  }
  char *words = environment ? strdup(environment) : NULL;
  if (words) ReadWords(words, NULL, failure);
  free(words);
  if (!skip) ReadDefaultFiles(failure);
}
