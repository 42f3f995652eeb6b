/*
   psdnet convert: a data set, whatever it is in, as one HDF5 file: training images and, where there are some, test images,
   or the split of -split alone.
*/
#include "app.h"

/* One split, read. Of test images the pixels are held as those of training are. */
static PetscErrorCode ReadSplit(PsdSplit split, PsdData training, PsdData *data)
{
  PetscFunctionBeginUser;
  PsdPixels pixels;
  PetscInt n;
  PetscCall(PsdDataCreate(PETSC_COMM_WORLD, data));
  PetscCall(PsdDataSetPurpose(*data, PSD_TO_SAVE));
  PetscCall(PsdDataSetFromOptions(*data));
  PetscCall(PsdDataSetSplit(*data, split));
  if (training) {
    PetscCall(PsdDataGetPixels(training, &pixels));
    PetscCall(PsdDataSetPixels(*data, &pixels));
  }
  PetscCall(PsdDataSetUp(*data));
  PetscCall(PsdDataGetSizes(*data, &n, NULL, NULL));
  PetscCall(
      PetscPrintf(PETSC_COMM_WORLD, "%-8s %" PetscInt_FMT " images\n", split == PSD_SPLIT_TRAIN ? "train" : "test", n));
  PetscFunctionReturn(0);
}

/* Which splits: that of -split, or those there are. */
static PetscErrorCode FindSplits(PsdData data, PetscInt *count, PsdSplit splits[2])
{
  PetscFunctionBeginUser;
  char word[16];
  PetscBool given, has;
  PetscCall(PetscOptionsGetString(NULL, NULL, "-split", word, sizeof(word), &given));
  *count = 1;
  splits[0] = given && word[0] == 't' && word[1] == 'e' ? PSD_SPLIT_TEST : PSD_SPLIT_TRAIN;
  if (given) PetscFunctionReturn(0);
  PetscCall(PsdDataHasSplit(data, PSD_SPLIT_TEST, &has));
  if (has) splits[(*count)++] = PSD_SPLIT_TEST;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdRunConvert(const PsdInvocation *invocation, int *exit_status)
{
  PetscFunctionBeginUser;
  char output[PETSC_MAX_PATH_LEN];
  PsdData asked, data[2] = {NULL, NULL};
  PsdSplit splits[2];
  PetscInt count;
  PetscBool done, held_out;
  (void)invocation, (void)exit_status;
  PetscCall(PsdDataCreate(PETSC_COMM_WORLD, &asked));
  PetscCall(PsdDataSetPurpose(asked, PSD_TO_SAVE));
  PetscCall(PsdDataSetFromOptions(asked));
  PetscCall(PsdOptionsHeading("Output"));
  PetscCall(PsdOptionPath("-output", "file the images are written to (HDF5)", PSD_PATH_OUTPUT, PETSC_TRUE, output));
  PetscCall(PsdOptionsEnd(&done));
  if (!done) {
    PetscCall(PetscOptionsHasName(NULL, NULL, "-validation", &held_out));
    PsdCheckInput(!held_out, "option -validation: all images are converted, and held out when they are used");
    PetscCall(FindSplits(asked, &count, splits));
    for (PetscInt k = 0; k < count; k++) PetscCall(ReadSplit(splits[k], k ? data[0] : NULL, &data[k]));
    PetscCall(PsdPhaseBegin(PSD_PHASE_WRITE));
    PetscCall(PsdDataSave(count, data, output));
    PetscCall(PsdPhaseEnd(PSD_PHASE_WRITE));
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "written  %s\n", output));
  }
  for (PetscInt k = 0; k < 2; k++) PetscCall(PsdDataDestroy(&data[k]));
  PetscCall(PsdDataDestroy(&asked));
  PetscFunctionReturn(0);
}
