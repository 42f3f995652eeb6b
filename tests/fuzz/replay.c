/*
   replay_TARGET FILE|DIRECTORY...: every input through the reader once; what it was found by is not needed for that. A crash, or
   a failure without a line, ends the process.
*/
#define _XOPEN_SOURCE 700
#include "fuzz.h"
#include "session.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int ReplayFile(const char path[])
{
  size_t size;
  uint8_t *bytes = FuzzReadFile(path, &size);
  (void)fprintf(stderr, "%s\n", path);
  (void)FuzzRun(bytes, size);
  if (PsdErrorMessage()[0]) (void)fprintf(stderr, "  %s\n", PsdErrorMessage());
  free(bytes);
  return 1;
}

static int ReplayDirectory(const char path[])
{
  struct dirent **entries;
  int replayed = 0;
  const int count = scandir(path, &entries, NULL, alphasort);
  FuzzRequire(count >= 0, path);
  for (int k = 0; k < count; k++) {
    char *name = entries[k]->d_name, *file = FuzzAllocate(strlen(path) + strlen(name) + 2);
    (void)sprintf(file, "%s/%s", path, name);
    if (name[0] != '.') replayed += ReplayFile(file);
    free(file);
    free(entries[k]);
  }
  free(entries);
  return replayed;
}

int main(int argc, char **argv)
{
  struct stat found;
  int replayed = 0;
  (void)FuzzBegin();
  FuzzRequire(freopen("/dev/null", "w", stdout) != NULL, "/dev/null");
  for (int k = 1; k < argc; k++) {
    FuzzRequire(!stat(argv[k], &found), argv[k]);
    replayed += S_ISDIR(found.st_mode) ? ReplayDirectory(argv[k]) : ReplayFile(argv[k]);
  }
  FuzzEnd();
  (void)fprintf(stderr, "%d inputs\n", replayed);
  if (PsdFinalize()) return 1;
  return replayed ? 0 : 1;
}
