/*
   A member of a .zip archive as bytes. libzip finds it, inflates it and compares its check sum. A member that is stored as it
   is can be read anywhere; a compressed one only goes forward.
*/
#include "data.h"
#include <string.h>
#include <unistd.h>

#if defined(PSD_HAVE_ZIP)
#include <zip.h>

#define SKIPPED_BYTES (1 << 16)

typedef struct {
  zip_t *archive;
  zip_file_t *file;
  PetscInt64 size, position;
  PetscBool stored;
} Member;

static zip_t *OpenArchive(const PsdBytes *bytes, PsdFailure *failure)
{
  int code = 0;
  const int descriptor = dup(bytes->descriptor); /* the archive closes it */
  zip_t *archive = descriptor < 0 ? NULL : zip_fdopen(descriptor, 0, &code);
  if (archive) return archive;
  if (descriptor >= 0) close(descriptor);
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  PsdFailureRecord(failure, "%s: not a .zip archive, truncated or damaged (%s)", bytes->path,
                   zip_error_strerror(&error));
  zip_error_fini(&error);
  return NULL;
}

static void OpenFile(PsdBytes *bytes, const char name[], PsdFailure *failure)
{
  Member *member = (Member *)bytes->stream;
  zip_stat_t about;
  member->archive = OpenArchive(bytes, failure);
  if (failure->failed) return;
  if (!zip_stat(member->archive, name, 0, &about) && (about.valid & ZIP_STAT_SIZE) &&
      (about.valid & ZIP_STAT_COMP_METHOD))
    member->file = zip_fopen(member->archive, name, 0);
  if (!member->file) {
    PsdFailureRecord(failure, "%s: %s cannot be read (%s)", bytes->path, name, zip_strerror(member->archive));
    return;
  }
  member->size = (PetscInt64)PetscMin(about.size, (zip_uint64_t)INT64_MAX);
  member->stored = (PetscBool)(about.comp_method == ZIP_CM_STORE);
}

/* It is opened with its name, by PsdBytesOpenMember. */
static PetscErrorCode OpenMember(PsdBytes *bytes, PsdFailure *failure)
{
  (void)bytes, (void)failure;
  return 0;
}

/* Forward, and a stored one back as well. */
static void MoveTo(PsdBytes *bytes, PetscInt64 offset, PsdFailure *failure)
{
  Member *member = (Member *)bytes->stream;
  unsigned char skipped[SKIPPED_BYTES];
  if (member->stored && member->position != offset && offset <= member->size &&
      !zip_fseek(member->file, offset, SEEK_SET))
    member->position = offset;
  while (member->position < offset && !failure->failed) {
    const zip_int64_t got =
        zip_fread(member->file, skipped, (zip_uint64_t)PetscMin(offset - member->position, SKIPPED_BYTES));
    if (got <= 0)
      PsdFailureRecord(failure, "%s: truncated or damaged (%s)", bytes->path, zip_file_strerror(member->file));
    else member->position += got;
  }
}

static PetscErrorCode ReadMember(PsdBytes *bytes, PetscInt64 offset, size_t count, void *buffer, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Member *member = (Member *)bytes->stream;
  PetscCheck(member->stored || offset >= member->position, PETSC_COMM_SELF, PETSC_ERR_PLIB,
             "A stream was asked to go back");
  MoveTo(bytes, offset, failure);
  for (size_t done = 0; done < count && !failure->failed;) {
    const zip_int64_t got = zip_fread(member->file, (char *)buffer + done, count - done);
    if (got > 0) {
      done += (size_t)got;
      member->position += got;
    } else
      PsdFailureRecord(failure, "%s: ends at byte %" PetscInt64_FMT " of an array, expected %zu more (%s)", bytes->path,
                       member->position, count - done, zip_file_strerror(member->file));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ExpectSizeMember(PsdBytes *bytes, PetscInt64 size, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Member *member = (Member *)bytes->stream;
  unsigned char extra;
  if (member->size != size)
    PsdFailureRecord(failure,
                     "%s: an array of %" PetscInt64_FMT " bytes, expected %" PetscInt64_FMT " as its header says",
                     bytes->path, member->size, size);
  MoveTo(bytes, size, failure);
  /* the check sum is compared where the member ends */
  if (!failure->failed && zip_fread(member->file, &extra, 1) != 0)
    PsdFailureRecord(failure, "%s: damaged (%s)", bytes->path, zip_file_strerror(member->file));
  PetscFunctionReturn(0);
}

static PetscErrorCode CloseMember(PsdBytes *bytes)
{
  PetscFunctionBeginUser;
  Member *member = (Member *)bytes->stream;
  if (!member) PetscFunctionReturn(0);
  if (member->file) zip_fclose(member->file);
  if (member->archive) zip_discard(member->archive);
  PetscCall(PetscFree(bytes->stream));
  PetscFunctionReturn(0);
}

/* As gzip's: the same compression. */
static const PsdBytesOps member_ops = {OpenMember, ReadMember, ExpectSizeMember, CloseMember, 1032};

PetscErrorCode PsdBytesOpenMember(const char path[], const char name[], PsdBytes *bytes, PetscBool *streamed,
                                  PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Member *member;
  *bytes = (PsdBytes){.ops = &member_ops, .path = path, .descriptor = -1};
  PetscCall(PetscNew(&member));
  bytes->stream = member;
  PsdBytesOpenFile(path, bytes, failure);
  if (!failure->failed) OpenFile(bytes, name, failure);
  if (streamed) *streamed = (PetscBool)!member->stored;
  PetscFunctionReturn(0);
}

PetscBool PsdZipHas(const char path[], const char name[], PsdFailure *failure)
{
  PsdBytes bytes = {.path = path, .descriptor = -1};
  PsdBytesOpenFile(path, &bytes, failure);
  zip_t *archive = failure->failed ? NULL : OpenArchive(&bytes, failure);
  const PetscBool has = (PetscBool)(archive && zip_name_locate(archive, name, 0) >= 0);
  if (archive) zip_discard(archive);
  if (bytes.descriptor >= 0) close(bytes.descriptor);
  return has;
}

#else

PetscErrorCode PsdBytesOpenMember(const char path[], const char name[], PsdBytes *bytes, PetscBool *streamed,
                                  PsdFailure *failure)
{
  PetscFunctionBeginUser;
  *bytes = (PsdBytes){.path = path, .descriptor = -1};
  if (streamed) *streamed = PETSC_FALSE;
  PsdFailureRecord(failure, "%s: %s: psdnet was built without libzip, which reads .npz", path, name);
  PetscFunctionReturn(0);
}

PetscBool PsdZipHas(const char path[], const char name[], PsdFailure *failure)
{
  (void)path, (void)name, (void)failure;
  return PETSC_TRUE; /* opening it then says what is missing */
}

#endif
