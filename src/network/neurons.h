/*
   Neural decomposition (docs/mathematics.md, section 4): from PSD blocks to neurons and back.
*/
#ifndef PSD_NEURONS_PRIVATE_H
#define PSD_NEURONS_PRIVATE_H

#include <petscvec.h>
#include "base/visitor.h"
#include "cone/blocks.h"
#include "cone/factors.h"

/* A list of neurons alpha [u;1][u;1]' on this rank; room for `capacity` of them is there from the start. */
typedef struct {
  PetscInt N, capacity, f;    /* f: of the largest block */
  PetscReal *filter;          /* N x f row-major, unit rows u; beyond the region's own f there are zeros */
  PetscReal *weight;          /* alpha, negative for those of Z' */
  PetscInt *region, *class;   /* g, t */
  PetscReal *lambda, *vector; /* work of PsdDecompose: f+1 each */
} PsdNeurons;

PetscErrorCode PsdNeuronsCreate(PetscInt capacity, PetscInt f, PsdNeurons *neurons);
PetscErrorCode PsdNeuronsCopy(const PsdNeurons *from, PsdNeurons *to); /* to has the capacity */
PetscErrorCode PsdNeuronsDestroy(PsdNeurons *neurons);

/* PsdFilterIsUnit - that `filter`, as neurons have it, is of length 1, but for rounding, and fits the region. Not collective. */
PetscBool PsdFilterIsUnit(PsdBlocks blocks, PetscInt region, const PetscReal filter[]);

/* PsdNeuronsGather - all ranks' neurons on every rank, in rank order; creates `all`. Collective. */
PetscErrorCode PsdNeuronsGather(MPI_Comm comm, const PsdNeurons *local, PsdNeurons *all);

/*
   PsdDecompose - appends the neurons of one block Z = F F', as many as F has columns. When <J,Z> = 0 their terms sum
   to Z; otherwise to a matrix of the same rank that has <J,.> = 0, nearest to Z to first order.

   Not collective. F: d x rank by columns, which are orthogonal to each other; overwritten. sign: +1 for Z, -1 for Z'.
*/
void PsdDecompose(PetscInt d, PetscInt rank, PetscReal F[], PetscReal sign, PetscInt region, PetscInt class,
                  PsdNeurons *neurons);

/* PsdDecomposeVector - the same of one vector z = (w, t) with ||w|| <= t, f + 1 numbers: at most two neurons, along
   w/||w|| and against it. Not collective. */
void PsdDecomposeVector(PetscInt f, const PetscReal z[], PetscReal sign, PetscInt region, PetscInt class,
                        PsdNeurons *neurons);

/* PsdNeuronsAssemble - S = sum of weight svec([u;1][u;1]'), of linear neurons weight (u, 1), for the pairs this rank
   owns, and sum |weight| over all neurons of owned pairs. Neurons of other ranks' pairs are passed over. Not
   collective. */
PetscErrorCode PsdNeuronsAssemble(const PsdNeurons *neurons, PsdBlocks blocks, Vec S, PetscReal *sum);

/*
   PsdNeuronsBoundErrors - what PsdNeuronsAssemble's S and its sum over all ranks may be off by: error holds one number a
   pair owned, >= || S_gt - sum of weight svec([v;1][v;1]') ||_F, v = u/||u||, as a filter stands for its direction.

   Collective on the blocks' communicator. weight: the sum over all ranks.
*/
PetscErrorCode PsdNeuronsBoundErrors(const PsdNeurons *neurons, PsdBlocks blocks, PetscReal weight, Vec error,
                                     PetscReal *weight_error);

/* PsdNeuronsGetFactors - the same S by its terms alpha [u;1][u;1]', pair after pair as the neurons come; replaces what
   `factors` holds. Not collective. */
PetscErrorCode PsdNeuronsGetFactors(const PsdNeurons *neurons, PsdBlocks blocks, PsdFactors *factors);

/* PsdNeuronsVisit - the neurons of the pairs that are here, in a file that a run is continued from (neurons_state.c). When
   they are read, those of positive weight come first, pair by pair, as when a network is extracted; room for 2 d a
   pair is needed. Collective. */
PetscErrorCode PsdNeuronsVisit(PsdNeurons *neurons, PsdBlocks blocks, PsdVisitor visitor);

#endif
