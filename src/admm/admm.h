/*
   ADMM for the convex program (docs/mathematics.md, section 2). The names are the page's: Z, U, S, T, W, Sh, rho, beta.

   Index s = 0 is Z, W, U and s = 1 is Z', W', U'. All vectors hold one svec a pair on the pair's owner.
*/
#ifndef PSD_ADMM_PRIVATE_H
#define PSD_ADMM_PRIVATE_H

#include <psdadmm.h>
#include "base/archive.h"
#include "certificate/bounds.h"
#include "cone/cone.h"
#include "network/neurons.h"
#include "split.h"

#define PSD_LANCZOS_STEPS 16
#define PSD_CHECK_EVERY 10 /* iterations between checks of the bounds, unless -check_every says otherwise */

/* Nodes and weights of the Gauss quadrature of h' g(G_P) h: eigenvalues of the Lanczos matrix, squared first components. */
typedef struct {
  PetscInt steps;
  PetscReal node[PSD_LANCZOS_STEPS], weight[PSD_LANCZOS_STEPS];
  PetscReal mean; /* of the nodes, weighted as the start vector sees them: an upper end for rho */
} PsdSpectrum;

typedef struct {
  PetscReal gap; /* stop when the certified gap is this small */
  PetscInt max_it;
  PetscReal time_limit; /* seconds since the start of the program; 0 = none */
  PetscReal relaxation; /* over-relaxation, 1.6 */
  PetscReal rho;        /* initial penalty; 0 = estimated */
  PetscReal sigma;      /* initial penalty of v = A S; 0 = the loss's own */
  PetscInt check_every; /* iterations between checks of the bounds */
  PetscBool screening;  /* leave out blocks that are known to be zero when beta changes */
} PsdAdmmSettings;

/* Which of the two bounds holds the gap open, looked at from time to time; see penalty.c. */
typedef struct {
  PetscInt due;               /* iteration of the next look; 0 = not begun */
  PetscReal objective, bound; /* at the last look */
  PetscBool acted;            /* the penalty follows the bounds from now on, not the residuals */
} PsdBoundTrend;

/* Where an iteration led to, g, and how far, f: of X = Z + U and X' (vectors), and of q = v + lambda of the representative samples. */
typedef struct {
  Vec g[2], f[2];
  PetscReal *g_samples, *f_samples;
} PsdRecord;

/* What comes of the records at the next iteration: nothing; a jump; its judgement, at this iteration's end; the way back. */
typedef enum { PSD_JUMP_NONE, PSD_JUMP_DUE, PSD_JUMP_JUDGE, PSD_JUMP_BACK } PsdJumpStage;

/* Acceleration; see accelerate.c. */
#define PSD_RECORDS 6
#define PSD_JUMP_EVERY 5 /* iterations from record to record */
typedef struct {
  PetscInt count, next; /* records there are, and the place of the next one */
  PetscInt stage;       /* PsdJumpStage */
  PetscBool steady;     /* the jump goes along the last residual, ... */
  PetscReal stretch;    /* ... this far, in iterations */
  PetscReal norm;       /* of the residual of the last record */
  PetscBool noting;     /* the iteration at hand is recorded or judged */
  size_t length;        /* representative samples here times C */
  PsdRecord record[PSD_RECORDS];
} PsdAccelerator;

/* Where the state is kept, and when; see checkpoint.c. */
typedef struct {
  char path[PETSC_MAX_PATH_LEN], gram_path[PETSC_MAX_PATH_LEN]; /* "": none */
  PetscReal every;                                              /* seconds */
  PetscBool resume;
  char *identity;         /* which problem this is, as text */
  PsdAdmmRecord *record;  /* the caller's, or NULL */
  PsdArchive archive;     /* open between PsdCheckpointOpen and PsdCheckpointLoad */
  PetscBool resumed;      /* the loop has to begin where the file ends */
  PetscLogDouble last;    /* when the last one was written, or the loop begun */
  PetscLogDouble seconds; /* that the slowest one took */
  PsdAdmmStatus *history; /* all checks so far */
  PetscInt rows, room;
} PsdCheckpoint;

