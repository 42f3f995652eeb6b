/*
   PsdPlan: memory and time of a run before it is started, from sizes and rates alone. No images are needed.

   What a rank will hold and compute is stated in the library beside the code that does so; a plan adds it up for a
   problem, a number of ranks and the rates of a machine.
*/
#ifndef PSDPLAN_H
#define PSDPLAN_H

#include <petscviewer.h>
#include <psdproblem.h>
#include <psdsolver.h>
#include <psdsys.h>

typedef struct _p_PsdPlan *PsdPlan;

/* What a run comes to. */
typedef struct {
  PetscReal n, f, D; /* samples, with mirror images; numbers in a patch; columns of A (psdnet.h) */
  PetscInt blocks, ranks, iterations;
  const char *solver; /* the type asked for, or the one that a run would have; the text lasts */
  PetscInt kernels;   /* asked for, or those that a run would choose */
  PsdSolverKernel kernel[PSD_MOST_KERNELS];
  PetscInt items;                     /* of memory: see PsdPlanGetMemory */
  PetscReal peak_root, peak_others;   /* bytes at the peak, on rank 0 and on any other */
  PetscReal node_needed, node_memory; /* bytes at the peak of all ranks of the first node; bytes of a node */
  /* By phase: seconds of the slowest rank, those that the network takes of them; flops of all ranks; bytes that a rank
     gives to messages, on average, as psdnet train -count counts them, and how many messages wait for each other. */
  PetscReal seconds[PSD_PHASE_COUNT], network[PSD_PHASE_COUNT];
  PetscReal flops[PSD_PHASE_COUNT];
  PetscReal bytes[PSD_PHASE_COUNT], messages[PSD_PHASE_COUNT];
} PsdPlanTotals;

/*
   PsdPlanCreate - Creates the plan of a run for a problem, which is borrowed and must outlive it: ten classes, no
   mirror images, the ranks of the problem's communicator, all of them on one node such as this machine, rates that
   are measured, as many iterations as are usual, the solver and kernels that a run would choose. What the process of
   rank 0 takes now counts as the program and its libraries.

   Collective. The problem need not be set up, and may have been created without data.
*/
PSD_EXTERN PetscErrorCode PsdPlanCreate(PsdProblem problem, PsdPlan *plan);

/*
   PsdPlanSetFromOptions - Reads the options of a plan:
     -images N                             training images, without mirror images
     -image CxHxW                          channels, height and width of an image
     -class_count K                        classes
     -flip                                 mirror images as well
     -shifts 5|9                           shifted images as well
     -ranks R                              ranks of the run
     -ranks_per_node R                     ranks that share a node's memory
     -node_memory GB                       memory of a node
     -latency US, -node_bandwidth GB       of the network between nodes, see PsdPlanSetNetwork
     -rates A,B,C,D[,E,F]                  rates of a rank, see PsdPlanSetRates
     -iterations N                         iterations of the solver
     -solver auto|admm|lowrank             its type
     -consensus auto|root|scalapack|dual   kernel of its least-squares step, type admm
   Patches, loss and -memory are those of the problem.

   Collective; before PsdPlanSetUp. Errors (PSD_ERR_INPUT): values out of range.
*/
PSD_EXTERN PetscErrorCode PsdPlanSetFromOptions(PsdPlan plan);

/*
   PsdPlanSetSamples - The samples of the run: images, without mirror images, of channels x height x width bytes, in
   so many classes. PsdPlanSetMirror - Whether each image comes with its mirror image (psdnet train -flip).
   PsdPlanSetShifts - Samples of an image by shifting: 1, as at first, 5 or 9 (psdnet train -shifts).

   PsdPlanSetBits - Bits of a pixel as it is held (PsdPixels): 8, as at first, or 16.
   PsdPlanSetOutputs - Real targets of an image, in the place of classes; 0, as at first: classes.

   Logically collective; before PsdPlanSetUp. images, channels, height, width: 1 or more; classes: 2 or more. Options:
   -images, -image, -class_count, -output_count; -flip.
*/
PSD_EXTERN PetscErrorCode PsdPlanSetBits(PsdPlan plan, PetscInt bits);
PSD_EXTERN PetscErrorCode PsdPlanSetOutputs(PsdPlan plan, PetscInt outputs);
PSD_EXTERN PetscErrorCode PsdPlanSetSamples(PsdPlan plan, PetscInt images, PetscInt channels, PetscInt height,
                                            PetscInt width, PetscInt classes);
