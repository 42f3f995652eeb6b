/*
   Which images are used: those of the chosen classes that have a weight, then the first -limit of them, then the part
   that -validation leaves or holds out. Every rank holds the labels of all images of the split and comes to the same selection, so that
   every check here is known alike on all ranks.
*/
#include "data.h"
#include <stdlib.h>

void PsdDataSplitEvenly(PetscInt n, PetscMPIInt size, PetscMPIInt rank, PetscInt *first, PetscInt *count)
{
  *first = (PetscInt)((PetscInt64)n * rank / size);
  *count = (PetscInt)((PetscInt64)n * (rank + 1) / size) - *first;
}

/* Labels in ascending order, and the class that each stands for. */
typedef struct {
  PetscInt count;
  PetscInt labels[PSD_MAX_CLASSES], classes[PSD_MAX_CLASSES];
  PetscBool kept[PSD_MAX_CLASSES];  /* whether images of that label are */
  PetscInt counts[PSD_MAX_CLASSES]; /* by class: its images that are selected, before -validation divides them */
} ClassTable;

static PetscErrorCode ClassTableFill(PetscInt count, const PetscInt labels[], ClassTable *table)
{
  PetscFunctionBeginUser;
  table->count = count;
  for (PetscInt k = 0; k < count; k++) {
    table->labels[k] = labels[k];
    table->classes[k] = k;
    table->kept[k] = PETSC_TRUE;
  }
  PetscCall(PetscSortIntWithArray(count, table->labels, table->classes));
  PetscFunctionReturn(0);
}

/* place: in the table, negative when the label is not in it */
static PetscErrorCode ClassTableFind(const ClassTable *table, PetscInt label, PetscInt *place)
{
  return PetscFindInt(label, table->count, table->labels, place);
}

/* Adds a label where PetscFindInt says that it belongs. */
static void ClassTableInsert(ClassTable *table, PetscInt label, PetscInt place)
{
  for (PetscInt k = table->count++; k > place; k--) table->labels[k] = table->labels[k - 1];
  table->labels[place] = label;
}

/* ---------------------------------------------------------------- classes */

static PetscErrorCode FindRepresentatives(PsdData data, const PetscInt labels[], PetscInt n, ClassTable *table)
{
  PetscFunctionBeginUser;
  table->count = 0;
  for (PetscInt k = 0, place; k < n; k++) {
    if (k && labels[k] == labels[k - 1]) continue;
    PetscCall(ClassTableFind(table, labels[k], &place));
    if (place >= 0) continue;
    PsdCheckInput(table->count < PSD_MAX_CLASSES, "%s%s: more than %d different labels; choose with -classes",
                  PsdDataOption(data), PsdDataName(data), PSD_MAX_CLASSES);
    ClassTableInsert(table, labels[k], -place - 1);
  }
  PetscFunctionReturn(0);
}