struct _p_PsdAdmm {
  PsdProblem problem;
  PsdBlocks blocks;
  PsdConsensus consensus;
  PsdCone cone;
  PsdBounds bounds;
  PsdAdmmSettings settings;

  PetscReal rho, rho_initial;
  PsdSpectrum spectrum;            /* what h sees of G_P: penalty.c */
  Vec Z[2], Z_last[2], U[2], X[2]; /* X: what is projected */
  Vec S, Sh;                       /* Sh is P (V - V') */
  PetscReal sums[5];               /* of squares, this rank: W - Z, Z - Z_last, W, Z, U; see residuals */
  PsdSplitting *split;             /* v and lambda; NULL for the squared loss */
  PsdAccelerator *accelerator;     /* of losses that are split; else NULL */

  PsdFactors local_factors, factors; /* Z - Z' or a network by their terms: here, and all */
  PsdNeurons neurons, best;          /* this rank's: of the network at hand, and of the best one */
  PetscReal *factor;                 /* work: d x d */
  Vec network, best_network;         /* their S */
  PetscReal best_weight;             /* sum of |alpha| of the best network, all ranks */
  PetscBool network_fixed;           /* the best network was given; only bounds are sought */
  char cone_use[128];                /* what PsdAdmmGetKernels says of the cone */
  PsdAdmmStatus status;
  PsdAdmmReason reason;
  PetscInt last_check; /* iteration of the last check of the bounds, ... */
  PetscInt previous;   /* ... and of the one before */
  PetscBool checked;   /* the last iteration ended with a check, but the penalty was not adapted, as the run ends */
  PsdBoundTrend trend;
  PetscInt round;         /* of PsdAdmmSolve */
  PetscLogDouble start;   /* of the loop; of a run that is continued, as if it had not been interrupted */
  PetscLogDouble elapsed; /* before it was */
  PetscLogDouble longest; /* the longest pass through the loop, and when the one at hand began */
  PetscLogDouble pass;
  PsdCheckpoint checkpoint;
  PsdAdmmMonitor monitor;
  void *monitor_context;
};

/* iterate.c: one iteration */
PetscErrorCode PsdAdmmIterate(PsdAdmm admm);

/* accelerate.c. Begin and End do nothing without an accelerator. Collective but for Reset and Mix. */
PetscErrorCode PsdAcceleratorCreate(PsdProblem problem, PsdAccelerator **accelerator);
PetscErrorCode PsdAcceleratorDestroy(PsdAccelerator **accelerator);
/* PsdAcceleratorReset - forgets all records, as the map has changed. accelerator: or NULL. */
void PsdAcceleratorReset(PsdAccelerator *accelerator);
/* PsdAcceleratorBegin, PsdAcceleratorEnd - around an iteration: jumps when records say where to, and records. */
PetscErrorCode PsdAcceleratorBegin(PsdAdmm admm);
PetscErrorCode PsdAcceleratorEnd(PsdAdmm admm);
/* PsdAcceleratorMix - coefficients c, of sum 1, of the smallest combination of `count` residuals whose products are given,
   count x count; a pure function. False: none that is to be trusted. */
PetscBool PsdAcceleratorMix(PetscInt count, const PetscReal products[], PetscReal c[]);

/* penalty.c */
/* PsdAdmmFindSpectrum - what h sees of G_P, by a few Lanczos steps. Collective; before the first factorisation. */
PetscErrorCode PsdAdmmFindSpectrum(PsdAdmm admm);
/* PsdAdmmInitialPenalty - rho of the order of beta over the size of Z, for the problem's beta. Not collective. */
PetscReal PsdAdmmInitialPenalty(PsdAdmm admm);
/* PsdPenaltyPropose - the penalty that the residuals at `iteration` ask for, the last check having been at `previous`; a
   pure function (see penalty.c for the rule). primal, dual: relative residuals. */
