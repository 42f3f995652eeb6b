/*
   PsdDataSetUp: look at what there is, choose images, read them; each step agreed upon by all ranks before the next.
*/
#include "data.h"
#include <stdlib.h>

static PetscErrorCode SelectAndRead(PsdData data, PsdSource *source)
{
  PetscFunctionBeginUser;
  PetscInt *labels = NULL;
  PetscReal *weights = NULL;
  PsdSelection selection = {0, NULL};
  /* what a user's mistake leaves behind is freed here, so the code is kept until that is done */
  PetscErrorCode ierr = source->unlabelled ? 0 : (*data->origin->read_labels)(data, source, &labels);
  if (!ierr) ierr = PsdDataReadWeights(data, source, &weights);
  if (!ierr) ierr = PsdDataSelect(data, labels, weights, source->n, &selection);
  free(labels);
  free(weights);
  if (!ierr) ierr = (*data->origin->read_shard)(data, source, &selection);
  free(selection.positions);
  PetscCall(ierr);
  PetscFunctionReturn(0);
}

/* As the network calls it, as the data set does, or its digits. */
static const char *NameOf(PsdData data, const PsdSource *source, PetscInt label, const char digits[])
{
  for (PetscInt k = 0; k < data->known.count; k++)
    if (data->known.labels[k] == label) return data->known.names[k];
  return label < source->name_count && source->names[label][0] ? source->names[label] : digits;
}

static PetscErrorCode NameOutputs(PsdData data, const PsdSource *source)
{
  PetscFunctionBeginUser;
  if (source->name_count != data->outputs) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1(data->outputs, &data->class_names));
  for (PetscInt k = 0; k < data->outputs; k++) PetscCall(PetscStrallocpy(source->names[k], &data->class_names[k]));
  PetscFunctionReturn(0);
}

static PetscErrorCode NameClasses(PsdData data, const PsdSource *source)
{
  PetscFunctionBeginUser;
  if (data->outputs > 0) {
    PetscCall(NameOutputs(data, source));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscCalloc1(data->class_count, &data->class_names));
  for (PetscInt k = 0; k < data->class_count; k++) {
    const PetscInt label = data->class_labels[k];
    char digits[PSD_CLASS_NAME_LENGTH];
    PetscCall(PetscSNPrintf(digits, sizeof(digits), "%" PetscInt_FMT, label));
    PetscCall(PetscStrallocpy(NameOf(data, source, label, digits), &data->class_names[k]));
  }
  PetscFunctionReturn(0);
}

/* Labels or targets, as the network that is applied has them, if there is one; predictions look at neither where they
   are of the other kind. */
static PetscErrorCode SettleTargets(PsdData data, PsdSource *source)
{
  PetscFunctionBeginUser;
  const PetscInt found = source->outputs, wanted = data->wanted_outputs;
  const PetscBool predicts = (PetscBool)(data->purpose == PSD_TO_PREDICT);
  if (predicts && (wanted > 0 || (found > 0 && data->class_count > 0))) {
    source->unlabelled = PETSC_TRUE;
    source->outputs = 0;
    PetscFunctionReturn(0);
  }
  PsdCheckInput(wanted == 0 || wanted == found,
                "%s%s: has %" PetscInt_FMT " targets of an image, expected %" PetscInt_FMT
                " as the network has outputs",
                PsdDataOption(data), PsdDataName(data), found, wanted);
  PsdCheckInput(found == 0 || wanted > 0 || data->class_count == 0,
                "%s%s: images have targets and no labels, expected labels for classes", PsdDataOption(data),
                PsdDataName(data));
  PetscFunctionReturn(0);
}

/* What images of real numbers are that are not as in their files: in a line where the levels were chosen here, and where
   they are a network's a warning, as others were then trained on. */
static PetscErrorCode TellOfLevels(PsdData data, const PsdSource *source)
{
  PetscFunctionBeginUser;
  const PsdPixels *p = &data->pixels;
  PetscInt64 counts[2] = {source->tally.rounded, source->tally.clipped};
  if (!(p->step > 0)) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, counts, 2, MPIU_INT64, MPI_SUM, data->comm));
  if (counts[0] > 0 && data->path[0] && !(data->wanted_pixels.step > 0)) /* of arrays a program asks for the pixels */
    PetscCall(PetscPrintf(data->comm,
                          "levels   %" PetscInt64_FMT " numbers are rounded to steps of %g, by %g at most\n", counts[0],
                          (double)p->step, (double)p->step / 2));
  if (counts[1] > 0)
    PetscCall(PetscFPrintf(data->comm, stderr,
                           "psdnet: warning: %s%s: %" PetscInt64_FMT
                           " numbers are clipped to %g .. %g, where the levels are\n",
                           PsdDataOption(data), PsdDataName(data), counts[1], (double)p->low,
                           (double)(p->low + p->step * (p->bits == 16 ? UINT16_MAX : UINT8_MAX))));
  PetscFunctionReturn(0);
}

static PetscErrorCode Read(PsdData data, PsdSource *source)
{
  PetscFunctionBeginUser;
  PetscCall((*data->origin->inspect)(data, source));
  PetscCall(SettleTargets(data, source));
  PsdCheckInput(!source->unlabelled || source->outputs > 0 || data->purpose >= PSD_TO_PREDICT,
                "%s%s: found no %s, which only images to be predicted can do without", PsdDataOption(data),
                PsdDataName(data), source->format ? source->format->labels : "labels");
  data->unlabelled = source->unlabelled;
  data->outputs = source->outputs;
  data->channels = source->channels;
  data->height = source->height;
  data->width = source->width;
  data->pixels = source->pixels;
  PetscCall(SelectAndRead(data, source));
  PetscCall(TellOfLevels(data, source));
  if (data->shifts > 1) PetscCall(PsdDataAddShifts(data));
  if (data->mirror) PetscCall(PsdDataAddMirrors(data));
  PetscCall(NameClasses(data, source));
  data->ready = PETSC_TRUE;
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckOrigin(PsdData data)
{
  PetscFunctionBeginUser;
  char formats[PSD_FORMATS_LENGTH];
  PsdFormatsDescribe(formats);
  PsdCheckInput(data->origin, "option -data is missing: expected a directory of images (%s)", formats);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSetUp(PsdData data)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PsdSource source = {.format = NULL};
  if (data->ready) PetscFunctionReturn(0);
  PetscCall(CheckOrigin(data));
  PetscCall(PsdPhaseBegin(PSD_PHASE_READ));
  const PetscErrorCode ierr = Read(data, &source);
  PetscCall(PsdSourceDestroy(&source));
  if (ierr) PetscCall(PsdDataReset(data));
  else PetscCall(PsdArraysDestroy(&data->arrays));
  PetscCall(PsdPhaseEnd(PSD_PHASE_READ));
  PetscCall(ierr);
  PetscFunctionReturn(0);
}
