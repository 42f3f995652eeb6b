/*
   Files that appear whole or not at all: written under a temporary name in the same directory, synced, renamed, and the
   directory synced. A symbolic link is followed, also one whose target is not there yet: the link stays and what it
   points to is made or replaced. Nothing that stands under the temporary name is ever opened, so that no link planted
   there leads anywhere; owner and mode of a file that is replaced are kept.
*/
#define _GNU_SOURCE /* realpath, O_DIRECTORY, O_NOFOLLOW */
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
#define MOST_LINKS 40 /* as the kernel */
#define STALE_SECONDS                                                                                                  \
  (24L * 3600) /* a temporary file of another machine that nobody has written to for so long is left over */

static void HostName(char host[HOST_LENGTH])
{
  if (gethostname(host, HOST_LENGTH)) snprintf(host, HOST_LENGTH, "localhost");
  host[HOST_LENGTH - 1] = '\0';
}

/* ---------------------------------------------------------------- names */

static PetscBool Copy(const char from[], char to[PETSC_MAX_PATH_LEN])
{
  const size_t length = strlen(from);

  if (length >= PETSC_MAX_PATH_LEN) return PETSC_FALSE;
  memmove(to, from, length + 1);
  return PETSC_TRUE;
}

/* directory: as it stands before the last name of a path, with its slash; "" is here. */
static PetscBool Join(const char directory[], size_t length, const char name[], char path[PETSC_MAX_PATH_LEN])
{
  const size_t rest = strlen(name);

  if (length + rest >= PETSC_MAX_PATH_LEN) return PETSC_FALSE;
  memmove(path + length, name, rest + 1);
  memmove(path, directory, length);
  return PETSC_TRUE;
}

static size_t DirectoryLength(const char path[])
{
  const char *slash = strrchr(path, '/');
  return slash ? (size_t)(slash - path) + 1 : 0;
}

/* `path` is there: its real name. */
static PetscBool ResolveWhole(const char path[], char resolved[PETSC_MAX_PATH_LEN], int *error)
{
  char *real = realpath(path, NULL);

  if (!real) return PETSC_FALSE;
  *error = Copy(real, resolved) ? 0 : ENAMETOOLONG;
  free(real);
  return PETSC_TRUE;
}

/* The real name of the directory, and the last name as it is; a directory that is not there is left as it is as well. */
static PetscBool ResolveDirectory(const char path[], char resolved[PETSC_MAX_PATH_LEN])
{
  char directory[PETSC_MAX_PATH_LEN];
  const size_t length = DirectoryLength(path);

  (void)snprintf(directory, sizeof(directory), "%.*s", length ? (int)length : 1, length ? path : ".");
  char *real = realpath(directory, NULL);
  if (!real) return Copy(path, resolved);
  const PetscBool fits = (PetscBool)(Copy(real, directory) && Join(directory, strlen(directory), "/", directory) &&
                                     Join(directory, strlen(directory), path + length, resolved));
  free(real);
  return fits;
}

int PsdFileResolve(const char path[], char resolved[PETSC_MAX_PATH_LEN])
{
  char name[PETSC_MAX_PATH_LEN], target[PETSC_MAX_PATH_LEN];
  int error = 0;

  if (!Copy(path, name)) return ENAMETOOLONG;
  for (int links = 0; links < MOST_LINKS; links++) {
    if (ResolveWhole(name, resolved, &error)) return error;
    const ssize_t length = readlink(name, target, sizeof(target) - 1);
    if (length < 0) return ResolveDirectory(name, resolved) ? 0 : ENAMETOOLONG;
    target[length] = '\0';
    if (!Join(name, target[0] == '/' ? 0 : DirectoryLength(name), target, name)) return ENAMETOOLONG;
  }
  return ELOOP;
}

int PsdFileOpenRegular(const char path[], PsdFailure *failure)
{
  struct stat found;
  const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

  if (descriptor < 0) {
    PsdFailureRecord(failure, "%s: cannot be opened: %s", path, strerror(errno));
    return -1;
  }
  if (!fstat(descriptor, &found) && S_ISREG(found.st_mode)) return descriptor;
  PsdFailureRecord(failure, "%s: %s, expected a regular file", path,
                   S_ISDIR(found.st_mode) ? "is a directory" : "is not a regular file");
  (void)close(descriptor);
  return -1;
}

void PsdFileCheckRegular(const char path[], PsdFailure *failure)
{
  const int descriptor = PsdFileOpenRegular(path, failure);
  if (descriptor >= 0) (void)close(descriptor);
}

static PetscBool NameTemporary(PsdFile *file)
{
  char host[HOST_LENGTH], tail[HOST_LENGTH + 32];

  HostName(host);
  (void)snprintf(tail, sizeof(tail), TEMPORARY "%s.%ld", host, (long)getpid());
  return Join(file->path, strlen(file->path), tail, file->temporary);
}

/* What stands at the target and must not be replaced by a file, or NULL. */
static const char *Obstacle(const char path[])
{
  struct stat found;

  if (stat(path, &found)) return NULL;
  if (S_ISDIR(found.st_mode)) return "is a directory";
  return S_ISREG(found.st_mode) ? NULL : "is not a regular file";
}

/* ---------------------------------------------------------------- begin */

