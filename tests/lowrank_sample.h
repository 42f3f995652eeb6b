/*
   The small problem of problem_sample.h for the low-rank solver: with any loss, one or two branches, levels, and columns
   of numbers that look random.
*/
#ifndef PSD_TEST_LOWRANK_SAMPLE_H
#define PSD_TEST_LOWRANK_SAMPLE_H

#include "problem_sample.h"
#include "lowrank/objective.h"

typedef struct {
  PsdData data;
  PsdPatches patches;
  PsdProblem problem;
  PsdPatchMatrix matrix;
  PsdComponentList components;
} LowrankSetting;

static inline LowrankSetting LowrankSettingCreate(PetscInt classes, PetscInt branches, const char loss[], size_t memory)
{
  static const PetscInt labels[] = {3, 0, 5};
  LowrankSetting it;
  MUST(PsdDataCreate(PETSC_COMM_WORLD, &it.data));
  MUST(PsdDataSetPath(it.data, PathOf("images.h5", NULL)));
  MUST(PsdDataSetClasses(it.data, classes, labels));
  MUST(PsdDataSetUp(it.data));
  MUST(PsdPatchesCreate(PETSC_COMM_WORLD, &it.patches));
  if (branches > 1) MUST(PsdPatchesSetBranches(it.patches, branches));
  for (PetscInt k = 0; k < branches; k++) {
    PsdPatches branch;
    MUST(PsdPatchesGetBranch(it.patches, k, &branch));
    branch->geometry.patch_height = 2;
    branch->geometry.patch_width = k ? 4 : 2;
    branch->geometry.pool = k ? 1 : 2;
    branch->recipe = PETSC_FALSE;
  }
  MUST(PsdPatchesSetImageSize(it.patches, (PetscInt)image_size[0], (PetscInt)image_size[1], (PetscInt)image_size[2]));
  MUST(PsdProblemCreate(it.data, it.patches, &it.problem));
  MUST(PsdProblemSetActivation(it.problem, activation));
  MUST(PsdProblemSetLoss(it.problem, loss, 0.7));
  it.problem->request.beta_rel = 0.1;
  MUST(PsdProblemSetUp(it.problem));
  MUST(PsdPatchMatrixCreate(it.data, it.patches, it.problem->activation, memory, &it.matrix));
  MUST(PsdComponentsCreate(PETSC_COMM_WORLD, it.data, it.patches, it.matrix, 3, 3, &it.components));
  return it;
}

static inline void LowrankSettingDestroy(LowrankSetting *it)
{
  MUST(PsdComponentsDestroy(&it->components));
  MUST(PsdPatchMatrixDestroy(&it->matrix));
  MUST(PsdProblemDestroy(&it->problem));
  MUST(PsdPatchesDestroy(&it->patches));
  MUST(PsdDataDestroy(&it->data));
}

/* One, two or no columns of each block, retracted. */
static inline PsdColumns SampleColumns(const LowrankSetting *it, PsdLevel level, PetscReal scale, uint64_t seed)
{
  const PetscInt G = it->problem->blocks->G, C = it->problem->blocks->C;
  PetscInt *block, count = 0;
  const PetscInt *K;
  PsdColumns columns;
  MUST(PetscMalloc1(4 * G * C, &block));
  for (PetscInt b = 0; b < 2 * G * C; b++)
    for (PetscInt k = 0; k < (b + 1) % 3; k++) block[count++] = b;
  PsdLevelGetSizes(level, NULL, NULL, &K, NULL);
  MUST(PsdColumnsCreate(G, C, K, count, block, &columns));
  Fill(seed, columns.at[count], columns.F);
  for (size_t k = 0; k < columns.at[count]; k++) columns.F[k] *= scale;
  PsdColumnsRetract(&columns, columns.F);
  MUST(PetscFree(block));
  return columns;
}

#endif
