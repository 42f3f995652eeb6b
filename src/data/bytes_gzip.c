/*
   A .gz file as a stream of bytes, inflated from front to back in bounded pieces.

   inflate() rather than gzread(), which takes a file that is not gzip for data and stays silent about bytes after the
   end. A file may consist of several gzip members, one after the other, as gzip itself allows.
*/
#include "data.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define COMPRESSED_BYTES (1 << 18)
#define SKIPPED_BYTES (1 << 16)

typedef struct {
  z_stream inflater;
  PetscInt64 position; /* in the inflated bytes */
  PetscBool ended;     /* nothing follows, and the check sums were right */
  PetscBool between;   /* a member has ended and no byte of the next was seen */
  unsigned char compressed[COMPRESSED_BYTES];
  unsigned char skipped[SKIPPED_BYTES];
} Stream;

static PetscErrorCode OpenGzip(PsdBytes *bytes, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Stream *stream;
  PetscCall(PetscNew(&stream));
  bytes->stream = stream;
  /* 15: any window; + 16: gzip and nothing else */
  if (inflateInit2(&stream->inflater, 15 + 16) != Z_OK)
    PsdFailureRecord(failure, "%s: zlib cannot be started: %s", bytes->path,
                     stream->inflater.msg ? stream->inflater.msg : "no memory");
  PetscFunctionReturn(0);
}

/* Makes sure that there are compressed bytes, unless the file has no more. */
static void Refill(PsdBytes *bytes, PsdFailure *failure)
{
  Stream *stream = (Stream *)bytes->stream;
  if (stream->inflater.avail_in) return;
  ssize_t got;
  do got = read(bytes->descriptor, stream->compressed, COMPRESSED_BYTES);
  while (got < 0 && errno == EINTR);
  if (got < 0) PsdFailureRecord(failure, "%s: cannot be read: %s", bytes->path, strerror(errno));
  stream->inflater.next_in = stream->compressed;
  stream->inflater.avail_in = got > 0 ? (uInt)got : 0;
}

/* One call of inflate; tells what became of it. */
static void InflateSome(PsdBytes *bytes, PsdFailure *failure)
{
  Stream *stream = (Stream *)bytes->stream;
  z_stream *inflater = &stream->inflater;
  const PetscBool after_member = stream->between;
  stream->between = PETSC_FALSE;
  const uInt room = inflater->avail_out;
  const int code = inflate(inflater, Z_NO_FLUSH);
  stream->position += room - inflater->avail_out;
  if (code == Z_STREAM_END) {
    stream->between = PETSC_TRUE;
    inflateReset(inflater);
  } else if (code != Z_OK && code != Z_BUF_ERROR) {
    PsdFailureRecord(failure, "%s: %s at inflated byte %" PetscInt64_FMT ": %s", bytes->path,
                     after_member ? "bytes that are not gzip follow the end" : "corrupt gzip data", stream->position,
                     inflater->msg ? inflater->msg : zError(code));
  }
}

/* Inflates until `count` bytes are there or the stream has ended; got: how many. */
static void Inflate(PsdBytes *bytes, size_t count, void *buffer, size_t *got, PsdFailure *failure)
{
  Stream *stream = (Stream *)bytes->stream;
  z_stream *inflater = &stream->inflater;
  inflater->next_out = (unsigned char *)buffer;
  inflater->avail_out = (uInt)count;
  while (inflater->avail_out && !stream->ended && !failure->failed) {
    Refill(bytes, failure);
    if (!inflater->avail_in && !failure->failed) {
      stream->ended = PETSC_TRUE;
      if (!stream->between)
        PsdFailureRecord(failure, "%s: truncated: the gzip data breaks off at inflated byte %" PetscInt64_FMT,
                         bytes->path, stream->position);
      break;
    }
    if (!failure->failed) InflateSome(bytes, failure);
  }
  *got = count - inflater->avail_out;
}

static void SkipTo(PsdBytes *bytes, PetscInt64 offset, PsdFailure *failure)
{
  Stream *stream = (Stream *)bytes->stream;
  while (stream->position < offset && !stream->ended && !failure->failed) {
    size_t got;
    Inflate(bytes, (size_t)PetscMin(offset - stream->position, SKIPPED_BYTES), stream->skipped, &got, failure);
  }
}

static PetscErrorCode ReadGzip(PsdBytes *bytes, PetscInt64 offset, size_t count, void *buffer, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Stream *stream = (Stream *)bytes->stream;
  PetscCheck(offset >= stream->position, PETSC_COMM_SELF, PETSC_ERR_PLIB, "A stream was asked to go back");
  SkipTo(bytes, offset, failure);
  for (size_t done = 0, got; done < count && !failure->failed; done += got) {
    Inflate(bytes, PetscMin(count - done, PSD_PIECE_BYTES), (char *)buffer + done, &got, failure);
    if (stream->ended && done + got < count)
      PsdFailureRecord(failure, "%s: truncated: ends at inflated byte %" PetscInt64_FMT ", expected %zu more",
                       bytes->path, stream->position, count - done - got);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ExpectSizeGzip(PsdBytes *bytes, PetscInt64 size, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Stream *stream = (Stream *)bytes->stream;
  SkipTo(bytes, size, failure);
  if (failure->failed) PetscFunctionReturn(0);
  unsigned char extra;
  size_t got;
  Inflate(bytes, 1, &extra, &got, failure);
  if (stream->position < size)
    PsdFailureRecord(failure, "%s: truncated: %" PetscInt64_FMT " bytes when inflated, expected %" PetscInt64_FMT,
                     bytes->path, stream->position, size);
  else if (got)
    PsdFailureRecord(failure, "%s: bytes follow the %" PetscInt64_FMT " (inflated) that its header announces",
                     bytes->path, size);
  PetscFunctionReturn(0);
}

static PetscErrorCode CloseGzip(PsdBytes *bytes)
{
  PetscFunctionBeginUser;
  if (!bytes->stream) PetscFunctionReturn(0);
  inflateEnd(&((Stream *)bytes->stream)->inflater);
  PetscCall(PetscFree(bytes->stream));
  PetscFunctionReturn(0);
}

/* 1032 is the most that deflate can do: 258 bytes from two bits. */
const PsdBytesOps PsdBytesGzip = {OpenGzip, ReadGzip, ExpectSizeGzip, CloseGzip, 1032};
