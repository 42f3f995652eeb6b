/*
   What a data set is, in a few lines.
*/
#include "data.h"
#include <petscviewer.h>

#define CLASSES_SHOWN 20

static PetscErrorCode ViewClasses(PsdData data, PetscViewer viewer)
{
  PetscFunctionBeginUser;
  PetscInt *counts;
  PetscCall(PetscCalloc1(data->class_count, &counts));
  for (PetscInt k = 0; k < data->n_local; k++) counts[data->classes[k]]++;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, counts, (PetscMPIInt)data->class_count, MPIU_INT, MPI_SUM, data->comm));
  PetscCall(PetscViewerASCIIPrintf(viewer, "  images per class:"));
  PetscCall(PetscViewerASCIIUseTabs(viewer, PETSC_FALSE));
  for (PetscInt k = 0; k < PetscMin(data->class_count, CLASSES_SHOWN); k++)
    PetscCall(PetscViewerASCIIPrintf(viewer, "%s %s %" PetscInt_FMT, k ? "," : "", data->class_names[k], counts[k]));
  if (data->class_count > CLASSES_SHOWN)
    PetscCall(
        PetscViewerASCIIPrintf(viewer, ", and %" PetscInt_FMT " classes more", data->class_count - CLASSES_SHOWN));
  PetscCall(PetscViewerASCIIPrintf(viewer, "\n"));
  PetscCall(PetscViewerASCIIUseTabs(viewer, PETSC_TRUE));
  PetscCall(PetscFree(counts));
  PetscFunctionReturn(0);
}

/* The smallest and the largest of each output. */
static PetscErrorCode ViewTargets(PsdData data, PetscViewer viewer)
{
  PetscFunctionBeginUser;
  const PetscInt outputs = data->outputs, shown = PetscMin(outputs, CLASSES_SHOWN);
  PetscReal most[CLASSES_SHOWN], least[CLASSES_SHOWN]; /* the latter times -1 */
  for (PetscInt t = 0; t < shown; t++) most[t] = least[t] = PETSC_MIN_REAL;
  for (PetscInt k = 0; k < data->n_local; k++)
    for (PetscInt t = 0; t < shown; t++) {
      const PetscReal target = data->targets[(size_t)k * (size_t)outputs + (size_t)t];
      most[t] = PetscMax(most[t], target);
      least[t] = PetscMax(least[t], -target);
    }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, most, (PetscMPIInt)shown, MPIU_REAL, MPI_MAX, data->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, least, (PetscMPIInt)shown, MPIU_REAL, MPI_MAX, data->comm));
  PetscCall(PetscViewerASCIIPrintf(viewer, "  targets of an image: %" PetscInt_FMT "\n", outputs));
  for (PetscInt t = 0; t < shown; t++)
    PetscCall(PetscViewerASCIIPrintf(viewer, "  target %" PetscInt_FMT "%s%s%s: %g to %g\n", t,
                                     data->class_names ? " (" : "", data->class_names ? data->class_names[t] : "",
                                     data->class_names ? ")" : "", (double)-least[t], (double)most[t]));
  if (outputs > shown)
    PetscCall(PetscViewerASCIIPrintf(viewer, "  and %" PetscInt_FMT " targets more\n", outputs - shown));
  PetscFunctionReturn(0);
}

/* The least, the largest and the sum. */
static PetscErrorCode ViewWeights(PsdData data, PetscViewer viewer)
{
  PetscFunctionBeginUser;
  PetscReal most[2] = {PETSC_MIN_REAL, PETSC_MIN_REAL}, sum = 0; /* the second is of the weights times -1 */
  for (PetscInt k = 0; k < data->n_local; k++) {
    const PetscReal weight = data->weights ? data->weights[k] : 1;
    most[0] = PetscMax(most[0], weight);
    most[1] = PetscMax(most[1], -weight);
    sum += weight;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, most, 2, MPIU_REAL, MPI_MAX, data->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPIU_REAL, MPI_SUM, data->comm));
  if (most[0] == 1 && most[1] == -1) PetscFunctionReturn(0);
  PetscCall(PetscViewerASCIIPrintf(viewer, "  weights of images above 0: %g to %g, %g in all\n", (double)-most[1],
                                   (double)most[0], (double)sum));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataView(PsdData data, PetscViewer viewer)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PetscCheck(data->ready, PETSC_COMM_SELF, PETSC_ERR_ORDER, "PsdDataSetUp was not called");
  PetscCall(PetscViewerASCIIPrintf(viewer, "Data: %s (format %s, split %s)\n", PsdDataName(data), data->format,
                                   PsdSplitNames[data->split]));
  PetscCall(PetscViewerASCIIPrintf(viewer,
                                   "  %" PetscInt_FMT " images of %" PetscInt_FMT " x %" PetscInt_FMT
                                   " x %" PetscInt_FMT " (channels, height, width)%s\n",
                                   data->n, data->channels, data->height, data->width,
                                   data->pixels.bits == 16 ? ", 16 bits a pixel" : ""));
  if (data->pixels.step > 0)
    PetscCall(PetscViewerASCIIPrintf(viewer, "  real numbers of %g to %g, held in steps of %g\n",
                                     (double)data->pixels.least, (double)data->pixels.largest,
                                     (double)data->pixels.step));
  if (data->outputs > 0) PetscCall(ViewTargets(data, viewer));
  else if (data->unlabelled) PetscCall(PetscViewerASCIIPrintf(viewer, "  without labels\n"));
  else PetscCall(ViewClasses(data, viewer));
  PetscCall(ViewWeights(data, viewer));
  PetscFunctionReturn(0);
}
