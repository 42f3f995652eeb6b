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

#define LABEL_LENGTH 24

/* A network without names goes by its labels in digits. */
static PetscErrorCode SetClassesOf(PsdNetwork network, PsdData data)
{
  PetscFunctionBeginUser;
  PetscInt count;
  const PetscInt *labels;
  const char *const *names, **texts;
  char(*digits)[LABEL_LENGTH];
  PetscInt outputs;
  PsdPixels pixels;
  PetscCall(PsdNetworkGetPixels(network, &pixels));
  PetscCall(PsdDataSetPixels(data, &pixels));
  PetscCall(PsdNetworkGetOutputs(network, &outputs));
  PetscCall(PsdDataSetOutputs(data, outputs));
  if (outputs > 0) PetscFunctionReturn(0);
  PetscCall(PsdNetworkGetClasses(network, &count, &labels, NULL));
  PetscCall(PsdNetworkGetClassNames(network, &names));
  PetscCall(PetscMalloc2(count, &digits, count, &texts));
  for (PetscInt k = 0; k < count; k++) {
    PetscCall(PetscSNPrintf(digits[k], LABEL_LENGTH, "%" PetscInt_FMT, labels[k]));
    texts[k] = names ? names[k] : digits[k];
  }
  PetscCall(PsdDataSetClasses(data, count, labels));
  PetscCall(PsdDataSetClassNames(data, count, labels, texts));
  PetscCall(PetscFree2(digits, texts));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSetClassesOf(PsdData data, PsdData training)
{
  PetscFunctionBeginUser;
  PetscInt count, outputs;
  PsdPixels pixels;
  const PetscInt *labels;
  const char *const *names;
  PetscBool coarse;
  PetscCall(PsdDataGetTargets(training, &outputs, NULL));
  PetscCall(PsdDataGetClasses(training, &count, &labels, &names));
  PetscCall(PsdDataGetPixels(training, &pixels));
  PetscCall(PsdDataSetPixels(data, &pixels));
  PetscCall(PsdDataGetCoarse(training, &coarse));
  PetscCall(PsdDataSetOutputs(data, outputs));
  PetscCall(PsdDataSetCoarse(data, coarse));
  PetscCall(PsdDataSetClasses(data, count, labels));
  PetscCall(PsdDataSetClassNames(data, count, labels, names));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLoadDataOf(PsdNetwork network, PsdData data, PetscBool as_trained)
{
  PetscFunctionBeginUser;
  PsdTraining training;
  PetscCall(SetClassesOf(network, data));
  PetscCall(PsdNetworkGetTraining(network, &training));
  PetscCall(PsdDataSetMirror(data, (PetscBool)(as_trained && training.flip)));
  PetscCall(PsdDataSetShifts(data, as_trained ? PetscMax(1, training.shifts) : 1));
  PetscCall(PsdDataSetUp(data));
  PetscCall(PsdNetworkCheckData(network, data));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLoadModelAndData(const char model[], PsdData data, PetscBool as_trained, PsdNetwork *network)
{
  PetscFunctionBeginUser;
  PetscCall(PsdNetworkLoad(PETSC_COMM_WORLD, model, network));
  PetscCall(PsdLoadDataOf(*network, data, as_trained));
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
                        "-whiten, -patch_normalize, -pixel_shift, -activation, -precision\n",
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

void PsdCertificateWords(PetscReal primal, PetscReal bound, PetscReal gap, int digits, int gap_digits,
                         PsdCertificateText *text)
{
  (void)PsdDecimal(primal, digits, 'g', PSD_ROUND_UP, text->primal);
  (void)PsdDecimal(bound, digits, 'g', PSD_ROUND_DOWN, text->bound);
  (void)PsdDecimal(gap, gap_digits, 'e', PSD_ROUND_UP, text->gap);
}

const char *PsdFitName(PetscInt outputs)
{
  return outputs > 0 ? "R2      " : "accuracy";
}

const char *PsdFitText(PetscInt outputs, PetscReal fit, char text[PSD_FIT_LENGTH])
{
  if (outputs > 0) (void)snprintf(text, PSD_FIT_LENGTH, "%.6f", (double)fit);
  else (void)snprintf(text, PSD_FIT_LENGTH, "%.2f%%", 100 * (double)fit);
  return text;
}

PetscErrorCode PsdOptionCertificate(char path[PETSC_MAX_PATH_LEN])
{
  PetscFunctionBeginUser;
  PetscCall(PsdOptionPath("-certificate",
                          "file the bound's proof is written to (HDF5), for psdnet certify -certificate",
                          PSD_PATH_OUTPUT, PETSC_FALSE, path));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCertificateSave(PsdWitness witness, PsdProblem problem, const char path[])
{
  PetscFunctionBeginUser;
  PetscReal bound;
  char text[PSD_DECIMAL_LENGTH];
  PetscCall(PsdPhaseBegin(PSD_PHASE_WRITE));
  PetscCall(PsdWitnessSave(witness, problem, path));
  PetscCall(PsdPhaseEnd(PSD_PHASE_WRITE));
  PetscCall(PsdWitnessGetBound(witness, &bound));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "proof    %s   of the bound %s\n", path,
                        PsdDecimal(bound, 12, 'g', PSD_ROUND_DOWN, text)));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCropsFromOptions(PsdCrops *crops)
{
  PetscFunctionBeginUser;
  PetscInt count = 1;
  PetscCall(PsdOptionInt("-crops",
                         "images that scores are the mean of: 9 or 25, shifted by up to 1 or 2 pixels, or 2, 18 or 50 "
                         "with mirror images; 1 = off",
                         1, 50, &count, NULL));
  crops->mirrored = (PetscBool)(count % 2 == 0);
  const PetscInt shifts = crops->mirrored ? count / 2 : count;
  PsdCheckInput(shifts == 1 || shifts == 9 || shifts == 25,
                "option -crops: found %" PetscInt_FMT ", expected 1, 9 or 25, or 2, 18 or 50", count);
  crops->most = shifts == 25 ? 2 : shifts == 9 ? 1 : 0;
  PetscFunctionReturn(0);
}
