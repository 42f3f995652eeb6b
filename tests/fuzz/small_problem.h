/*
   A problem of fourteen numbered images of 1 x 5 x 6 pixels in three classes, patches 2 x 2 in 2 x 2 regions, which is solved in
   milliseconds: what models, certificates and checkpoints of targets are of.
*/
#ifndef PSD_FUZZ_SMALL_PROBLEM_H
#define PSD_FUZZ_SMALL_PROBLEM_H

#include "fuzz.h"
#include "admm/admm.h"
#include "solver/solver.h"

typedef struct {
  const char *loss, *consensus;
  PetscInt branches; /* the second one at half the resolution, of images */
  PetscBool stage;   /* a stage before the patches: maps of 3 channels, 3 x 3 */
} FuzzKind;

typedef struct {
  PsdData data;
  PsdPatches patches;
  PsdProblem problem;
  PsdSolver solver;
} FuzzSolver;

/* The images alone; classes are those of labels 3, 0 and 5 unless the caller says otherwise. */
PsdData FuzzImages(void);

/* A solver that is not set up. */
FuzzSolver FuzzSolverCreate(const FuzzKind *kind);
void FuzzSolverDestroy(FuzzSolver *it);

/* Trains for some iterations; what is written: "" for nothing. */
typedef struct {
  char checkpoint[PETSC_MAX_PATH_LEN], gram[PETSC_MAX_PATH_LEN], model[PETSC_MAX_PATH_LEN],
      certificate[PETSC_MAX_PATH_LEN];
} FuzzOutputs;
void FuzzTrain(const FuzzKind *kind, PetscInt iterations, const FuzzOutputs *outputs);

#endif
