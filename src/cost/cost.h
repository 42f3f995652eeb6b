/*
   What a run costs, as functions of its sizes and of rates: bytes a rank by item, seconds and floating point
   operations.

   This is the arithmetic alone. Who allocates or computes something states it beside the code that does so: the
   consensus and cone kernels, the problem, the solver, which adds up a run (src/admm/solver_costs.c). Counts are reals, as
   products of them exceed an int. Sizes are those of docs/mathematics.md. Nothing here is collective but PsdNodeThis.
*/
#ifndef PSD_COST_H
#define PSD_COST_H

#include <psdmaps.h>
#include "base/base.h"

/* ---------------------------------------------------------------- sizes */

/* Of one branch: its regions, and f, d and m of their blocks. */
typedef struct {
  PetscInt G;
  PetscReal f, d, m;
  PetscBool vector; /* blocks are vectors of the second-order cone, m = d */
} PsdBranchSizes;

/* Of a stage of maps before the patches (psdmaps.h). */
typedef struct {
  PetscBool given;                 /* its filters are, and all of a stage that others stand on */
  PetscReal numbers;               /* of its map, in single precision */
  PetscReal positions, q, K;       /* patches of an image, numbers of one, filters */
  PetscReal places, raw, channels; /* of the map: g x g, channels before and after they are reduced */
  PetscBool reduced;
} PsdStageSizes;

typedef struct {
  PetscInt ranks, pairs, C, G;
  PetscInt per_node;    /* ranks of a node, at most; as PsdSizesSet leaves it, all */
  PetscReal n, n_local; /* samples; most on a rank */
  PetscReal image;      /* bytes of one */
  PetscReal positions;  /* patches of an image */
  PetscReal q;          /* with branches the largest, as the next three are */
  PetscReal f_max, d_max, m_max;
  PetscBool vectors; /* some branch has blocks that are vectors */
  PetscReal D;
  PetscReal order;     /* of A'A: D, or about half of it when mirror images are folded */
  PetscBool folded;    /* they are: half of the samples are lifted, and kept only for a loss that is split */
  PetscBool transform; /* patches are whitened or reduced */
  PetscInt branches;   /* kinds of patches */
  PsdBranchSizes branch[PSD_MOST_BRANCHES];
  PetscBool split;          /* v = A S: the samples are gone through at each iteration, and iterations are recorded */
  PetscReal feature_memory; /* bytes a rank for lifted features */
  PetscBool single;         /* features are kept and A'A is made in single precision, ... */
  PetscReal exact_passes;   /* ... and so many certificates have features made again in double */
  PetscInt stages;
  PsdStageSizes stage[PSD_MOST_STAGES]; /* from the images on */
  PetscReal map; /* numbers of the maps that the branches of one image are cut of; 0: they are cut of images */
  /* samples that share them: 2 where those of a mirror image are the image's, mirrored; else 1 */
  PetscReal map_samples;
} PsdSizes;

/* PsdSizesSet - what follows from n, ranks, C, G, positions, q, f and the image's bytes; one branch, nothing folded or
   split. */
void PsdSizesSet(PetscReal n, PetscInt ranks, PetscInt C, PetscInt G, PetscInt positions, PetscInt q, PetscInt f,
                 PetscReal image, PsdSizes *sizes);
/* PsdSizesSetBranches - of several branches: G and f of each, which have vectors (NULL: none), and what follows from
   them. */
void PsdSizesSetBranches(PetscInt branches, const PetscInt G[], const PetscInt f[], const PetscBool vector[],
                         PsdSizes *sizes);
/* PsdSizesIsFirst - whether the blocks of branch b are matrices, and those of no branch before it matrices of their
   order. */
PetscBool PsdSizesIsFirst(const PsdSizes *sizes, PetscInt b);
/* PsdSizesFold - of samples that are images and mirror images of symmetric patches (problem/symmetry.h). */
void PsdSizesFold(PetscReal order, PsdSizes *sizes);
/* PsdSizesRows - rows of lifted features: samples, or, of an image and its mirror image that are folded, one for
   both. */
PetscReal PsdSizesRows(const PsdSizes *sizes, PetscReal samples);
/* PsdSizesFeatureBytes - of a number of a feature as it is multiplied, and kept. */
PetscReal PsdSizesFeatureBytes(const PsdSizes *sizes);
/* PsdSizesMost - the largest sum over the pairs of a rank, of each[b] for a pair of branch b. */
PetscReal PsdSizesMost(const PsdSizes *sizes, const PetscReal each[]);
/* PsdSizesVectorMost, PsdSizesVectorLeast - numbers of a vector on the rank that has most of them, and on the last rank,
   which has none where ranks are more than pairs. */
