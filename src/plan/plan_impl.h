/*
   What a plan is made of (include/psdplan.h): what is asked, what SetUp adds up, and where its numbers come from.

   All of it is stated beside the code that will do it (src/cost says how); here it is added up and printed.
*/
#ifndef PSD_PLAN_PRIVATE_H
#define PSD_PLAN_PRIVATE_H

#include <psdplan.h>
#include "solver/solver.h"

struct _p_PsdPlan {
  MPI_Comm comm;
  PsdProblem problem;
  /* what is asked */
  PetscInt outputs;                   /* 0: classes */
  PetscInt bits;                      /* of a pixel */
  PetscInt images, image[3], classes; /* images 0: not known yet; channels, height and width */
  PetscBool mirror;
  PetscInt shifts;                /* samples of an image, without mirror images */
  PetscInt ranks, ranks_per_node; /* 0: all */
  PetscReal node_memory;          /* GB; 0: this machine's */
  PetscReal latency, bandwidth;   /* between nodes: microseconds, GB/s of a node */
  PetscReal program;              /* bytes of a rank before a run */
  PetscInt rate_count;            /* 0: rates are measured here */
  PetscReal rate[PSD_RATES];
  PetscInt iterations;
  PsdSolver solver; /* with the settings that a run would have */
  /* what it comes to */
  PetscBool ready;
  PsdSizes sizes;
  PsdNode node;
  PsdRates rates;
  PsdSolverPlan run;
  PsdPlanTotals totals;
};

#endif
