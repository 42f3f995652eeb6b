/*
   A small problem whose lifted features all ranks know, for tests that compare with dense computations: numbered images,
   two or three classes, patches 2 x 2 in 2 x 2 regions.
*/
#ifndef PSD_TEST_PROBLEM_SAMPLE_H
#define PSD_TEST_PROBLEM_SAMPLE_H

#include "network_sample.h"
#include "consensus/consensus.h"
#include "patches/lift.h"
#include "patches/patches_impl.h"
#include "problem/beta.h"
#include "problem/gram.h"
#include "problem/samples.h"

#define IMAGES 40

static const long image_size[3] = {1, 5, 6};
static const PetscReal activation[3] = {0.09, 0.5, 0.47};

typedef struct {
  PsdData data;
  PsdPatches patches;
  PsdProblem problem;
  PetscReal *Phi, *Y; /* of all images: IMAGES x D, not projected; IMAGES x C */
} Setting;

/* ---------------------------------------------------------------- the formulas */

/* Phi and Y of all images on every rank; the images are known by their number */
static inline void LiftAll(Setting *it)
{
  const PetscInt C = it->problem->blocks->C, D = it->problem->blocks->D;
  const PetscInt bytes = (PetscInt)(image_size[0] * image_size[1] * image_size[2]);
  const PetscInt *labels;
  PetscReal *moments;
  PetscInt q, G, count;
  MUST(PsdPatchesGetSizes(it->patches, &q, NULL, &G, NULL));
  MUST(PsdDataGetClasses(it->data, &count, &labels, NULL));
  MUST(PetscMalloc2(IMAGES * D, &it->Phi, IMAGES * C, &it->Y));
  MUST(PetscMalloc1(G * PsdPackedLength(q + 1), &moments));
  PetscInt kept = 0;
  for (long k = 0; k < IMAGES; k++) {
    unsigned char image[64];
    PetscInt class = 0;
    while (class < count && labels[class] != LabelOf(k)) class ++;
    if (class == count) continue;
    for (PetscInt b = 0; b < bytes; b++) image[b] = PixelOf(k, b);
    MUST(PsdPatchesMoments(it->patches, image, moments));
    MUST(PsdPatchesLift(it->patches, activation, moments, it->Phi + kept * D));
    for (PetscInt t = 0; t < C; t++) it->Y[kept * C + t] = class == (C == 1 ? 1 : t) ? 1 : -1;
    kept++;
  }
  Require(kept == it->problem->n, "images of the classes");
  MUST(PetscFree(moments));
}

/* What is cut from the images, and how it is learned from. */
typedef struct {
  PetscInt height, width, pool; /* of patches */
  const PetscReal *activation;
  const char *loss; /* NULL: squared */
} SettingKind;

/* Set up, but neither lifted nor its beta found. */
static inline Setting SettingCreateOf(const SettingKind *kind, PetscInt classes, PetscReal beta_rel)
{
  static const PetscInt labels[] = {3, 0, 5};
  Setting it = {.Phi = NULL};
  MUST(PsdDataCreate(PETSC_COMM_WORLD, &it.data));
  MUST(PsdDataSetPath(it.data, PathOf("images.h5", NULL)));
  MUST(PsdDataSetClasses(it.data, classes, labels));
  MUST(PsdDataSetUp(it.data));
  MUST(PsdPatchesCreate(PETSC_COMM_WORLD, &it.patches));
  it.patches->geometry.patch_height = kind->height;
  it.patches->geometry.patch_width = kind->width;
  it.patches->geometry.pool = kind->pool;
  MUST(PsdPatchesSetImageSize(it.patches, (PetscInt)image_size[0], (PetscInt)image_size[1], (PetscInt)image_size[2]));
  MUST(PsdProblemCreate(it.data, it.patches, &it.problem));
  MUST(PsdProblemSetActivation(it.problem, kind->activation));
  if (kind->loss) MUST(PsdProblemSetLoss(it.problem, kind->loss, 0));
  if (beta_rel > 0) MUST(PsdProblemSetBetaRel(it.problem, beta_rel));
  MUST(PsdProblemSetUp(it.problem));
  return it;
}

static inline Setting SettingCreate(PetscInt classes, PetscReal beta_rel)
{
  const SettingKind kind = {.height = 2, .width = 2, .pool = 2, .activation = activation};
  Setting it = SettingCreateOf(&kind, classes, beta_rel);
  LiftAll(&it);
  return it;
}

static inline void SettingDestroy(Setting *it)
{
  MUST(PetscFree2(it->Phi, it->Y));
  MUST(PsdProblemDestroy(&it->problem));
  MUST(PsdPatchesDestroy(&it->patches));
  MUST(PsdDataDestroy(&it->data));
}

/* The first call of a test program and the last: the file of images. */
static inline void WriteImages(void)
{
  RootCreate();
  if (!Rank()) WriteHdf5(PathOf("images.h5", NULL), IMAGES, image_size, H5T_STD_U8LE, 0);
  MUST(MPI_Barrier(PETSC_COMM_WORLD));
}

#endif
