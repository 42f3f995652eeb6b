/*
   What several subcommands do alike.
*/
#include "app.h"
#include <sys/resource.h>

PetscErrorCode PsdOptionsEnd(PetscBool *done)
{
  PetscFunctionBeginUser;
  PetscCall(PsdOptionsCheckUnknown());
  *done = PsdOptionsGetHelp();
  if (!*done) PetscCall(PsdPathsCheck(PETSC_COMM_WORLD, PsdDataReadsName));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdUseHeldOutPart(PsdData data)
{
  PetscFunctionBeginUser;
  PetscReal fraction = 0;
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-validation", &fraction, NULL));
  if (fraction > 0) PetscCall(PsdDataSetValidation(data, fraction, PSD_PART_VALIDATION));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLoadModelAndData(const char model[], PsdData data, PetscBool as_trained, PsdNetwork *network)
{
  PetscFunctionBeginUser;
  PsdTraining training;
  PetscInt count;
  const PetscInt *labels;
  PetscCall(PsdNetworkLoad(PETSC_COMM_WORLD, model, network));
  PetscCall(PsdNetworkGetClasses(*network, &count, &labels, NULL));
  PetscCall(PsdDataSetClasses(data, count, labels));
  PetscCall(PsdNetworkGetTraining(*network, &training));
  PetscCall(PsdDataSetMirror(data, (PetscBool)(as_trained && training.flip)));
  PetscCall(PsdDataSetUp(data));
  PetscCall(PsdNetworkCheckData(*network, data));
  PetscFunctionReturn(0);
}

/* What may be off without a word: less than digits that are looked at. */
#define KNOWN_WELL 1e-9

PetscErrorCode PsdWarnOfRounding(const PsdCertificate *certificate)
{
  PetscFunctionBeginUser;
  if (certificate->primal_error <= KNOWN_WELL * certificate->primal) PetscFunctionReturn(0);
  PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                        "warning  rounding: primal is known to %.1e only, as features are to %.1e of their size; see "
                        "-whiten, -patch_normalize, -pixel_shift, -activation\n",
                        (double)certificate->primal_error, (double)certificate->feature_error));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPeakMemory(PetscReal *megabytes)
{
  PetscFunctionBeginUser;
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  *megabytes = (PetscReal)usage.ru_maxrss / 1024;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, megabytes, 1, MPIU_REAL, MPI_MAX, PETSC_COMM_WORLD));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCropsFromOptions(PetscInt *shift)
{
  PetscFunctionBeginUser;
  PetscInt crops = 1;
  PetscCall(PsdOptionInt("-crops",
                         "images that scores are the mean of: 9 or 25, shifted by up to 1 or 2 pixels; 1 = off", 1, 25,
                         &crops, NULL));
  PsdCheckInput(crops == 1 || crops == 9 || crops == 25, "option -crops: found %" PetscInt_FMT ", expected 1, 9 or 25",
                crops);
  *shift = crops == 25 ? 2 : crops == 9 ? 1 : 0;
  PetscFunctionReturn(0);
}
