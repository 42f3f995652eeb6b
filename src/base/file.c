/*
   Files that appear whole or not at all: written under a temporary name in the same directory, synced, renamed, and the
   directory synced. A symbolic link is followed, so that the link stays and what it points to is replaced.
*/
#define _GNU_SOURCE /* realpath, O_DIRECTORY */
#include "base.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TEMPORARY ".tmp."
#define HOST_LENGTH 256
#define STALE_SECONDS                                                                                                  \
  (24L * 3600) /* a temporary file of another machine that nobody has written to for so long is left over */

static void HostName(char host[HOST_LENGTH])
{
  if (gethostname(host, HOST_LENGTH)) snprintf(host, HOST_LENGTH, "localhost");
  host[HOST_LENGTH - 1] = '\0';
}

/* Where `path` leads; false when a name is too long. */
static PetscBool ResolveNames(PsdFile *file, const char path[])
{
  char *real = realpath(path, NULL);
  const char *target = real ? real : path;
  const int length = snprintf(file->path, sizeof(file->path), "%s", target);
  char host[HOST_LENGTH];
  HostName(host);
  const int longer =
      snprintf(file->temporary, sizeof(file->temporary), "%s" TEMPORARY "%s.%ld", target, host, (long)getpid());

  free(real);
  return (PetscBool)(length >= 0 && longer >= 0 && (size_t)longer < sizeof(file->temporary));
}

/* What stands at the target and must not be replaced by a file, or NULL. */
static const char *Obstacle(const char path[])
{
  struct stat found;

  if (stat(path, &found)) return NULL;
  if (S_ISDIR(found.st_mode)) return "is a directory";
  return S_ISREG(found.st_mode) ? NULL : "is not a regular file";
}

void PsdFileBegin(PsdFile *file, const char path[], PsdFailure *failure)
{
  if (!ResolveNames(file, path)) {
    PsdFailureRecord(failure, "%s: the name is too long for a file to be written", path);
    file->path[0] = file->temporary[0] = '\0';
    return;
  }
  const char *obstacle = Obstacle(file->path);
  if (obstacle) PsdFailureRecord(failure, "%s: %s, expected the name of a file to write", path, obstacle);
}

/* Brings what is written under a name, a file or a directory, to the disk. Returns 0 or errno. */
static int SyncName(const char name[], int flags)
{
  const int descriptor = open(name, flags);
  int error = 0;

  if (descriptor < 0) return errno;
  if (fsync(descriptor)) error = errno;
  if (close(descriptor) && !error) error = errno;
  return error;
}

static int SyncDirectoryOf(const char path[])
{
  char directory[PETSC_MAX_PATH_LEN];
  const char *slash = strrchr(path, '/');
  const size_t length = slash ? (size_t)(slash - path) : 0;

  if (!slash) snprintf(directory, sizeof(directory), ".");
  else snprintf(directory, sizeof(directory), "%.*s", length ? (int)length : 1, path);
  const int error = SyncName(directory, O_RDONLY | O_DIRECTORY);
  /* some network file systems have no such operation; the rename stands there all the same */
  return error == EINVAL ? 0 : error;
}

/* A process that has ended may still be listed, until its parent asks for its status. */
static PetscBool IsRunning(long pid)
{
  char path[64], state = 'R';

  if (kill((pid_t)pid, 0) && errno == ESRCH) return PETSC_FALSE;
  snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
  FILE *file = fopen(path, "r");
  if (file) {
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1) state = 'R';
    (void)fclose(file);
  }
  return (PetscBool)(state != 'Z' && state != 'X');
}

/* Whether the process that wrote NAME.tmp.HOST.PID is gone; owner: what follows ".tmp.". */
static PetscBool IsStale(const char owner[], const char path[])
{
  char host[HOST_LENGTH], *end;
  struct stat found;
  const char *dot = strrchr(owner, '.');

  HostName(host);
  const long pid = strtol(dot ? dot + 1 : owner, &end, 10);
  if (pid <= 0 || *end) return PETSC_FALSE;
  if (dot && strlen(host) == (size_t)(dot - owner) && !strncmp(owner, host, (size_t)(dot - owner)))
    return (PetscBool)!IsRunning(pid);
  return (PetscBool)(!stat(path, &found) && time(NULL) - found.st_mtime > STALE_SECONDS);
}

static void RemoveStale(const PsdFile *file)
{
  char directory[PETSC_MAX_PATH_LEN], prefix[PETSC_MAX_PATH_LEN + sizeof(TEMPORARY)], path[PETSC_MAX_PATH_LEN];
  const char *slash = strrchr(file->path, '/');

  snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - file->path) + 1 : 2, slash ? file->path : "./");
  snprintf(prefix, sizeof(prefix), "%s" TEMPORARY, slash ? slash + 1 : file->path);
  DIR *entries = opendir(directory);
  if (!entries) return;
  for (const struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
    if (strncmp(entry->d_name, prefix, strlen(prefix))) continue;
    const int length = snprintf(path, sizeof(path), "%s%s", directory, entry->d_name);
    if (length < 0 || (size_t)length >= sizeof(path)) continue;
    if (IsStale(entry->d_name + strlen(prefix), path)) (void)unlink(path);
  }
  (void)closedir(entries);
}

void PsdFileCommit(PsdFile *file, PsdFailure *failure)
{
  int error = 0;

  if (!failure->failed) {
    if ((error = SyncName(file->temporary, O_RDWR))) {
      PsdFailureRecord(failure, "%s: cannot write it to disk: %s", file->temporary, strerror(error));
    } else if (rename(file->temporary, file->path)) {
      PsdFailureRecord(failure, "%s: cannot put the new file in its place: %s", file->path, strerror(errno));
    } else if ((error = SyncDirectoryOf(file->path))) {
      PsdFailureRecord(failure, "%s: cannot sync its directory: %s", file->path, strerror(error));
    }
  }
  if (failure->failed) PsdFileAbandon(file);
  else RemoveStale(file); /* of a rank that was still dying when this run began */
}

void PsdFileAbandon(PsdFile *file)
{
  if (file->temporary[0]) (void)unlink(file->temporary);
}

static void TryToWrite(const char option[], const char path[], PsdFailure *failure)
{
  PsdFile file;

  if (!path[0]) {
    PsdFailureRecord(failure, "%s: expected the name of a file to write, found none", option);
    return;
  }
  if (!ResolveNames(&file, path)) {
    PsdFailureRecord(failure, "%s: the file name is too long: %s", option, path);
    return;
  }
  const char *obstacle = Obstacle(file.path);
  if (obstacle) {
    PsdFailureRecord(failure, "%s: %s %s, expected the name of a file to write", option, path, obstacle);
    return;
  }
  const int descriptor = open(file.temporary, O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (descriptor < 0) {
    PsdFailureRecord(failure, "%s: cannot write %s: %s", option, path, strerror(errno));
    return;
  }
  (void)close(descriptor);
  PsdFileAbandon(&file);
  RemoveStale(&file);
}

PetscErrorCode PsdFileCheckWritable(MPI_Comm comm, const char option[], const char path[])
{
  PsdFailure failure = {0};
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) TryToWrite(option, path, &failure);
  PetscCall(PsdFailureAgree(comm, &failure));
  PetscFunctionReturn(0);
}
