/*
   What a run will need before it is started: memory a rank by item, floating point operations and seconds by phase, for each
   of the consensus kernels. Pure functions of sizes and of rates; `psdnet plan` measures the rates, the solver's own choice
   of a kernel (-consensus auto) uses nominal ones so that it does not depend on clocks.

   Sizes are those of docs/mathematics.md; counts are reals where products of them exceed an int.
*/
#ifndef PSD_PLAN_PRIVATE_H
#define PSD_PLAN_PRIVATE_H

#include "cost/cost.h"
#include "base/base.h"
#include <psdpatches.h>

typedef struct {
  PetscInt ranks, pairs, C, G;
  PetscReal n, n_local; /* samples; most on a rank */
  PetscReal image;      /* bytes of one */
  PetscReal positions;  /* patches of an image */
  PetscReal q, f, d, m, D;
  PetscReal order;          /* of A'A: D, or about half of it when mirror images are folded */
  PetscBool folded;         /* they are: half of the samples are lifted, and kept only for a loss that is split */
  PetscBool transform;      /* patches are whitened or reduced */
  PetscBool lifted_only;    /* several branches or a loss that is split: the kernel matrix of patches is not offered */
  PetscBool split;          /* v = A S: the samples are gone through at each iteration, and iterations are recorded */
  PetscReal feature_memory; /* bytes a rank for lifted features */
} PsdPlanSizes;

/* PsdPlanSetSizes - what follows from n, ranks, C, G, positions, q, f and the image's bytes. */
void PsdPlanSetSizes(PetscInt n, PetscInt ranks, PetscInt C, PetscInt G, PetscInt positions, PetscInt q, PetscInt f,
                     PetscInt image, PsdPlanSizes *sizes);

/* PsdPlanFold - of samples that are images and mirror images of symmetric patches (problem/symmetry.h). */
void PsdPlanFold(PetscReal order, PsdPlanSizes *sizes);

typedef enum { PSD_PLAN_ROOT, PSD_PLAN_SCALAPACK, PSD_PLAN_KERNEL, PSD_PLAN_KINDS } PsdPlanKind;
extern const char *const PsdPlanNames[PSD_PLAN_KINDS]; /* as -consensus names them */

/* ---------------------------------------------------------------- memory: memory.c */

typedef struct {
  const char *name;
  PetscReal root, others; /* bytes on rank 0 and on any other */
  PsdPhase first, last;   /* phases in which it is there */
} PsdPlanItem;

#define PSD_PLAN_ITEMS 24

/* PsdPlanMemory - fills items, returns their number. base: bytes of the program itself and its libraries. */
PetscInt PsdPlanMemory(const PsdPlanSizes *sizes, PsdPlanKind kind, PetscReal base, PsdPlanItem items[PSD_PLAN_ITEMS]);
/* PsdPlanKeptBytes - of lifted features that a rank keeps; 0: they are lifted again for each pass. */
PetscReal PsdPlanKeptBytes(const PsdPlanSizes *sizes);
/* PsdPlanRows - rows of lifted features: samples, or, of an image and its mirror image that are folded, one for both. */
PetscReal PsdPlanRows(const PsdPlanSizes *sizes, PetscReal samples);
/* The largest sum of items that are there in one phase, on rank 0 and on any other. */
void PsdPlanPeak(PetscInt count, const PsdPlanItem items[], PetscReal *root, PetscReal *others);

/* ---------------------------------------------------------------- time: time.c */

/* PsdRatesMeasure - on all ranks of comm at once, in about a second. patches: without a transform. Collective. */
PetscErrorCode PsdRatesMeasure(MPI_Comm comm, const PsdPlanSizes *sizes, PsdPatches patches,
                               const PetscReal activation[3], PsdRates *rates);

/* PsdRatesGiven - as plan prints them: GFLOP/s of dgemm, dsyrk and dpotrf, GB/s of memory and, when count is PSD_PLAN_RATES, ms an image
   of lifting and ms a block of dsyevd; these two otherwise follow from dgemm's as the nominal ones do. All positive. */
#define PSD_PLAN_RATES 6
#define PSD_PLAN_RATES_LEAST 4
void PsdRatesGiven(const PsdPlanSizes *sizes, PetscInt count, const PetscReal given[], PsdRates *rates);

/* Round numbers of one core of 2020's servers; only their ratios matter to a choice. */
PsdRates PsdRatesNominal(const PsdPlanSizes *sizes);

/* PsdPlanTime - seconds by phase of a run of `iterations`, and its flops by phase, of all ranks. */
void PsdPlanTime(const PsdPlanSizes *sizes, PsdPlanKind kind, const PsdRates *rates, PetscInt iterations,
                 PetscReal seconds[PSD_PHASE_COUNT], PetscReal flops[PSD_PHASE_COUNT]);

/* ---------------------------------------------------------------- choice: choose.c */

typedef struct {
  PetscReal memory; /* bytes of a node */
  PetscInt ranks_per_node;
  PetscReal base; /* see PsdPlanMemory */
} PsdPlanNode;

/* Whether it fits a node; *needed: bytes. */
PetscBool PsdPlanFits(const PsdPlanSizes *sizes, PsdPlanKind kind, const PsdPlanNode *node, PetscReal *needed);

/* PsdPlanChoose - the fastest kind that fits. An input error, with the numbers of all, when none does. */
PetscErrorCode PsdPlanChoose(const PsdPlanSizes *sizes, const PsdRates *rates, const PsdPlanNode *node,
                             PsdPlanKind *kind);

/* This machine: its memory and the ranks of comm that share it. Collective. */
PetscErrorCode PsdPlanThisNode(MPI_Comm comm, PsdPlanNode *node);

#endif