/* Nothing may stand there: what does was left by a process that had this number, or planted. Nobody else reads a file
   that replaces a private one before it has its mode. Returns 0 or errno. */
static int MakeTemporary(PsdFile *file)
{
  const mode_t mode = access(file->path, F_OK) ? 0666 : 0600;
  const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

  if (PsdTemporaryIsKept(file->temporary)) return EBUSY; /* this process writes it already */
  PsdTemporaryKeep(file->temporary);
  file->descriptor = open(file->temporary, flags, mode);
  if (file->descriptor < 0 && errno == EEXIST && !unlink(file->temporary))
    file->descriptor = open(file->temporary, flags, mode);
  if (file->descriptor >= 0) return 0;
  const int error = errno;
  PsdTemporaryForget(file->temporary);
  return error;
}

/* what: what messages begin with */
static void Begin(PsdFile *file, const char what[], const char path[], PsdFailure *failure)
{
  int error = PsdFileResolve(path, file->path);
  file->descriptor = -1;
  if (!error && !NameTemporary(file)) error = ENAMETOOLONG;
  const char *obstacle = error ? NULL : Obstacle(file->path);
  if (obstacle) PsdFailureRecord(failure, "%s%s %s, expected the name of a file to write", what, path, obstacle);
  else if (!error) error = MakeTemporary(file);
  if (error) PsdFailureRecord(failure, "%scannot write %s: %s", what, path, strerror(error));
}

void PsdFileBegin(PsdFile *file, const char path[], PsdFailure *failure)
{
  Begin(file, "", path, failure);
}

FILE *PsdFileStream(PsdFile *file, PsdFailure *failure)
{
  const int descriptor = file->descriptor < 0 ? -1 : dup(file->descriptor);
  FILE *stream = descriptor < 0 ? NULL : fdopen(descriptor, "w");

  if (stream) return stream;
  PsdFailureRecord(failure, "cannot write %s: %s", file->path, strerror(errno));
  if (descriptor >= 0) (void)close(descriptor);
  return NULL;
}

/* ---------------------------------------------------------------- commit */

static int SyncDirectoryOf(const char path[])
{
  char directory[PETSC_MAX_PATH_LEN];
  const size_t length = DirectoryLength(path);
  int error = 0;

  (void)snprintf(directory, sizeof(directory), "%.*s", length ? (int)length : 1, length ? path : ".");
  const int descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return errno;
  if (fsync(descriptor)) error = errno;
  if (close(descriptor) && !error) error = errno;
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
  return (PetscBool)(!lstat(path, &found) && time(NULL) - found.st_mtime > STALE_SECONDS);
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

/* The new file is of the same people as the one that it replaces. Who may not give it to them does not open it to
   others: a group that is not the old one gets nothing. */
static void KeepOwnerAndMode(const PsdFile *file)
{
  struct stat old, now;

  if (stat(file->path, &old) || fstat(file->descriptor, &now)) return;
  mode_t mode = old.st_mode & 0777;
  if ((old.st_uid != now.st_uid || old.st_gid != now.st_gid) && fchown(file->descriptor, old.st_uid, old.st_gid) &&
      fchown(file->descriptor, (uid_t)-1, old.st_gid))
    mode &= (mode_t)~070;
  (void)fchmod(file->descriptor, mode);
}

/* Whether the file that is written is still what stands under the temporary name. */
static PetscBool IsInPlace(const PsdFile *file)
{
  struct stat named, open;

  return (PetscBool)(!lstat(file->temporary, &named) && !fstat(file->descriptor, &open) &&
                     named.st_dev == open.st_dev && named.st_ino == open.st_ino);
}

void PsdFileCommit(PsdFile *file, PsdFailure *failure)
{
  int error = 0;

  if (!failure->failed) {
    KeepOwnerAndMode(file);
    if (fsync(file->descriptor)) {
      PsdFailureRecord(failure, "%s: cannot write it to disk: %s", file->temporary, strerror(errno));
    } else if (!IsInPlace(file)) {
      PsdFailureRecord(failure, "%s: was removed or replaced while it was written", file->temporary);
    } else if (rename(file->temporary, file->path)) {
      PsdFailureRecord(failure, "%s: cannot put the new file in its place: %s", file->path, strerror(errno));
    } else if ((error = SyncDirectoryOf(file->path))) {
      PsdFailureRecord(failure, "%s: cannot sync its directory: %s", file->path, strerror(error));
    }
  }
  if (!failure->failed) RemoveStale(file); /* of a rank that was still dying when this run began */
  PsdFileAbandon(file);
}

void PsdFileAbandon(PsdFile *file)
{
  if (file->descriptor < 0) return;
  if (IsInPlace(file)) (void)unlink(file->temporary);
  PsdTemporaryForget(file->temporary);
  (void)close(file->descriptor);
  file->descriptor = -1;
}

static void TryToWrite(const char option[], const char path[], PsdFailure *failure)
{
  char what[PSD_MESSAGE_LENGTH / 4];
  PsdFile file;

  if (!path[0]) {
    PsdFailureRecord(failure, "%s: expected the name of a file to write, found none", option);
    return;
  }
  (void)snprintf(what, sizeof(what), "%s: ", option);
  Begin(&file, what, path, failure);
  PsdFileAbandon(&file);
  if (!failure->failed) RemoveStale(&file);
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
