/*
   Which format is at -data: a directory is listed once, each name is offered to every format of the table, and exactly
   one format may recognise any. Runs on rank 0 alone, so that a thousand ranks do not list one directory.
*/
#include "data.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define EXPECTED "expected a directory of images, or a file of them (HDF5, .npz)"

static const PsdFormat *FindFormat(const char name[])
{
  for (PetscInt k = 0; PsdFormats[k]; k++)
    if (PsdFormats[k]->matches(name)) return PsdFormats[k];
  return NULL;
}

/* One that knows the name, else the first that takes files. */
static const PsdFormat *FindFileFormat(const char path[])
{
  const char *slash = strrchr(path, '/');
  const PsdFormat *format = FindFormat(slash ? slash + 1 : path);
  if (format && format->takes_file) return format;
  for (PetscInt k = 0; PsdFormats[k]; k++)
    if (PsdFormats[k]->takes_file) return PsdFormats[k];
  return NULL;
}

static const PsdFormat *FindFolderFormat(void)
{
  for (PetscInt k = 0; PsdFormats[k]; k++)
    if (PsdFormats[k]->takes_folders) return PsdFormats[k];
  return NULL;
}

static PetscBool IsFolder(const char directory[], const char name[])
{
  PsdFailure ignored = {.failed = PETSC_FALSE};
  char path[PETSC_MAX_PATH_LEN];
  struct stat attributes;
  return (PetscBool)(name[0] != '.' && PsdJoinPath(directory, name, path, &ignored) && !stat(path, &attributes) &&
                     S_ISDIR(attributes.st_mode));
}

static PetscErrorCode Append(PsdListing *listing, const char name[])
{
  PetscFunctionBeginUser;
  if (listing->count == listing->room) {
    listing->room = 2 * listing->room + 8;
    PetscCall(PetscRealloc((size_t)listing->room * sizeof(*listing->names), &listing->names));
  }
  PetscCall(PetscStrncpy(listing->names[listing->count++], name, PSD_FILE_NAME_LENGTH));
  PetscFunctionReturn(0);
}

static void FailNothingFound(const char path[], PsdFailure *failure)
{
  char formats[512] = "";
  for (PetscInt k = 0; PsdFormats[k]; k++) {
    const size_t length = strlen(formats);
    snprintf(formats + length, sizeof(formats) - length, "%s%s (%s)", k ? ", " : "", PsdFormats[k]->name,
             PsdFormats[k]->files);
  }
  PsdFailureRecord(failure, "-data %s: holds no images of a known format; looked for %s", path, formats);
}

/* Offers an entry to the formats; the first that recognises one settles the format. */
static PetscErrorCode Classify(const char name[], PsdListing *listing, const PsdFormat **format, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  const PsdFormat *found = FindFormat(name);
  if (!found) PetscFunctionReturn(0);
  if (*format && *format != found)
    PsdFailureRecord(failure, "-data %s: holds files of two formats, %s (%s) and %s (%s), expected one", listing->path,
                     (*format)->name, listing->names[0], found->name, name);
  *format = found;
  PetscCall(Append(listing, name));
  PetscFunctionReturn(0);
}

static int CompareNames(const void *a, const void *b)
{
  return strcmp((const char *)a, (const char *)b);
}

static PetscErrorCode ListDirectory(PsdListing *listing, const PsdFormat **format, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  DIR *directory = opendir(listing->path);
  if (!directory) {
    PsdFailureRecord(failure, "-data %s: the directory cannot be read: %s", listing->path, strerror(errno));
    PetscFunctionReturn(0);
  }
  PetscBool folders = PETSC_FALSE;
  for (struct dirent *entry; (entry = readdir(directory)) && !failure->failed;) {
    PetscCall(Classify(entry->d_name, listing, format, failure));
    if (!*format && !folders) folders = IsFolder(listing->path, entry->d_name);
  }
  closedir(directory);
  if (!*format && folders) *format = FindFolderFormat();
  if (listing->count) qsort(listing->names, (size_t)listing->count, sizeof(*listing->names), CompareNames);
  else if (!*format) FailNothingFound(listing->path, failure);
  PetscFunctionReturn(0);
}

static PetscErrorCode List(PsdListing *listing, const PsdFormat **format, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  struct stat attributes;
  if (stat(listing->path, &attributes))
    PsdFailureRecord(failure, "-data %s: %s, " EXPECTED, listing->path, strerror(errno));
  else if (S_ISDIR(attributes.st_mode)) PetscCall(ListDirectory(listing, format, failure));
  else if (S_ISREG(attributes.st_mode)) {
    listing->is_file = PETSC_TRUE;
    *format = FindFileFormat(listing->path);
  } else PsdFailureRecord(failure, "-data %s: neither a directory nor a regular file, " EXPECTED, listing->path);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataProbeSplit(const char path[], PsdSplit split, PetscBool *has, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PsdListing listing = {.is_file = PETSC_FALSE};
  const PsdFormat *format = NULL;
  PetscCall(PetscStrncpy(listing.path, path, sizeof(listing.path)));
  PetscCall(List(&listing, &format, failure));
  *has = (PetscBool)(!failure->failed && format && (*format->has_split)(&listing, split));
  PetscCall(PetscFree(listing.names));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataProbe(const char path[], PsdSplit split, PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PsdListing listing = {.is_file = PETSC_FALSE};
  PetscCall(PetscStrncpy(listing.path, path, sizeof(listing.path)));
  PetscCall(List(&listing, &source->format, failure));
  if (!failure->failed && source->height > 0 && !source->format->resizes)
    PsdFailureRecord(failure, "-resize: images of the format %s cannot be made of another size, only pictures",
                     source->format->name);
  if (!failure->failed && source->coarse && !source->format->has_coarse)
    PsdFailureRecord(failure, "-labels coarse: images of the format %s have labels of one kind, only cifar100 has two",
                     source->format->name);
  if (!failure->failed) PetscCall(source->format->inspect(&listing, split, source, failure));
  PetscCall(PetscFree(listing.names));
  PetscFunctionReturn(0);
}
