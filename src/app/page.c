/*
   psdnet report: a run as one page of HTML, of the files that it has written. They are told apart by what is in them
   (src/python/psdnet/inputs.py), and the page is made in Python.
*/
#include "app.h"

PetscErrorCode PsdRunReport(const PsdInvocation *invocation, int *exit_status)
{
  PetscFunctionBeginUser;
  (void)exit_status;
  char output[PETSC_MAX_PATH_LEN];
  const char **words;
  const PetscInt files = invocation->arguments;
  PetscBool done;
  PetscCall(PsdOptionsHeading("Output"));
  PetscCall(PsdOptionPath("-output", "file the page is written to (HTML)", PSD_PATH_OUTPUT, PETSC_TRUE, output));
  for (PetscInt k = 0; k < files; k++) PetscCall(PsdPathDeclare("report", invocation->argument[k], PSD_PATH_INPUT));
  PetscCall(PsdOptionsEnd(&done));
  if (done) PetscFunctionReturn(0);
  PsdCheckInput(files > 0,
                "report: found no files, expected a model, or what train, path, evaluate and plan have written");
  PetscCall(PetscMalloc1(files + 3, &words));
  words[0] = "report";
  for (PetscInt k = 0; k < files; k++) words[k + 1] = invocation->argument[k];
  words[files + 1] = "-output";
  words[files + 2] = output;
  PetscCall(PsdPythonLater(files + 3, words));
  PetscCall(PetscFree(words));
  PetscFunctionReturn(0);
}
