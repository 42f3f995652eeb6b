/*
   A data set is created, read and destroyed; what was read of it is looked at, so that a part that was left unwritten shows.
*/
#include "read_data.h"
#include <psddata.h>

static PetscErrorCode Choose(PsdData data, const char path[])
{
  PetscFunctionBeginUser;
  static const PetscInt of_network[] = {0, 1, 2};
  PetscBool predict, mirror;
  PetscCall(PetscOptionsHasName(NULL, NULL, "-predict", &predict));
  PetscCall(PetscOptionsHasName(NULL, NULL, "-mirror", &mirror));
  if (predict) PetscCall(PsdDataSetPurpose(data, PSD_TO_PREDICT));
  if (predict) PetscCall(PsdDataSetClasses(data, 3, of_network));
  PetscCall(PsdDataSetMirror(data, mirror));
  PetscCall(PsdDataSetFromOptions(data));
  PetscCall(PsdDataSetPath(data, path));
  PetscFunctionReturn(0);
}

static PetscErrorCode Look(PsdData data)
{
  PetscFunctionBeginUser;
  PetscInt n, classes, channels, height, width;
  const PetscInt *labels, *class;
  const unsigned char *images;
  const char *const *names;
  const PetscReal *targets;
  size_t bytes;
  PetscInt outputs;
  PetscCall(PsdDataGetSizes(data, &n, NULL, NULL));
  PetscCall(PsdDataGetImageSize(data, &channels, &height, &width));
  PetscCall(PsdDataGetClasses(data, &classes, &labels, &names));
  PetscCall(PsdDataGetShard(data, &images, &class, NULL));
  PetscCall(PsdDataGetTargets(data, &outputs, &targets));
  FuzzRequire(n > 0 && (outputs > 0 || (classes > 0 && names[classes - 1][0])), "a data set without images or names");
  PetscCall(PsdDataGetImageBytes(data, &bytes));
  FuzzRequire(bytes / ((size_t)channels * (size_t)height * (size_t)width) <= 2, "bytes of a pixel");
  bytes *= (size_t)n;
  unsigned sum = 0;
  for (size_t k = 0; k < bytes; k++) sum += images[k];
  FuzzRequire(sum <= 255 * bytes, "pixels");
  for (PetscInt k = 0; k < n * outputs; k++) FuzzRequire(!PetscIsInfOrNanReal(targets[k]), "a target is not finite");
  for (PetscInt k = 0; k < n && outputs == 0; k++)
    FuzzRequire(class[k] >= 0 && class[k] < classes, "an image of no class");
  PetscFunctionReturn(0);
}

PetscErrorCode FuzzReadData(const char path[], const FuzzPart *options)
{
  PetscFunctionBeginUser;
  PsdData data;
  FuzzTakeOptions(options);
  PetscCall(PsdDataCreate(PETSC_COMM_WORLD, &data));
  PetscErrorCode code = Choose(data, path);
  if (!code) code = PsdDataSetUp(data);
  if (!code) code = Look(data);
  PetscCall(PsdDataDestroy(&data));
  FuzzForgetOptions();
  PsdPathsForget();
  PetscFunctionReturn(code);
}
