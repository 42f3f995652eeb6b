/*
   The choice of the consensus kernel: the one with which a run is fastest, of those that fit a node's memory.
*/
#ifndef PSD_CHOOSE_CONSENSUS_H
#define PSD_CHOOSE_CONSENSUS_H

#include "consensus/consensus.h"

/* PsdConsensusFits - whether a run with that kernel fits a node; *needed: bytes. Not collective. */
PetscBool PsdConsensusFits(const PsdSizes *sizes, const PsdConsensusKernel *kernel, const PsdNode *node,
                           PetscReal *needed);

/* PsdConsensusChoose - the fastest kernel of that form, by nominal rates, so that a choice does not depend on clocks.
   An input error, with what every kernel needs, when none fits. Not collective. */
PetscErrorCode PsdConsensusChoose(const PsdSizes *sizes, const PsdNode *node, PsdConsensusForm form,
                                  const PsdConsensusKernel **kernel);

/* PsdConsensusSettle - sets the kernel of `consensus` where none was asked for; one that was has to be for this
   problem, and to fit: input errors otherwise, before anything is allocated. The problem has been set up.
   Collective. */
PetscErrorCode PsdConsensusSettle(PsdConsensus consensus, PsdProblem problem);

#endif
