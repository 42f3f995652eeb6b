/*
   Reading HDF5 in steps that close what they open and say, in one line, what is wrong with the file. Numbers of another
   size are converted by HDF5, which clips what does not fit; ranges are for the caller to check.
*/
#include "hdf5_file.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LABEL_LENGTH 32
#define MAX_LABELS 16384

hid_t PsdH5MemoryType(PsdH5Kind kind)
{
  if (kind == PSD_H5_REAL) return H5T_NATIVE_DOUBLE;
  return sizeof(PetscInt) == 4 ? H5T_NATIVE_INT32 : H5T_NATIVE_INT64;
}

static PetscBool IsKind(hid_t type, PsdH5Kind kind)
{
  const H5T_class_t class = H5Tget_class(type);

  return (PetscBool)(class == H5T_INTEGER || (kind == PSD_H5_REAL && class == H5T_FLOAT));
}

/* Keeps the first, innermost, reason that HDF5 gives. */
static herr_t KeepReason(unsigned depth, const H5E_error2_t *error, void *reason)
{
  if (depth == 0) snprintf(reason, PSD_MESSAGE_LENGTH / 2, "%s", error->desc ? error->desc : "no reason given");
  return 0;
}

static hid_t OpenHdf5(const char path[], PsdFailure *failure)
{
  char reason[PSD_MESSAGE_LENGTH / 2] = "no reason given";
  const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);

  if (file < 0) {
    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, KeepReason, reason);
    PsdFailureRecord(failure, "%s: HDF5 cannot open it: %s", path, reason);
  }
  return file;
}

PsdH5File PsdH5Open(const char path[], PsdFailure *failure)
{
  PsdH5File file = {.id = -1, .path = path};
  struct stat found;

  if (failure->failed) return file;
  if (stat(path, &found) || access(path, R_OK)) {
    PsdFailureRecord(failure, "%s: cannot read it: %s", path, strerror(errno));
  } else if (!S_ISREG(found.st_mode)) {
    PsdFailureRecord(failure, "%s: not a regular file, expected a model file", path);
  } else if (H5Fis_hdf5(path) <= 0) {
    PsdFailureRecord(failure, "%s: not an HDF5 file, expected a model file", path);
  } else {
    file.id = OpenHdf5(path, failure);
  }
  return file;
}

void PsdH5Close(PsdH5File *file)
{
  if (file->id >= 0) (void)H5Fclose(file->id);
  file->id = -1;
}