PSD_EXTERN PetscErrorCode PsdPlanSetMirror(PsdPlan plan, PetscBool mirror);
PSD_EXTERN PetscErrorCode PsdPlanSetShifts(PsdPlan plan, PetscInt shifts);

/*
   PsdPlanSetRanks - The machine of the run: ranks, 1 or more; those that share a node's memory, 0 for all; and that
   memory in GB (1e9 bytes), 0 for that of this machine.

   Logically collective; before PsdPlanSetUp. Options: -ranks, -ranks_per_node, -node_memory.
*/
PSD_EXTERN PetscErrorCode PsdPlanSetRanks(PsdPlan plan, PetscInt ranks, PetscInt ranks_per_node, PetscReal node_memory);

/*
   PsdPlanSetNetwork - The network between nodes: microseconds of a message, and GB/s of a node; 2 and 12 unless they are
   set. Ranks of one node share its bandwidth. A run on one node has no network, as its messages are passes over memory.

   Logically collective; before PsdPlanSetUp. Options: -latency, -node_bandwidth. Errors (PSD_ERR_INPUT): a latency below
   0, a bandwidth that is not positive.
*/
PSD_EXTERN PetscErrorCode PsdPlanSetNetwork(PsdPlan plan, PetscReal latency, PetscReal bandwidth);

/*
   PsdPlanSetRates - The rates of a rank while all ranks of its node are at work, instead of this machine's, as
   PsdPlanView prints them: GFLOP/s of dgemm, dsyrk and dpotrf, GB/s of memory and, when count is at least PSD_RATES_MORE,
   ms an image of lifting and ms a block of dsyevd, and, when it is PSD_RATES, GFLOP/s of ssyrk; those that are not given
   follow from dgemm's as in round numbers of a core of 2020's servers. The rates are copied.

   Logically collective; before PsdPlanSetUp. Option: -rates. Errors (PSD_ERR_INPUT): neither PSD_RATES_LEAST nor
   PSD_RATES_MORE nor PSD_RATES of them, one that is not positive.
*/
#define PSD_RATES_LEAST 4
#define PSD_RATES_MORE 6
#define PSD_RATES 7
PSD_EXTERN PetscErrorCode PsdPlanSetRates(PsdPlan plan, PetscInt count, const PetscReal rates[]);

/*
   PsdPlanSetIterations - Iterations of the solver, 1 or more; 0: as many as are usual.

   Logically collective; before PsdPlanSetUp. Option: -iterations.
*/
PSD_EXTERN PetscErrorCode PsdPlanSetIterations(PsdPlan plan, PetscInt iterations);

/*
   PsdPlanSetUp - Adds up the run. The problem's patches get the size of the images (PsdPatchesSetImageSize). Rates
   that were not set are measured on all ranks at once, in about a second. After another Set function it may be called
   again.

   Collective. Errors (PSD_ERR_INPUT): no samples were set; patches do not fit the images; the solver or kernel asked
   for is not for such a problem; none was asked for and none fits the node. One that was asked for and does not fit
   shows in the totals.
*/
PSD_EXTERN PetscErrorCode PsdPlanSetUp(PsdPlan plan);

/*
   PsdPlanGetTotals - Sizes, peak memory, seconds and flops of the run.

   Not collective; after PsdPlanSetUp. The totals are alike on all ranks.
*/
PSD_EXTERN PetscErrorCode PsdPlanGetTotals(PsdPlan plan, PsdPlanTotals *totals);

/*
   PsdPlanGetMemory - Item k = 0, 1, ... of the totals' `items`: what it is, the bytes that it takes on rank 0 and on
   any other rank, and the first and the last phase in which it is there. Any may be NULL; the name lasts.

   Not collective; after PsdPlanSetUp.
*/
PSD_EXTERN PetscErrorCode PsdPlanGetMemory(PsdPlan plan, PetscInt k, const char *name[], PetscReal *root,
                                           PetscReal *others, PsdPhase *first, PsdPhase *last);

/*
   PsdPlanView - Prints the plan, as psdnet plan does: sizes, kernels, rates, memory in MB by item, seconds, Gflop, bytes
   and messages by phase.

   Collective; after PsdPlanSetUp. viewer: an ASCII viewer on the same ranks.
*/
PSD_EXTERN PetscErrorCode PsdPlanView(PsdPlan plan, PetscViewer viewer);

/*
   PsdPlanDestroy - Frees a plan, and sets the handle to NULL; NULL is left as it is.

   Collective.
*/
PSD_EXTERN PetscErrorCode PsdPlanDestroy(PsdPlan *plan);

#endif
