/*
   A plain file as bytes: any rank reads any part of it, with pread, so that ranks share nothing but the file.
*/
#include "data.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void PsdBytesOpenFile(const char path[], PsdBytes *bytes, PsdFailure *failure)
{
  /* not to wait for a writer should it be a pipe; no effect on files */
  bytes->descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (bytes->descriptor < 0) {
    PsdFailureRecord(failure, "%s: cannot be opened: %s", path, strerror(errno));
    return;
  }
  struct stat attributes;
  if (fstat(bytes->descriptor, &attributes) || !S_ISREG(attributes.st_mode))
    PsdFailureRecord(failure, "%s: not a regular file", path);
  else bytes->disk_size = attributes.st_size;
}

PetscErrorCode PsdBytesOpen(const char path[], PsdBytes *bytes, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  *bytes = (PsdBytes){.ops = PsdHasSuffix(path, ".gz") ? &PsdBytesGzip : &PsdBytesPlain, .path = path};
  PsdBytesOpenFile(path, bytes, failure);
  if (!failure->failed) PetscCall(bytes->ops->open(bytes, failure));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBytesClose(PsdBytes *bytes)
{
  PetscFunctionBeginUser;
  if (!bytes->ops) PetscFunctionReturn(0);
  PetscCall(bytes->ops->close(bytes));
  if (bytes->descriptor >= 0) close(bytes->descriptor);
  bytes->ops = NULL;
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenPlain(PsdBytes *bytes, PsdFailure *failure)
{
  (void)bytes, (void)failure;
  return 0;
}

static PetscErrorCode ReadPlain(PsdBytes *bytes, PetscInt64 offset, size_t count, void *buffer, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  for (size_t done = 0; done < count && !failure->failed;) {
    const ssize_t got = pread(bytes->descriptor, (char *)buffer + done, count - done, (off_t)offset + (off_t)done);
    if (got > 0) done += (size_t)got;
    else if (!got)
      PsdFailureRecord(failure, "%s: ends at byte %" PetscInt64_FMT ", expected %zu more", bytes->path,
                       offset + (PetscInt64)done, count - done);
    else if (errno != EINTR) PsdFailureRecord(failure, "%s: cannot be read: %s", bytes->path, strerror(errno));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ExpectSizePlain(PsdBytes *bytes, PetscInt64 size, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  if (bytes->disk_size != size)
    PsdFailureRecord(failure, "%s: %" PetscInt64_FMT " bytes, expected %" PetscInt64_FMT " as its header says (%s)",
                     bytes->path, bytes->disk_size, size,
                     bytes->disk_size < size ? "truncated" : "bytes follow the end");
  PetscFunctionReturn(0);
}

static PetscErrorCode ClosePlain(PsdBytes *bytes)
{
  (void)bytes;
  return 0;
}

const PsdBytesOps PsdBytesPlain = {OpenPlain, ReadPlain, ExpectSizePlain, ClosePlain, 1};
