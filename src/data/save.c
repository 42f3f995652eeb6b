/*
   PsdDataSave: splits of a data set as an HDF5 file, which hdf5.c reads as the same images, bit by bit. A split is a group
   with images, labels or targets, and weights; what numbers of images mean, and names, are attributes (hdf5_attributes.h).
*/
#include "data.h"
#include "base/hdf5_parts.h"
#include "hdf5_attributes.h"
#include <string.h>

#define MOST_SPLITS 2
#define MOST_TEXT 60000 /* bytes that an attribute has room for */

static hid_t PixelType(const PsdPixels *pixels)
{
  return pixels->bits == 16 ? H5T_NATIVE_UINT16 : H5T_NATIVE_UINT8;
}

static void DescribePixels(PsdH5File array, const void *context, PsdFailure *failure)
{
  const PsdPixels *pixels = &((const struct _p_PsdData *)context)->pixels;
  const PetscInt planes = 1;
  PsdH5WriteAttribute(array, PSD_H5_PLANES, PSD_H5_INTEGER, 0, &planes, failure);
  if (pixels->bits == 16 || pixels->step > 0)
    PsdH5WriteAttribute(array, PSD_H5_BITS, PSD_H5_INTEGER, 0, &pixels->bits, failure);
  if (!(pixels->step > 0)) return;
  PsdH5WriteAttribute(array, PSD_H5_STEP, PSD_H5_REAL, 0, &pixels->step, failure);
  PsdH5WriteAttribute(array, PSD_H5_LOW, PSD_H5_REAL, 0, &pixels->low, failure);
  PsdH5WriteAttribute(array, PSD_H5_LEAST, PSD_H5_REAL, 0, &pixels->least, failure);
  PsdH5WriteAttribute(array, PSD_H5_LARGEST, PSD_H5_REAL, 0, &pixels->largest, failure);
}

/* Names of labels 0, 1, ... up to the largest; those of very large labels are left out. */
static void DescribeLabels(PsdH5File array, const void *context, PsdFailure *failure)
{
  const struct _p_PsdData *data = context;
  const char *names[PSD_MOST_NAMES];
  PetscInt count = 0;
  size_t longest = 1;
  for (PetscInt k = 0; k < data->class_count; k++) count = PetscMax(count, data->class_labels[k] + 1);
  if (!PsdDataHasClassNames((PsdData)context) || count > PSD_MOST_NAMES) return;
  for (PetscInt k = 0; k < count; k++) names[k] = "";
  for (PetscInt k = 0; k < data->class_count; k++) {
    names[data->class_labels[k]] = data->class_names[k];
    longest = PetscMax(longest, strlen(data->class_names[k]));
  }
  if (longest * (size_t)count <= MOST_TEXT) PsdH5WriteTexts(array, PSD_H5_NAMES, count, names, failure);
}

static void DescribeTargets(PsdH5File array, const void *context, PsdFailure *failure)
{
  const struct _p_PsdData *data = context;
  size_t longest = 1;
  if (!data->class_names) return;
  for (PetscInt k = 0; k < data->outputs; k++) longest = PetscMax(longest, strlen(data->class_names[k]));
  if (longest * (size_t)data->outputs <= MOST_TEXT)
    PsdH5WriteTexts(array, PSD_H5_NAMES, data->outputs, (const char *const *)data->class_names, failure);
}

/* Numbers of the arrays of one split. */
typedef struct {
  PetscInt images, labels, targets, weights; /* below 0: there is none */
} Arrays;

static PetscErrorCode AddSplit(PsdH5Parts *file, PsdData data, Arrays *it)
{
  PetscFunctionBeginUser;
  const hsize_t n = (hsize_t)data->n, outputs = (hsize_t)data->outputs;
  const char *split = PsdSplitNames[data->split];
  char name[64];
  *it = (Arrays){-1, -1, -1, -1};
  PetscCheck(data->ready && data->shifts == 1 && !data->mirror, data->comm, PETSC_ERR_ORDER,
             "Data sets are saved after PsdDataSetUp, without shifted and mirror images");
  PetscCall(PetscSNPrintf(name, sizeof(name), "%s/images", split));
  it->images = PsdH5PartsAdd(file, name, PixelType(&data->pixels), 4,
                             (const hsize_t[]){n, (hsize_t)data->channels, (hsize_t)data->height, (hsize_t)data->width},
                             DescribePixels, data);
  PetscCall(PetscSNPrintf(name, sizeof(name), "%s/%s", split, outputs > 0 ? "targets" : "labels"));
  if (outputs > 0)
    it->targets = PsdH5PartsAdd(file, name, H5T_NATIVE_DOUBLE, 2, (const hsize_t[]){n, outputs}, DescribeTargets, data);
  else if (!data->unlabelled)
    it->labels = PsdH5PartsAdd(file, name, H5T_NATIVE_INT32, 1, (const hsize_t[]){n}, DescribeLabels, data);
  if (!data->weights) PetscFunctionReturn(0); /* on all ranks, as each has an image */
  PetscCall(PetscSNPrintf(name, sizeof(name), "%s/weights", split));
  it->weights = PsdH5PartsAdd(file, name, H5T_NATIVE_DOUBLE, 1, (const hsize_t[]){n}, NULL, NULL);
  PetscFunctionReturn(0);
}

static PetscErrorCode PutLabels(PsdH5Parts *file, PsdData data, PetscInt array)
{
  PetscFunctionBeginUser;
  int32_t *labels;
  PetscCall(PetscMalloc1(data->n_local, &labels));
  for (PetscInt k = 0; k < data->n_local; k++) labels[k] = (int32_t)data->class_labels[data->classes[k]];
  PsdH5PartsPut(file, array, (uint64_t)data->first * sizeof(*labels), (size_t)data->n_local * sizeof(*labels), labels);
  PetscCall(PetscFree(labels));
  PetscFunctionReturn(0);
}

static PetscErrorCode PutSplit(PsdH5Parts *file, PsdData data, const Arrays *it)
{
  PetscFunctionBeginUser;
  const size_t n_local = (size_t)data->n_local, targets = (size_t)data->outputs * sizeof(PetscReal);
  size_t image;
  PetscCall(PsdDataGetImageBytes(data, &image));
  PsdH5PartsPut(file, it->images, (uint64_t)data->first * image, n_local * image, data->images);
  if (it->targets >= 0)
    PsdH5PartsPut(file, it->targets, (uint64_t)data->first * targets, n_local * targets, data->targets);
  if (it->labels >= 0) PetscCall(PutLabels(file, data, it->labels));
  if (it->weights >= 0)
    PsdH5PartsPut(file, it->weights, (uint64_t)data->first * sizeof(PetscReal),
                  (size_t)data->n_local * sizeof(PetscReal), data->weights);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSave(PetscInt count, const PsdData data[], const char path[])
{
  PetscFunctionBeginUser;
  PsdH5Parts file;
  Arrays arrays[MOST_SPLITS];
  PetscCheck(count >= 1 && count <= MOST_SPLITS, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "%" PetscInt_FMT " splits",
             count);
  PetscCall(PsdH5PartsCreate(data[0]->comm, path, &file));
  for (PetscInt k = 0; k < count; k++) PetscCall(AddSplit(&file, data[k], &arrays[k]));
  PetscCall(PsdH5PartsLayout(&file));
  for (PetscInt k = 0; k < count; k++) PetscCall(PutSplit(&file, data[k], &arrays[k]));
  PetscCall(PsdH5PartsCommit(&file));
  PetscFunctionReturn(0);
}
