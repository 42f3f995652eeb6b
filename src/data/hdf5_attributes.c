/*
   Attributes of data sets: read strictly, so that what is there and is not what it should be is no surprise later.
*/
#include "hdf5_attributes.h"
#include <math.h>
#include <stdlib.h>

/* Opens an attribute of one number. Negative: there is none, or something else. */
static void ReadNumber(hid_t dataset, const char path[], const char of[], const char name[], double *number,
                       PsdFailure *failure)
{
  if (failure->failed || H5Aexists(dataset, name) <= 0) return;
  const hid_t attribute = H5Aopen(dataset, name, H5P_DEFAULT), space = attribute < 0 ? -1 : H5Aget_space(attribute);
  const hid_t type = attribute < 0 ? -1 : H5Aget_type(attribute);
  const H5T_class_t kind = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
  if (space < 0 || H5Sget_simple_extent_npoints(space) != 1 || (kind != H5T_INTEGER && kind != H5T_FLOAT) ||
      H5Aread(attribute, H5T_NATIVE_DOUBLE, number) < 0 || !isfinite(*number))
    PsdFailureRecord(failure, "%s: attribute '%s' of /%s is no number", path, name, of);
  if (type >= 0) (void)H5Tclose(type);
  if (space >= 0) (void)H5Sclose(space);
  if (attribute >= 0) (void)H5Aclose(attribute);
}

void PsdHdf5ReadPixels(hid_t dataset, const char path[], const char name[], PsdPixels *pixels, PsdFailure *failure)
{
  double bits = 0, step = 0, low = 0, least = 0, largest = 0;
  ReadNumber(dataset, path, name, PSD_H5_BITS, &bits, failure);
  ReadNumber(dataset, path, name, PSD_H5_STEP, &step, failure);
  ReadNumber(dataset, path, name, PSD_H5_LOW, &low, failure);
  ReadNumber(dataset, path, name, PSD_H5_LEAST, &least, failure);
  ReadNumber(dataset, path, name, PSD_H5_LARGEST, &largest, failure);
  if (failure->failed) return;
  *pixels = (PsdPixels){.bits = bits == 16 ? 16 : bits == 8 ? 8 : 0};
  if ((bits != 0 && pixels->bits == 0) || (step != 0 && pixels->bits == 0))
    PsdFailureRecord(failure, "%s: attribute '" PSD_H5_BITS "' of /%s is %g, expected 8 or 16", path, name, bits);
  if (step == 0 || failure->failed) return;
  *pixels = (PsdPixels){pixels->bits, step, low, least, largest};
  if (!PsdPixelsAreLevels(pixels) || largest < least)
    PsdFailureRecord(failure,
                     "%s: '" PSD_H5_STEP "' and '" PSD_H5_LOW "' of /%s are %g and %g, expected a power of two and a "
                     "multiple of it, and '" PSD_H5_LEAST "' not above '" PSD_H5_LARGEST "'",
                     path, name, step, low);
}

/* ---------------------------------------------------------------- names */

/* Of variable length, as HDF5 has them in memory. */
static PetscBool ReadVariable(hid_t attribute, hid_t space, hid_t type, size_t count, size_t size, char texts[])
{
  char **strings = (char **)calloc(count, sizeof(*strings));
  const PetscBool good = (PetscBool)(strings && H5Aread(attribute, type, strings) >= 0);
  for (size_t k = 0; good && k < count; k++) (void)snprintf(texts + k * size, size, "%s", strings[k] ? strings[k] : "");
  if (good) (void)H5Dvlen_reclaim(type, space, H5P_DEFAULT, strings);
  free(strings);
  return good;
}

/* count texts, of whatever length in the file, in `size` bytes each. */
static PetscBool ReadTexts(hid_t attribute, hid_t space, hid_t of_file, size_t count, size_t size, char texts[])
{
  const PetscBool variable = (PetscBool)(H5Tis_variable_str(of_file) > 0);
  const hid_t type = H5Tcopy(H5T_C_S1);
  PetscBool good = (PetscBool)(type >= 0 && H5Tset_size(type, variable ? H5T_VARIABLE : size) >= 0 &&
                               H5Tset_cset(type, H5Tget_cset(of_file)) >= 0);
  if (good && variable) good = ReadVariable(attribute, space, type, count, size, texts);
  else if (good) good = (PetscBool)(H5Aread(attribute, type, texts) >= 0);
  if (type >= 0) (void)H5Tclose(type);
  return good;
}

PetscErrorCode PsdHdf5ReadNames(hid_t dataset, const char path[], const char name[], PetscInt most,
                                char (**names)[PSD_CLASS_NAME_LENGTH], PetscInt *count, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  *count = 0;
  if (failure->failed || H5Aexists(dataset, PSD_H5_NAMES) <= 0) PetscFunctionReturn(0);
  const hid_t attribute = H5Aopen(dataset, PSD_H5_NAMES, H5P_DEFAULT);
  const hid_t space = attribute < 0 ? -1 : H5Aget_space(attribute), type = attribute < 0 ? -1 : H5Aget_type(attribute);
  const hssize_t found = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
  if (found < 1 || type < 0 || H5Tget_class(type) != H5T_STRING)
    PsdFailureRecord(failure, "%s: attribute '" PSD_H5_NAMES "' of /%s is no list of texts", path, name);
  else if (found > most)
    PsdFailureRecord(failure,
                     "%s: attribute '" PSD_H5_NAMES "' of /%s has %lld texts, expected %" PetscInt_FMT " at most", path,
                     name, (long long)found, most);
  if (!failure->failed) {
    PetscCall(PetscCalloc1(found, names));
    *count = (PetscInt)found;
    if (!ReadTexts(attribute, space, type, (size_t)found, PSD_CLASS_NAME_LENGTH, (*names)[0]))
      PsdFailureRecord(failure, "%s: attribute '" PSD_H5_NAMES "' of /%s cannot be read", path, name);
    for (PetscInt k = 0; k < *count; k++) PsdTrimName((*names)[k]);
  }
  if (type >= 0) (void)H5Tclose(type);
  if (space >= 0) (void)H5Sclose(space);
  if (attribute >= 0) (void)H5Aclose(attribute);
  PetscFunctionReturn(0);
}
