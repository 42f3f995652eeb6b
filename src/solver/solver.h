/*
   A solver: what all types have in common, and what a type is. The handle drives (solve.c): it decides what is done
   next, asks clock and signals, keeps checkpoints, tells the monitor and proves; a type does one step at a time, and
   leaves in `status` what is known.

   A type is a folder of its own, which fills a PsdSolverType, and a line of types/solver_table.c.
*/
#ifndef PSD_SOLVER_PRIVATE_H
#define PSD_SOLVER_PRIVATE_H

#include <psdsolver.h>
#include "checkpoint.h"
#include "loop.h"
#include "network/neurons.h"
#include "problem/problem.h"
#include "problem/sizes.h"

/* What a run of a solver would take, before there is one. */
typedef struct {
  const PsdSizes *sizes;
  const PsdNode *node;
  const PsdRates *rates;
  PetscInt iterations; /* 0: as many as the type thinks usual */
  const PsdLoss *loss;
} PsdSolverJob;

typedef struct {
  PetscInt iterations;
  PetscInt kernels;
  PsdSolverKernel kernel[PSD_MOST_KERNELS]; /* texts that last */
  PsdMemory memory;
  PsdCost cost[PSD_PHASE_COUNT]; /* of one rank */
} PsdSolverPlan;

/*
   All functions are collective, and what they decide is decided alike on all ranks. The type's own state is `data`,
   which `create` makes: settings alone, as there is one of each type until SetUp has chosen.
*/
typedef struct {
  const char *name; /* for -solver, in checkpoints and reports */
  const char *help; /* for -help, a heading */
  /* what it can do */
  PetscBool takes_corners; /* losses that are not smooth (PsdLossOps) as well */
  PetscBool takes_vectors; /* linear neurons, whose blocks are vectors (cone/blocks.h), as well */
  PetscBool has_gram;      /* A'A, which -checkpoint_gram keeps */
  /* Of relief (PsdSolverRelief). A type with `is_relieved` states iteration_flops; one that `relieves` others that and the next
     two: iterations that it takes, bytes that the root needs beside the samples' own form. Not collective. */
  PetscBool is_relieved, relieves;
  PetscReal (*iteration_flops)(const PsdSizes *sizes, const PsdLoss *loss); /* of all ranks together */
  PetscReal (*iterations)(const PsdSizes *sizes);
  PetscReal (*root_bytes)(const PsdSizes *sizes, const PsdLoss *loss);
  const char *const *own; /* options of its own, with their dashes, ended by NULL: one of them asks for this type */
  /* prefers: whether `auto` takes this type for a problem of these sizes, where it can do what is asked. The first type
     of the table prefers all; the last one that does is taken. Not collective. */
  PetscBool (*prefers)(const PsdSizes *sizes);

  PetscErrorCode (*create)(PsdSolver solver, void **data);
  PetscErrorCode (*set_from_options)(void *data);      /* its own */
  PetscErrorCode (*set_plan_from_options)(void *data); /* those of its own that a plan depends on */
  PetscErrorCode (*destroy)(void **data);

  /* plan: memory and cost of a run with the settings of `data`. Errors (PSD_ERR_INPUT): it cannot be, or, where a kernel
     was to be chosen, none fits the node. Not collective. */
  PetscErrorCode (*plan)(void *data, const PsdSolverJob *job, PsdSolverPlan *plan);

  /* set_up: samples in the form that it wants, beta_max and beta (problem/beta.h), everything that the loop needs;
     solver->wait. Then one of the next two. */
  PetscErrorCode (*set_up)(PsdSolver solver);
  PetscErrorCode (*start)(PsdSolver solver);  /* from the network without neurons, status filled in */
  PetscErrorCode (*resume)(PsdSolver solver); /* from the state that was read */
  PetscErrorCode (*set_initial)(PsdSolver solver, PsdNetwork network);
  PetscErrorCode (*fix_network)(PsdSolver solver, PsdNetwork network);
  /* set_beta: problem->beta becomes beta (PsdProblemTakeBeta, the user's units); status filled in */
  PetscErrorCode (*set_beta)(PsdSolver solver, PetscReal beta);

  /* best_bound: the largest so far that is known without the samples. Not collective. */
  PetscReal (*best_bound)(PsdSolver solver);
  /* iterate: one iteration, status.iteration being how many were made before; *due: the bounds are to be checked now */
  PetscErrorCode (*iterate)(PsdSolver solver, PetscBool *due);
  /* check: status but for iteration and seconds */
  PetscErrorCode (*check)(PsdSolver solver);
  /* adapt: to what a check has shown, when the run goes on */
  PetscErrorCode (*adapt)(PsdSolver solver);
  /* complete: of a state that was read, and that the run ends with: what a check, or, when it was `checked`, a
     certificate needs of the iteration before it, and what the file does not have */
  PetscErrorCode (*complete)(PsdSolver solver, PetscBool checked);
  /* certify: the best network, from the samples, with the witness when solver->witness is not NULL */
  PetscErrorCode (*certify)(PsdSolver solver, PsdCertificate *certificate);
  /* learn: no bound above `most` was proved of the best dual point; best_bound follows. Not collective. */
  void (*learn)(PsdSolver solver, PetscReal most);

  /* visit_form: before set_up, what it depends on; visit_state: all that the next iteration and the end of the run depend
     on and the handle does not have */
  PetscErrorCode (*visit_form)(PsdSolver solver, PsdVisitor visitor);
  PetscErrorCode (*visit_state)(PsdSolver solver, PsdVisitor visitor);

  /* get_neurons: the best network's, all of them on all ranks, in the problem's units; the caller destroys them */
  PetscErrorCode (*get_neurons)(PsdSolver solver, PsdNeurons *all);
  /* get_kernels: what was used, at most PSD_MOST_KERNELS; texts that last until the next call */
  PetscErrorCode (*get_kernels)(PsdSolver solver, PetscInt *count, PsdSolverKernel kernels[]);
} PsdSolverType;