PetscReal PsdPenaltyPropose(PetscInt previous, PetscInt iteration, PetscReal rho, PetscReal rho_initial,
                            PetscReal primal, PetscReal dual, PetscBool none);
/* rho, and the penalty sigma of v = A S */
typedef struct {
  PetscReal rho, sigma;
} PsdPenalties;
/* PsdPenaltyProposeBoth - the same of both penalties, with the relative residuals of (W, Z) and of (A S, v); a pure function.
   When the two changes are within a factor of three, both are their geometric mean, and nothing is to be factorised. */
PsdPenalties PsdPenaltyProposeBoth(PetscInt previous, PetscInt iteration, PsdPenalties now, PsdPenalties initial,
                                   const PetscReal primal[2], const PetscReal dual[2], PetscBool none);
/* PsdPenaltyFollowBounds - the penalty that the progress of objective and bound asks for; keeps `trend` up to date. none:
   no network so far is better than the empty one. */
PetscReal PsdPenaltyFollowBounds(PsdBoundTrend *trend, PetscInt iteration, PetscReal rho, PetscReal rho_initial,
                                 PetscReal objective, PetscReal bound, PetscBool none);
/* PsdAdmmSetPenalty - changes rho, and sigma where the loss is split: rescales U and lambda; factorises anew unless their
   ratio stays. Collective. */
PetscErrorCode PsdAdmmSetPenalty(PsdAdmm admm, PetscReal rho, PetscReal sigma);

/* PsdAdmmScreen - finds the pairs of blocks that are zero for the problem's beta now, and has the projection leave them so, until
   it is called again; their number. Needs bounds for this beta; nothing is screened before the first certificate, without A'A or
   with a loss that is split. Collective. */
PetscErrorCode PsdAdmmScreen(PsdAdmm admm, PetscInt *screened);

/* check.c: residuals, extracted network, bounds */
PetscErrorCode PsdAdmmCheck(PsdAdmm admm);
/* residuals relative to the size of what they are differences of */
PetscErrorCode PsdAdmmRelativeResiduals(PsdAdmm admm, PetscReal *primal, PetscReal *dual);

/* stop.c: what the clock and signals ask for, the same on all ranks. Collective. */
typedef struct {
  PetscBool signal, time, save;
} PsdStop;
PetscErrorCode PsdAdmmAskStop(PsdAdmm admm, PsdStop *stop);

/* checkpoint.c. All collective; all but Open do nothing without a checkpoint. */
/* PsdCheckpointOpen - before the problem is lifted: opens the file to continue from, if there is one, and finds out whether it is of
   this problem. */
PetscErrorCode PsdCheckpointOpen(PsdAdmm admm);
/* PsdCheckpointLoad - once everything is allocated: the state. */
PetscErrorCode PsdCheckpointLoad(PsdAdmm admm);
/* PsdCheckpointSave - the state to the file. A failure is a warning, and *written is false. */
PetscErrorCode PsdCheckpointSave(PsdAdmm admm, PetscBool *written);
/* PsdCheckpointNote - adds a check to the history. */
PetscErrorCode PsdCheckpointNote(PsdAdmm admm);
PetscErrorCode PsdCheckpointDestroy(PsdAdmm admm);

/* state.c: what a checkpoint holds of the solver. */
PetscErrorCode PsdStateAdd(PsdAdmm admm, PsdArchive archive);
PetscErrorCode PsdStatePut(PsdAdmm admm, PsdArchive archive);
PetscErrorCode PsdStateGet(PsdAdmm admm, PsdArchive archive);
/* state_lists.c: the part of it that has no fixed length. */
PetscErrorCode PsdStateAddLists(PsdAdmm admm, PsdArchive archive);
PetscErrorCode PsdStatePutLists(PsdAdmm admm, PsdArchive archive);
PetscErrorCode PsdStateGetLists(PsdAdmm admm, PsdArchive archive);

#endif
