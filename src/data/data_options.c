/*
   The options of a data set.
*/
#include "data.h"

static PetscErrorCode SetPathFromOptions(PsdData data)
{
  PetscFunctionBeginUser;
  char path[PETSC_MAX_PATH_LEN], formats[PSD_FORMATS_LENGTH], text[PSD_FORMATS_LENGTH + 64];
  PsdFormatsDescribe(formats);
  PetscCall(PetscSNPrintf(text, sizeof(text), "directory of images (%s), or an HDF5 or .npz file", formats));
  PetscCall(PsdOptionPath("-data", text, PSD_PATH_INPUT, PETSC_FALSE, path));
  if (path[0]) PetscCall(PsdDataSetPath(data, path));
  PetscFunctionReturn(0);
}

static PetscErrorCode SetResizeFromOptions(PsdData data)
{
  PetscFunctionBeginUser;
  PetscInt sides[] = {data->resized_height, data->resized_width}, count = 2;
  PetscBool set = PETSC_FALSE;
  PetscCall(PsdOptionIntList("-resize", "height and width that pictures are averaged to (default: as they are)", 'x', 1,
                             PSD_MAX_IMAGE_SIDE, sides, &count, &set));
  if (set) PetscCall(PsdDataSetResize(data, sides[0], count > 1 ? sides[1] : sides[0]));
  PetscFunctionReturn(0);
}

static PetscErrorCode SetClassesFromOptions(PsdData data)
{
  PetscFunctionBeginUser;
  PetscInt labels[PSD_MAX_CLASSES], count = PSD_MAX_CLASSES;
  PetscBool set = PETSC_FALSE;
  PetscCall(PsdOptionIntList("-classes", "labels to use, in the order of the classes (default: every label found)", ',',
                             0, PETSC_MAX_INT, labels, &count, &set));
  if (!set) PetscFunctionReturn(0);
  if (data->purpose != PSD_TO_TRAIN) {
    PetscCall(PetscFree(data->kept_labels));
    PetscCall(PetscMalloc1(count, &data->kept_labels));
    PetscCall(PetscArraycpy(data->kept_labels, labels, count));
    data->kept_count = count;
    PetscFunctionReturn(0);
  }
  PsdCheckInput(count > 1, "-classes: %" PetscInt_FMT " labels, expected two or more", count);
  PetscCall(PsdDataSetClasses(data, count, labels));
  data->classes_from_option = PETSC_TRUE;
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadOptions(PsdData data)
{
  PetscFunctionBeginUser;
  static const char *const labels[] = {"fine", "coarse", NULL};
  PetscInt split = data->split, limit = data->limit, coarse = data->coarse, levels = data->levels;
  PetscReal fraction = data->validation;
  PetscBool set;
  PetscCall(PsdOptionsHeading("Data"));
  PetscCall(SetPathFromOptions(data));
  PetscCall(PsdOptionEnum("-split", "which images of the data set", PsdSplitNames, &split, NULL));
  PetscCall(PsdDataSetSplit(data, (PsdSplit)split));
  PetscCall(PsdOptionEnum("-labels", "which labels of CIFAR-100", labels, &coarse, NULL));
  PetscCall(PsdDataSetCoarse(data, (PetscBool)(coarse != 0)));
  PetscCall(SetClassesFromOptions(data));
  PetscCall(PsdOptionInt("-limit", "use the first so many images of the classes (default: all)", 1, PETSC_MAX_INT,
                         &limit, NULL));
  PetscCall(PsdDataSetLimit(data, limit));
  PetscCall(SetResizeFromOptions(data));
  PetscCall(PsdOptionInt("-levels", "of images of real numbers, levels that they are rounded to, at most",
                         PSD_LEAST_LEVELS, PSD_MOST_LEVELS, &levels, NULL));
  PetscCall(PsdDataSetLevels(data, levels));
  set = PETSC_FALSE;
  PetscCall(PsdOptionReal("-validation", "hold out the last fraction of the images, 0 <= fraction < 1",
                          (PsdRange){0, 1, PETSC_FALSE}, &fraction, &set));
  if (set) PetscCall(PsdDataSetValidation(data, fraction, PSD_PART_TRAIN));
  if (data->purpose != PSD_TO_PREDICT) PetscCall(PsdDataSetWeightsFromOptions(data));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSetFromOptions(PsdData data)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PsdCallWithPrefix(data->prefix, ReadOptions(data));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSetOptionsPrefix(PsdData data, const char prefix[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PetscCall(PsdOptionsKeepPrefix(prefix, &data->prefix));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdOptionShifts(PetscInt *shifts)
{
  PetscFunctionBeginUser;
  PetscCall(PsdOptionInt("-shifts", "images as so many samples: 5 or 9, shifted by 0 or 2 pixels; 1 = themselves", 1, 9,
                         shifts, NULL));
  PsdCheckInput(*shifts == 1 || *shifts == 5 || *shifts == 9,
                "option -shifts: found %" PetscInt_FMT ", expected 1, 5 or 9", *shifts);
  PetscFunctionReturn(0);
}
