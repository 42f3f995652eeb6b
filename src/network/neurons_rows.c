/*
   A network's neurons in a file that a run is continued from, where all ranks have all of them: a row a neuron.
*/
#include "neurons_rows.h"

#define MOST_NEURONS 1000000 /* that a file may say there are */

/* A row: region, class, weight, filter. */
PetscErrorCode PsdNeuronsVisitRows(PsdNeurons *neurons, PsdBlocks blocks, const char name[], PsdVisitor v)
{
  PetscFunctionBeginUser;
  const PetscInt f = blocks->f_max, width = f + 3;
  const PetscInt capacity = neurons->capacity;
  PetscInt count = neurons->N;
  PetscReal *rows;
  PetscBool right = PETSC_TRUE;
  PetscCall(PsdVisitRowCount(v, name, width, MOST_NEURONS, &count));
  PetscCall(PsdVisitorWork(v, (size_t)(count + 1) * width * sizeof(*rows), &rows));
  for (PetscInt k = 0; k < count && PsdVisitorIsWriting(v); k++) {
    PetscReal *row = rows + (size_t)k * width;
    row[0] = neurons->region[k];
    row[1] = neurons->class[k];
    row[2] = neurons->weight[k];
    PetscCall(PetscArraycpy(row + 3, neurons->filter + (size_t)k * f, f));
  }
  PetscCall(PsdVisitReplicated(v, name, count, width, rows));
  if (!PsdVisitorIsReading(v)) PetscFunctionReturn(0);
  for (PetscInt k = 0; k < count; k++) {
    const PetscReal *row = rows + (size_t)k * width;
    right =
        (PetscBool)(right && row[0] >= 0 && row[0] < blocks->G && row[1] >= 0 && row[1] < blocks->C &&
                    PetscAbsReal(row[2]) <= PSD_STATE_LARGEST && PsdFilterIsUnit(blocks, (PetscInt)row[0], row + 3));
  }
  if (!right)
    PsdVisitorFail(v, "array %s has a neuron of a region or class that there is not, or of another length than 1",
                   name);
  PetscCall(PsdVisitorAgree(v));
  PetscCall(PsdNeuronsDestroy(neurons));
  PetscCall(PsdNeuronsCreate(PetscMax(count, capacity), f, neurons));
  neurons->N = count;
  for (PetscInt k = 0; k < count; k++) {
    const PetscReal *row = rows + (size_t)k * width;
    neurons->region[k] = (PetscInt)row[0];
    neurons->class[k] = (PetscInt)row[1];
    neurons->weight[k] = row[2];
    PetscCall(PetscArraycpy(neurons->filter + (size_t)k * f, row + 3, f));
  }
  PetscFunctionReturn(0);
}
