/*
   psdnet export: a network for other programs, as ONNX or as NumPy's arrays. The files are made in Python.
*/
#include "app.h"

PetscErrorCode PsdRunExport(const PsdInvocation *invocation, int *exit_status)
{
  PetscFunctionBeginUser;
  (void)invocation, (void)exit_status;
  char model[PETSC_MAX_PATH_LEN], onnx[PETSC_MAX_PATH_LEN], arrays[PETSC_MAX_PATH_LEN] = "";
  const char *words[8] = {"export", "-model", model};
  PetscInt count = 3;
  PetscBool done, in_double = PETSC_FALSE;
  PetscCall(PsdOptionsHeading("Model and output"));
  PetscCall(
      PsdOptionPath("-model", "file a network was written to by psdnet train", PSD_PATH_INPUT, PETSC_TRUE, model));
  PetscCall(PsdOptionPath("-onnx", "file the network is written to as ONNX", PSD_PATH_OUTPUT, PETSC_FALSE, onnx));
  PetscCall(PsdOptionBool("-double", "ONNX in double precision", &in_double, NULL));
  PetscCall(
      PsdOptionString("-numpy", "directory the network is written to as .npy files", arrays, sizeof(arrays), NULL));
  PetscCall(PsdOptionsEnd(&done));
  if (done) PetscFunctionReturn(0);
  PsdCheckInput(onnx[0] || arrays[0], "export: found neither -onnx nor -numpy, expected what to write");
  if (onnx[0]) words[count++] = "-onnx", words[count++] = onnx;
  if (onnx[0] && in_double) words[count++] = "-double";
  if (arrays[0]) words[count++] = "-numpy", words[count++] = arrays;
  PetscCall(PsdPythonLater(count, words));
  PetscFunctionReturn(0);
}