/* To evaluate or to predict: those of the network's classes that were asked for. */
static PetscErrorCode KeepSome(PsdData data, ClassTable *table)
{
  PetscFunctionBeginUser;
  if (!data->kept_count) PetscFunctionReturn(0);
  for (PetscInt k = 0; k < table->count; k++) table->kept[k] = PETSC_FALSE;
  for (PetscInt k = 0, place; k < data->kept_count; k++) {
    PetscCall(ClassTableFind(table, data->kept_labels[k], &place));
    PsdCheckInput(place >= 0, "-classes: label %" PetscInt_FMT " is none of the %" PetscInt_FMT " that are known",
                  data->kept_labels[k], table->count);
    table->kept[place] = PETSC_TRUE;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode SettleClasses(PsdData data, const PetscInt labels[], PetscInt n, ClassTable *table)
{
  PetscFunctionBeginUser;
  if (!data->class_count) {
    PetscCall(FindRepresentatives(data, labels, n, table));
    data->classes_found = PETSC_TRUE;
    data->class_count = table->count;
    PetscCall(PetscFree(data->class_labels));
    PetscCall(PetscMalloc1(table->count, &data->class_labels));
    PetscCall(PetscArraycpy(data->class_labels, table->labels, table->count));
  }
  PsdCheckInput(data->class_count > 1 || data->purpose != PSD_TO_TRAIN,
                "%s%s: every image has label %" PetscInt_FMT ", expected two labels or more", PsdDataOption(data),
                PsdDataName(data), data->class_labels[0]);
  PetscCall(ClassTableFill(data->class_count, data->class_labels, table));
  PetscCall(KeepSome(data, table));
  PetscFunctionReturn(0);
}

/* What the user asked for in -classes must occur; what a program asks for, say because a model knows it, need not. */
static PetscErrorCode CheckOptionLabels(PsdData data, const PetscInt labels[], PetscInt n)
{
  PetscFunctionBeginUser;
  const PetscInt count = data->kept_count ? data->kept_count : data->classes_from_option ? data->class_count : 0;
  const PetscInt *asked = data->kept_count ? data->kept_labels : data->class_labels;
  for (PetscInt t = 0; t < count; t++) {
    PetscInt k = 0;
    while (k < n && labels[k] != asked[t]) k++;
    PsdCheckInput(k < n, "-classes: no image of split %s in %s has label %" PetscInt_FMT, PsdSplitNames[data->split],
                  PsdDataName(data), asked[t]);
  }
  PetscFunctionReturn(0);
}

/* Training needs images of every class. */
static PetscErrorCode CheckNoClassEmpty(PsdData data, const PetscInt labels[], const ClassTable *table,
                                        const PsdSelection *selection)
{
  PetscFunctionBeginUser;
  if (data->purpose != PSD_TO_TRAIN || data->split != PSD_SPLIT_TRAIN || data->part == PSD_PART_VALIDATION)
    PetscFunctionReturn(0);
  PetscBool seen[PSD_MAX_CLASSES] = {PETSC_FALSE};
  for (PetscInt k = 0, place; k < selection->n; k++) {
    PetscCall(ClassTableFind(table, labels[selection->positions[k]], &place));
    seen[place] = PETSC_TRUE;
  }
  for (PetscInt k = 0; k < table->count; k++)
    PsdCheckInput(seen[k],
                  "%s%s: none of the %" PetscInt_FMT " images selected has label %" PetscInt_FMT
                  " (see %s-limit, -validation)",
                  PsdDataOption(data), PsdDataName(data), selection->n, table->labels[k],
                  data->classes_found || data->classes_from_option ? "-classes, " : "");
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- images */

static PetscErrorCode SelectByClass(PsdData data, const PetscInt labels[], const PetscReal weights[], PetscInt n,
                                    ClassTable *table, PsdSelection *selection)
{
  PetscFunctionBeginUser;
  PsdFailure failure = {.failed = PETSC_FALSE};
  const PetscInt limit = data->limit ? data->limit : n;
  selection->positions = (PetscInt *)PsdAllocate((size_t)n, sizeof(PetscInt), "selection", &failure);
  PetscCall(PsdFailureAgree(data->comm, &failure));
  selection->n = 0;
  for (PetscInt k = 0, place = 0; k < n && selection->n < limit; k++) {
    if (weights && weights[k] == 0) continue;
    if (labels) PetscCall(ClassTableFind(table, labels[k], &place));
    if (labels && !(place >= 0 && table->kept[place])) continue;
    if (labels) table->counts[table->classes[place]]++;
    selection->positions[selection->n++] = k;
  }
  PetscFunctionReturn(0);
}

/* Roundoff must not make 0.29 of 100 images 28. */
static PetscInt ValidationCount(PetscInt n, PetscReal fraction)
{
  return (PetscInt)PetscFloorReal(fraction * (PetscReal)n * (1 + 4 * PETSC_MACHINE_EPSILON));
}

static PetscErrorCode SelectPart(PsdData data, PsdSelection *selection)
{
  PetscFunctionBeginUser;
  const PetscInt n = selection->n, held_out = ValidationCount(n, data->validation);
  PsdCheckInput(n, "%s%s: no image of split %s has one of the labels chosen", PsdDataOption(data), PsdDataName(data),
                PsdSplitNames[data->split]);
  if (data->part == PSD_PART_TRAIN) selection->n = n - held_out;
  if (data->part == PSD_PART_VALIDATION) {
    PetscCall(PetscArraymove(selection->positions, selection->positions + n - held_out, held_out));
    selection->n = held_out;
  }
  PsdCheckInput(selection->n, "-validation %g: leaves no images in the %s part of %" PetscInt_FMT " images",
                (double)data->validation, data->part == PSD_PART_VALIDATION ? "validation" : "training", n);
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeShare(PsdData data, const PetscInt labels[], const PetscReal weights[],
                                const ClassTable *table, const PsdSelection *selection)
{
  PetscFunctionBeginUser;
  PetscMPIInt rank, size;
  PetscCallMPI(MPI_Comm_rank(data->comm, &rank));
  PetscCallMPI(MPI_Comm_size(data->comm, &size));
  PsdCheckInput(selection->n >= size, "%s%s: %" PetscInt_FMT " images are selected for %d ranks, expected one a rank",
                PsdDataOption(data), PsdDataName(data), selection->n, size);
  data->n = selection->n;
  PsdDataSplitEvenly(data->n, size, rank, &data->first, &data->n_local);
  PetscCall(PetscMalloc1(data->n_local, &data->classes));
  PetscCall(PetscMalloc1(data->n_local, &data->indices));
  if (weights) PetscCall(PetscMalloc1(data->n_local, &data->weights));
  for (PetscInt k = 0, place; k < data->n_local; k++) {
    data->indices[k] = selection->positions[data->first + k];
    data->classes[k] = 0;
    if (weights) data->weights[k] = weights[data->indices[k]];
    if (!labels) continue;
    PetscCall(ClassTableFind(table, labels[data->indices[k]], &place));
    data->classes[k] = table->classes[place];
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSelect(PsdData data, const PetscInt labels[], const PetscReal weights[], PetscInt label_count,
                             PsdSelection *selection)
{
  PetscFunctionBeginUser;
  ClassTable table = {.count = 0};
  PsdCheckInput(labels || !data->kept_count, "-classes: the images of %s have no labels", PsdDataName(data));
  if (labels) {
    PetscCall(SettleClasses(data, labels, label_count, &table));
    PetscCall(CheckOptionLabels(data, labels, label_count));
  }
  PetscCall(SelectByClass(data, labels, weights, label_count, &table, selection));
  PetscCall(SelectPart(data, selection));
  if (labels) PetscCall(CheckNoClassEmpty(data, labels, &table, selection));
  PetscCall(TakeShare(data, labels, weights, &table, selection));
  PetscCall(PsdDataWeighClasses(data, table.counts));
  PetscFunctionReturn(0);
}