PetscReal PsdSizesVectorMost(const PsdSizes *sizes);
PetscReal PsdSizesVectorLeast(const PsdSizes *sizes);

/* ---------------------------------------------------------------- memory */

#define PSD_BYTES_REAL ((PetscReal)sizeof(PetscReal))

typedef struct {
  const char *name;
  PetscReal root, others; /* bytes on rank 0 and on any other */
  PsdPhase first, last;   /* phases in which it is there */
} PsdMemoryItem;

#define PSD_MEMORY_ITEMS 32

/* Starts from zeros. */
typedef struct {
  PetscInt count;
  PsdMemoryItem item[PSD_MEMORY_ITEMS];
} PsdMemory;

/* PsdMemoryAdd - one more item, unless it is nothing. */
void PsdMemoryAdd(PsdMemory *memory, const char name[], PsdPhase first, PsdPhase last, PetscReal root,
                  PetscReal others);
/* PsdMemoryPeak - the largest sum of items that are there in one phase, on rank 0 and on any other. */
void PsdMemoryPeak(const PsdMemory *memory, PetscReal *root, PetscReal *others);

/* ---------------------------------------------------------------- time */

/* Of one rank while all are at work. */
typedef struct {
  PetscReal gemm, syrk, potrf; /* flops a second */
  PetscReal single;            /* the same of a product in single precision */
  PetscReal bandwidth;         /* bytes a second */
  PetscReal eigen;             /* seconds of a complete eigendecomposition, over d^3 */
  PetscReal lift;              /* seconds an image, from bytes to lifted features */
} PsdRates;

/* PsdRatesNominal - round numbers of one core of 2020's servers. A choice between kernels rests on these, and so on
   their ratios alone and not on clocks. */
PsdRates PsdRatesNominal(const PsdSizes *sizes);

/* Of one rank. The last three are of messages between ranks, on average over them: how often one has to arrive before
   the next can be sent, what a rank gives to them as -count counts it (docs/formats.md, "count.csv"), and what it sends. */
typedef struct {
  PetscReal seconds, flops;
  PetscReal messages, given, sent;
} PsdCost;

PsdCost PsdCostWork(PetscReal flops, PetscReal rate);        /* flops at a rate */
PsdCost PsdCostMove(PetscReal bytes, const PsdRates *rates); /* bytes through memory */
/* Messages between two ranks; and collectives of `ranks`, which come of log2 ranks messages each and, where all numbers
   are summed for all, are sent twice. bytes: in all of them. */
typedef enum { PSD_COLLECTIVE_SPREAD, PSD_COLLECTIVE_SUM } PsdCollective;
PsdCost PsdCostSend(PetscReal messages, PetscReal bytes);
PsdCost PsdCostCollective(PsdCollective kind, PetscReal calls, PetscReal bytes, PetscInt ranks);
PsdCost PsdCostSum(PsdCost a, PsdCost b);
PsdCost PsdCostTimes(PetscReal count, PsdCost cost);
/* PsdSizesCostMost - as PsdSizesMost, of costs. */
PsdCost PsdSizesCostMost(const PsdSizes *sizes, const PsdCost each[]);

/* ---------------------------------------------------------------- nodes: node.c */

/* A node of the machine, and what runs on it. */
typedef struct {
  PetscReal memory; /* bytes */
  PetscInt ranks_per_node;
  PetscReal program;            /* bytes a rank of the program itself and its libraries */
  PetscReal latency, bandwidth; /* between nodes: seconds of a message, bytes a second of a node */
} PsdNode;

/* PsdNodeThis - this machine: its memory and the ranks of comm that share it, the same on all ranks. Collective. */
PetscErrorCode PsdNodeThis(MPI_Comm comm, PsdNode *node);
/* PsdNodeNetworkSeconds - of a cost's messages, on `ranks` ranks: none where they are on one node, whose memory is counted
   as such; else the latency of all messages, and bytes at a rank's share of its node. Not collective. */
PetscReal PsdNodeNetworkSeconds(const PsdNode *node, PetscInt ranks, const PsdCost *cost);
/* PsdNodeBytes - at the peak, of the first node of a run on `ranks` ranks. Not collective. */
PetscReal PsdNodeBytes(const PsdNode *node, PetscInt ranks, const PsdMemory *memory);

#endif