typedef struct {
  PetscReal gap; /* stop when the certified gap is this small */
  PetscInt max_it;
  PetscReal time_limit; /* seconds since the start of the program; 0 = none */
} PsdSolverSettings;

typedef struct {
  PetscLogDouble start;   /* of the loop; of a run that is continued, as if it had not been interrupted */
  PetscLogDouble elapsed; /* before it was */
  PetscLogDouble longest; /* the longest pass through the loop, ... */
  PetscLogDouble pass;    /* ... and when the one at hand began */
} PsdClock;

#define PSD_MOST_TYPES 4

/* Who goes on when the type in use has not come to its gap after so many iterations, with as much work as the other one will
   have: a run then takes at most about twice as long as with the better of the two. */
typedef struct {
  const PsdSolverType *type; /* NULL: nobody */
  void *data;
  PetscInt after; /* iterations */
} PsdSolverRelief;

struct _p_PsdSolver {
  PsdProblem problem;
  char *prefix; /* of its options; NULL: none */
  PsdSolverSettings settings;

  const PsdSolverType *asked;      /* NULL: auto */
  const PsdSolverType *suggested;  /* by an option of its own; NULL: by none */
  void *candidate[PSD_MOST_TYPES]; /* of each type of the table */
  const PsdSolverType *type;       /* in use; NULL before SetUp */
  void *data;                      /* the candidate that is in use */

  PsdSolverRelief relief; /* of the type in use */
  PetscBool fixed;        /* the network was given, and only bounds are sought */

  PsdSolverStatus status; /* in the problem's units; objective, bound and gap are the same in all */
  PsdSolverReason reason;
  PetscInt round;     /* of PsdSolverSolve, ... */
  PetscReal target;   /* ... and the gap that it is for, ... */
  PetscInt patience;  /* ... which does not count before this iteration */
  PetscBool spent;    /* a check has shown that rounding allows the type no progress; it says so itself */
  PetscInt wait;      /* iterations after a round that was not enough, at least; the type's */
  PetscBool pending;  /* the last iteration ended with a check that was not adapted to, as the run ends */
  PsdWitness witness; /* of the last certificate; NULL: none is kept */

  PsdClock clock;
  PsdCheckpoint checkpoint;
  PsdHistory history; /* all checks so far, where there are checkpoints */
  PsdSolverKernel kernel[PSD_MOST_KERNELS];
  PsdSolverMonitor monitor;
  void *monitor_context;
};

#define PsdCheckReady(solver)                                                                                          \
  PetscCheck((solver)->type, PETSC_COMM_SELF, PETSC_ERR_ORDER, "PsdSolverSetUp was not called")

/* results.c: what the user is told of the status, in the user's units. Not collective. */
PsdSolverStatus PsdSolverStatusNow(PsdSolver solver);

/* relief.c: solver->relief takes over, with the best network so far and the count of iterations. Collective. */
PetscErrorCode PsdSolverRelieve(PsdSolver solver);

/* stop.c: what the clock and signals ask for, the same on all ranks. Collective. */
PetscErrorCode PsdSolverAskRequests(PsdSolver solver, PsdRequests *requests);

#endif
