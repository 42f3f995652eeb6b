/*
   A picture of either kind as an image: opened, read, its channels apart, and of the size wanted.
*/
#include "picture.h"
#include "data.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static const PsdPictureKind *const kinds[] = {&PsdPicturePng, &PsdPictureJpeg, NULL};

static PetscBool EndsWith(const char name[], const char suffix[])
{
  const size_t length = strlen(name), tail = strlen(suffix);
  if (length <= tail) return PETSC_FALSE;
  for (size_t k = 0; k < tail; k++)
    if (tolower((unsigned char)name[length - tail + k]) != suffix[k]) return PETSC_FALSE;
  return PETSC_TRUE;
}

static const PsdPictureKind *KindOf(const char name[])
{
  for (PetscInt k = 0; kinds[k]; k++)
    for (const char *const *suffix = kinds[k]->suffixes; *suffix; suffix++)
      if (EndsWith(name, *suffix)) return kinds[k];
  return NULL;
}

PetscBool PsdPictureIsName(const char name[])
{
  return (PetscBool)(name[0] != '.' && KindOf(name));
}

/* NULL: the failure says why. */
static FILE *Open(const char path[], PsdFailure *failure)
{
  PsdFileCheckRegular(path, failure);
  FILE *file = failure->failed ? NULL : fopen(path, "rbe");
  if (!file && !failure->failed) PsdFailureRecord(failure, "%s: cannot be opened: %s", path, strerror(errno));
  return file;
}

static void Inspect(const char path[], FILE *file, PsdPictureSize *size, PsdFailure *failure)
{
  *size = (PsdPictureSize){0};
  if (file) (*KindOf(path)->inspect)(path, file, size, failure);
  if (!failure->failed) PsdCheckImageShape(path, size->channels, size->height, size->width, failure);
}

PetscErrorCode PsdPictureInspect(const char path[], PsdPictureSize *size, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  FILE *file = Open(path, failure);
  Inspect(path, file, size, failure);
  if (file) (void)fclose(file);
  PetscFunctionReturn(0);
}

/* height x width x channels to planes, of which there may be more: they are alike then. */
static void ToPlanes(PsdPictureSize size, const unsigned char pixels[], PetscInt channels, unsigned char image[])
{
  const size_t plane = (size_t)size.height * (size_t)size.width;
  for (PetscInt c = 0; c < channels; c++) {
    const size_t from = size.channels == 1 ? 0 : (size_t)c;
    for (size_t k = 0; k < plane; k++)
      PsdPixelSet(size.bits, image, (size_t)c * plane + k,
                  PsdPixelAt(size.bits, pixels, k * (size_t)size.channels + from));
  }
}

/* 8 bits become 16, from the end. */
static void Widen(size_t count, unsigned char pixels[])
{
  for (size_t k = count; k-- > 0;) PsdPixelSet(16, pixels, k, 257 * (PetscInt)pixels[k]);
}

static PetscErrorCode Convert(PsdPictureSize size, const unsigned char pixels[], PsdPictureSize wanted,
                              unsigned char planes[], unsigned char image[])
{
  PetscFunctionBeginUser;
  if (size.height == wanted.height && size.width == wanted.width) ToPlanes(size, pixels, wanted.channels, image);
  else {
    ToPlanes(size, pixels, wanted.channels, planes);
    PetscCall(PsdPictureResize(wanted.channels, size.bits, size.height, size.width, planes, wanted.height, wanted.width,
                               image));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Read(const char path[], FILE *file, PsdPictureSize wanted, unsigned char image[],
                           PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PsdPictureSize size;
  Inspect(path, file, &size, failure);
  if (failure->failed) PetscFunctionReturn(0);
  rewind(file);
  if (size.channels > wanted.channels)
    PsdFailureRecord(failure, "%s: is in colours now, and was grey", path); /* all were inspected */
  if (size.bits > wanted.bits) PsdFailureRecord(failure, "%s: has 16 bits a channel, expected 8", path);
  const size_t plane = (size_t)size.height * (size_t)size.width;
  const size_t bytes = (size_t)(wanted.bits / 8), numbers = plane * (size_t)size.channels;
  unsigned char *pixels = (unsigned char *)PsdAllocate(numbers, bytes, path, failure);
  unsigned char *planes = (unsigned char *)PsdAllocate(plane, (size_t)wanted.channels * bytes, path, failure);
  if (!failure->failed) (*KindOf(path)->read)(path, file, size, pixels, failure);
  if (!failure->failed && wanted.bits > size.bits) Widen(numbers, pixels);
  size.bits = wanted.bits;
  if (!failure->failed) PetscCall(Convert(size, pixels, wanted, planes, image));
  free(pixels);
  free(planes);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPictureRead(const char path[], PsdPictureSize wanted, unsigned char image[], PsdFailure *failure)
{
  PetscFunctionBeginUser;
  FILE *file = Open(path, failure);
  if (!file) PetscFunctionReturn(0);
  PetscCall(Read(path, file, wanted, image, failure));
  (void)fclose(file);
  PetscFunctionReturn(0);
}
