/*
   What the formats share: names of splits, sizes of images and of what is read at a time, their order of channels, memory
   that a file's header asks for, paths, and limits that tell a damaged header from a large data set.
*/
#include "data.h"
#include <stdlib.h>
#include <string.h>

const char *const PsdSplitNames[] = {"train", "test", NULL};

size_t PsdSourceImagePixels(const PsdSource *source)
{
  return (size_t)source->channels * (size_t)source->height * (size_t)source->width;
}

size_t PsdSourceImageBytes(const PsdSource *source)
{
  return PsdSourceImagePixels(source) * (source->pixels.bits == 16 ? 2 : 1);
}

PetscBool PsdSourceTakesBytes(const PsdSource *source, PsdNumberType type)
{
  return (PetscBool)(PsdNumberIsByte(type) && source->scale != PSD_PIXELS_LEVELS);
}

PetscBool PsdSourceScans(const PsdSource *source, PsdNumberType type)
{
  return (PetscBool)(!PsdNumberIsByte(type) && !(source->pixels.step > 0));
}

PetscInt PsdSourcePiece(const PsdSource *source)
{
  return (PetscInt)PetscMax(PSD_PIECE_BYTES / PsdSourceImageBytes(source), 1);
}

PetscBool PsdHasSuffix(const char name[], const char suffix[])
{
  const size_t length = strlen(name), tail = strlen(suffix);
  return length > tail && !strcmp(name + length - tail, suffix) ? PETSC_TRUE : PETSC_FALSE;
}

/* malloc and not PetscMalloc: the latter answers a lack of memory with a traceback. */
void *PsdAllocate(size_t count, size_t size, const char what[], PsdFailure *failure)
{
  void *memory = count && size > SIZE_MAX / count ? NULL : malloc(PetscMax(count * size, 1));
  if (!memory)
    PsdFailureRecord(failure, "%s: %zu x %zu bytes do not fit the memory of a rank; use more ranks or -limit", what,
                     count, size);
  return memory;
}

PetscBool PsdJoinPath(const char directory[], const char name[], char path[PETSC_MAX_PATH_LEN], PsdFailure *failure)
{
  const char *separator = PsdHasSuffix(directory, "/") || !strcmp(directory, "/") ? "" : "/";
  const int length = snprintf(path, PETSC_MAX_PATH_LEN, "%s%s%s", directory, separator, name);
  if (length >= 0 && length < PETSC_MAX_PATH_LEN) return PETSC_TRUE;
  PsdFailureRecord(failure, "%s in %s: path of %d bytes, expected fewer than %d", name, directory, length,
                   PETSC_MAX_PATH_LEN);
  return PETSC_FALSE;
}

void PsdCheckImageShape(const char path[], PetscInt64 channels, PetscInt64 height, PetscInt64 width,
                        PsdFailure *failure)
{
  const PetscInt64 limit = PSD_MAX_IMAGE_SIDE;
  if (channels < 1 || height < 1 || width < 1 || channels > limit || height > limit || width > limit ||
      channels * height * width > PSD_MAX_IMAGE_BYTES)
    PsdFailureRecord(failure,
                     "%s: images of %" PetscInt64_FMT " x %" PetscInt64_FMT " x %" PetscInt64_FMT
                     " (channels, height, width), expected each 1..%d and no more than %d bytes an image",
                     path, channels, height, width, PSD_MAX_IMAGE_SIDE, PSD_MAX_IMAGE_BYTES);
}

void PsdCheckImageCount(const char path[], PetscInt64 n, PsdFailure *failure)
{
  if (n < 1 || n > PSD_MAX_IMAGES)
    PsdFailureRecord(failure, "%s: %" PetscInt64_FMT " images, expected 1..%d", path, n, PSD_MAX_IMAGES);
}

#define MOST_OUTPUTS 1024

void PsdCheckOutputs(const char path[], PetscInt64 outputs, PsdFailure *failure)
{
  if (outputs < 1 || outputs > MOST_OUTPUTS)
    PsdFailureRecord(failure, "%s: %" PetscInt64_FMT " targets of an image, expected 1..%d", path, outputs,
                     MOST_OUTPUTS);
}

void PsdCheckTargets(const char path[], PetscInt64 first, PetscInt count, PetscInt outputs, const PetscReal targets[],
                     PsdFailure *failure)
{
  const size_t total = (size_t)count * (size_t)outputs;
  for (size_t k = 0; k < total && !failure->failed; k++)
    if (PetscIsInfOrNanReal(targets[k]))
      PsdFailureRecord(failure, "%s: a target of image %" PetscInt64_FMT " (from 0) is %g, expected finite numbers",
                       path, first + (PetscInt64)(k / (size_t)outputs), (double)targets[k]);
}

PetscErrorCode PsdSourceToPlanes(const PsdSource *source, PetscInt count, unsigned char images[], PsdFailure *failure)
{
  PetscFunctionBeginUser;
  if (!source->channels_last || failure->failed) PetscFunctionReturn(0);
  unsigned char *image = (unsigned char *)PsdAllocate(1, PsdSourceImageBytes(source), "an image", failure);
  if (image)
    PsdPixelsToPlanes(count, source->channels, source->height, source->width, source->pixels.bits, images, image);
  free(image);
  PetscFunctionReturn(0);
}

void PsdTrimName(char name[PSD_CLASS_NAME_LENGTH])
{
  const size_t most = PSD_CLASS_NAME_LENGTH - 1;
  name[most] = '\0';
  const size_t length = strlen(name);
  size_t follow = 0; /* bytes at the end that continue a character */
  if (length < most) return;
  while (follow < 3 && ((unsigned char)name[length - 1 - follow] & 0xc0) == 0x80) follow++;
  const unsigned char first = (unsigned char)name[length - 1 - follow];
  const size_t wanted = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
  if (follow < wanted) name[length - 1 - follow] = '\0';
}