PetscBool PsdH5Exists(PsdH5File file, const char name[])
{
  char prefix[PETSC_MAX_PATH_LEN];

  /* HDF5 wants to be asked for every group on the way */
  for (const char *slash = strchr(name + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    snprintf(prefix, sizeof(prefix), "%.*s", (int)(slash - name), name);
    if (H5Lexists(file.id, prefix, H5P_DEFAULT) <= 0) return PETSC_FALSE;
  }
  return (PetscBool)(H5Lexists(file.id, name, H5P_DEFAULT) > 0);
}

PsdH5File PsdH5OpenGroup(PsdH5File file, const char name[], PsdFailure *failure)
{
  PsdH5File group = {.id = -1, .path = file.path};

  if (failure->failed) return group;
  if (PsdH5Exists(file, name)) group.id = H5Gopen2(file.id, name, H5P_DEFAULT);
  if (group.id < 0) PsdFailureRecord(failure, "%s: group %s is missing or damaged", file.path, name);
  return group;
}

void PsdH5CloseGroup(PsdH5File *group)
{
  if (group->id >= 0) (void)H5Gclose(group->id);
  group->id = -1;
}

/* ---------------------------------------------------------------- attributes */

PetscBool PsdH5HasAttribute(PsdH5File file, const char name[])
{
  return (PetscBool)(H5Aexists(file.id, name) > 0);
}

typedef struct {
  hid_t id, type, space;
  hssize_t points;
} Attribute;

static void CloseAttribute(Attribute *attribute)
{
  if (attribute->space >= 0) (void)H5Sclose(attribute->space);
  if (attribute->type >= 0) (void)H5Tclose(attribute->type);
  if (attribute->id >= 0) (void)H5Aclose(attribute->id);
}

static Attribute OpenAttribute(PsdH5File file, const char name[], PsdFailure *failure)
{
  Attribute attribute = {.id = -1, .type = -1, .space = -1, .points = -1};

  if (failure->failed) return attribute;
  if (H5Aexists(file.id, name) <= 0) {
    PsdFailureRecord(failure, "%s: attribute '%s' is missing", file.path, name);
    return attribute;
  }
  attribute.id = H5Aopen(file.id, name, H5P_DEFAULT);
  if (attribute.id >= 0) {
    attribute.type = H5Aget_type(attribute.id);
    attribute.space = H5Aget_space(attribute.id);
  }
  if (attribute.space >= 0) attribute.points = H5Sget_simple_extent_npoints(attribute.space);
  if (attribute.type < 0 || attribute.points < 0)
    PsdFailureRecord(failure, "%s: attribute '%s' is damaged", file.path, name);
  return attribute;
}

void PsdH5ReadAttribute(PsdH5File file, const char name[], PsdH5Kind kind, PetscInt count, void *values,
                        PsdFailure *failure)
{
  Attribute attribute = OpenAttribute(file, name, failure);

  if (!failure->failed) {
    if (!IsKind(attribute.type, kind) || attribute.points != count)
      PsdFailureRecord(failure, "%s: attribute '%s' is of the wrong kind, expected %" PetscInt_FMT " %s", file.path,
                       name, count, kind == PSD_H5_REAL ? "real" : "integer");
    else if (H5Aread(attribute.id, PsdH5MemoryType(kind), values) < 0)
      PsdFailureRecord(failure, "%s: attribute '%s' is damaged", file.path, name);
  }
  CloseAttribute(&attribute);
}

/* Copies `count` texts of fixed or variable length to places `size` apart; negative when HDF5 fails. */
static herr_t CopyTexts(const Attribute *attribute, size_t count, size_t size, char texts[])
{
  const PetscBool variable = (PetscBool)(H5Tis_variable_str(attribute->type) > 0);
  const hid_t memory = H5Tcopy(H5T_C_S1);
  herr_t result = -1;

  if (memory < 0) return -1;
  /* HDF5 does not convert between character sets */
  if (H5Tset_cset(memory, H5Tget_cset(attribute->type)) >= 0 &&
      H5Tset_size(memory, variable ? H5T_VARIABLE : size) >= 0) {
    char **pointers = variable ? calloc(count, sizeof(char *)) : NULL;
    if (!variable) result = H5Aread(attribute->id, memory, texts);
    else if (pointers) result = H5Aread(attribute->id, memory, pointers);
    for (size_t k = 0; pointers && result >= 0 && k < count; k++) {
      snprintf(texts + k * size, size, "%s", pointers[k] ? pointers[k] : "");
      (void)H5free_memory(pointers[k]);
    }
    free(pointers);
  }
  (void)H5Tclose(memory);
  return result;
}

void PsdH5ReadText(PsdH5File file, const char name[], char text[], size_t size, PsdFailure *failure)
{
  Attribute attribute = OpenAttribute(file, name, failure);

  if (!failure->failed) {
    if (H5Tget_class(attribute.type) != H5T_STRING || attribute.points != 1)
      PsdFailureRecord(failure, "%s: attribute '%s' is of the wrong kind, expected a text", file.path, name);
    else if (CopyTexts(&attribute, 1, size, text) < 0)
      PsdFailureRecord(failure, "%s: attribute '%s' is damaged", file.path, name);
  }
  CloseAttribute(&attribute);
}

static PetscBool ParseLabel(const char text[], PetscInt *label)
{
  char *end;

  errno = 0;
  const long long number = strtoll(text, &end, 10);
  *label = (PetscInt)number;
  return (PetscBool)(end != text && !*end && !errno && number >= 0 && number <= PETSC_MAX_INT);
}

static void ParseLabels(const char texts[], PetscInt count, PetscInt labels[], PsdH5File file, const char name[],
                        PsdFailure *failure)
{
  for (PetscInt k = 0; k < count; k++)
    if (!ParseLabel(texts + (size_t)k * LABEL_LENGTH, &labels[k]))
      PsdFailureRecord(failure, "%s: attribute '%s': found '%s', expected a label in digits", file.path, name,
                       texts + (size_t)k * LABEL_LENGTH);
}

void PsdH5ReadLabels(PsdH5File file, const char name[], PetscInt *count, PetscInt **labels, PsdFailure *failure)
{
  Attribute attribute = OpenAttribute(file, name, failure);
  char *texts = NULL;

  if (!failure->failed &&
      (H5Tget_class(attribute.type) != H5T_STRING || attribute.points < 1 || attribute.points > MAX_LABELS))
    PsdFailureRecord(failure, "%s: attribute '%s' is of the wrong kind, expected a list of labels", file.path, name);
  if (!failure->failed && attribute.points > 0) {
    *count = (PetscInt)attribute.points;
    *labels = malloc((size_t)*count * sizeof(PetscInt));
    texts = calloc((size_t)*count, LABEL_LENGTH);
    if (!*labels || !texts) PsdFailureRecord(failure, "%s: not enough memory for its labels", file.path);
    else if (CopyTexts(&attribute, (size_t)*count, LABEL_LENGTH, texts) < 0)
      PsdFailureRecord(failure, "%s: attribute '%s' is damaged", file.path, name);
    else ParseLabels(texts, *count, *labels, file, name, failure);
  }
  free(texts);
  CloseAttribute(&attribute);
}

/* ---------------------------------------------------------------- data sets */

static hid_t OpenArray(PsdH5File file, const char name[], PsdFailure *failure)
{
  if (failure->failed) return -1;
  if (!PsdH5Exists(file, name)) {
    PsdFailureRecord(failure, "%s: data set %s is missing", file.path, name);
    return -1;
  }
  const hid_t array = H5Dopen2(file.id, name, H5P_DEFAULT);
  if (array < 0) PsdFailureRecord(failure, "%s: data set %s is damaged, or no data set", file.path, name);
  return array;
}

void PsdH5ReadShape(PsdH5File file, const char name[], int axes, PetscInt shape[], PsdFailure *failure)
{
  const hid_t array = OpenArray(file, name, failure);
  hsize_t extent[2] = {0, 0};

  if (array < 0) return;
  const hid_t space = H5Dget_space(array);
  if (space < 0 || H5Sget_simple_extent_ndims(space) != axes || H5Sget_simple_extent_dims(space, extent, NULL) < 0)
    PsdFailureRecord(failure, "%s: data set %s is of the wrong shape, expected %d %s", file.path, name, axes,
                     axes == 1 ? "axis" : "axes");
  for (int k = 0; k < PetscMin(axes, 2); k++) {
    if (extent[k] > (hsize_t)PETSC_MAX_INT)
      PsdFailureRecord(failure, "%s: data set %s is too large, expected at most %" PetscInt_FMT " along an axis",
                       file.path, name, PETSC_MAX_INT);
    shape[k] = (PetscInt)extent[k];
  }
  if (space >= 0) (void)H5Sclose(space);
  (void)H5Dclose(array);
}

/* The numbers of an open data set of `points` of them. */
static void *ReadNumbers(hid_t array, hssize_t points, PsdH5File file, const char name[], PsdH5Kind kind,
                         PsdFailure *failure)
{
  const size_t bytes = kind == PSD_H5_REAL ? sizeof(PetscReal) : sizeof(PetscInt);
  void *values = NULL;

  if (points > 0 && H5Dget_storage_size(array) == 0) {
    PsdFailureRecord(failure, "%s: data set %s was never written", file.path, name);
  } else if ((size_t)points > SIZE_MAX / bytes || !(values = malloc(points ? (size_t)points * bytes : 1))) {
    PsdFailureRecord(failure, "%s: not enough memory for data set %s", file.path, name);
  } else if (points && H5Dread(array, PsdH5MemoryType(kind), H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) {
    PsdFailureRecord(failure, "%s: data set %s is truncated or damaged", file.path, name);
  }
  return values;
}

void *PsdH5ReadArray(PsdH5File file, const char name[], PsdH5Kind kind, PsdFailure *failure)
{
  const hid_t array = OpenArray(file, name, failure);
  void *values = NULL;

  if (array < 0) return NULL;
  const hid_t type = H5Dget_type(array), space = H5Dget_space(array);
  const hssize_t points = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
  if (type < 0 || points < 0 || !IsKind(type, kind))
    PsdFailureRecord(failure, "%s: data set %s is of the wrong kind, expected %s", file.path, name,
                     kind == PSD_H5_REAL ? "reals" : "integers");
  else values = ReadNumbers(array, points, file, name, kind, failure);
  if (type >= 0) (void)H5Tclose(type);
  if (space >= 0) (void)H5Sclose(space);
  (void)H5Dclose(array);
  return values;
}
